/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The unix socket of `metrics socket`. master makes it and keeps it over restarts of the process that answers
   there; it never reads a byte from it. */
#ifndef SEKIMORI_MASTER_METRICS_SOCKET_H
#define SEKIMORI_MASTER_METRICS_SOCKET_H

#include <sys/types.h>

#include "config/settings.h"

struct metrics_socket {
    char *path; /* owned; NULL: none */
    int fd;     /* -1: none */
};

/* Makes the socket that the configuration wants, for its owner and the group alone; one of `old`, which may
   be NULL, with the same path is taken over. A socket that stands in its place goes, anything else stays.
   False: `error` says why, and nothing of `old` has changed. */
bool metrics_socket_open(struct metrics_socket *out, const struct config *config, gid_t gid,
                         const struct metrics_socket *old, char *error, size_t size);

/* Closes and removes that of `old`, unless `now`, which may be NULL, took it over. */
void metrics_socket_drop(struct metrics_socket *old, const struct metrics_socket *now);

#endif
