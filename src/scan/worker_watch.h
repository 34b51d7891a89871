/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signs of life of the processes that only the dispatcher sees: warden, fork servers, workers. One that gives
   none for `processes hang` is named to master, which looks at it and kills it. */
#ifndef SEKIMORI_SCAN_WORKER_WATCH_H
#define SEKIMORI_SCAN_WORKER_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dispatcher;

/* One process. Counted in rounds of a second, so that time in which the dispatcher did not run counts
 * nothing.
 */
struct vigil {
    pid_t pid;
    uint32_t silent_ms;
    bool is_heard; /* in this round */
};

/* Once, when the warden has been started. */
void vigil_open(struct dispatcher *dispatcher);

#endif
