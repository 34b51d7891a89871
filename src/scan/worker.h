/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A worker: one message at a time, from its channel to its channel, in a jail without network and with one
   private tmpfs. */
#ifndef SEKIMORI_SCAN_WORKER_H
#define SEKIMORI_SCAN_WORKER_H

#include "scan/read.h"

/* Opens everything that is opened lazily, by judging a sample; in the process that workers are forked from.
   The current folder must be a temporary one. False: the engine did not see the canary, with the reason in
   `why`. */
bool worker_warm_up(const struct scanner *scanner, char *why, size_t size);

/* What a worker needs at most in its tmpfs. */
uint64_t worker_room_bytes(const struct config *config);

/* The life of a worker on its channel; ends the process. */
_Noreturn void worker_run(int channel, const struct scanner *scanner);

#endif
