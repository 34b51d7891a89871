/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Listening sockets that the service manager has bound: sd_listen_fds(3), by our own code. main.c reads them
   once; listeners.c takes each for the listener with its address and port. */
#ifndef SEKIMORI_MASTER_PASSED_H
#define SEKIMORI_MASTER_PASSED_H

#include "base/address.h"

enum { PASSED_MOST = 64, PASSED_NAME_SIZE = 64 };

struct passed {
    size_t count;
    struct passed_socket {
        struct endpoint endpoint;    /* that it is bound to */
        int fd;                      /* close-on-exec, does not block */
        char name[PASSED_NAME_SIZE]; /* from LISTEN_FDNAMES, escaped; "unknown" without one */
    } sockets[PASSED_MOST];
};

/* Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES and takes them out of the environment. None are there where
   LISTEN_PID is not this process. False, with the reason in `error`: a number that is none or above
   PASSED_MOST, or a descriptor that is no TCP socket to listen on. Call before a process is started. */
bool passed_open(struct passed *out, char *error, size_t size);

/* The descriptor that is bound to exactly that, or -1. Stays the caller's of passed_open. */
int passed_find(const struct passed *passed, const struct endpoint *endpoint);

#endif
