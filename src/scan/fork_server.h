/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where workers come from. The warden is forked from the dispatcher before its jail closes and forks a fork
   server for each configuration and set of signatures; a fork server loads once and forks workers that share
   what it loaded. Neither ever sees a byte of a message. */
#ifndef SEKIMORI_SCAN_FORK_SERVER_H
#define SEKIMORI_SCAN_FORK_SERVER_H

#include "ipc/child.h"

struct campaign_table;
struct entry_page;
struct fingerprint_page;
struct learned_page;

/* What ledger writes and workers read; NULL: there is none. */
struct worker_pages {
    const struct fingerprint_page *lists;
    const struct fingerprint_page *approved;
    const struct entry_page *entries;
    const struct learned_page *learned;
    const struct campaign_table *campaigns; /* lookup's */
};

/* Forks the warden, whose pid is *out_pid; returns the dispatcher's end of its channel. Ends the process when
   that fails. The warden, and all that come from it, end with the dispatcher. `pages` are for the workers,
   which inherit the maps. */
int fork_server_warden_start(const struct child *child, const struct worker_pages *pages, pid_t *out_pid);

#endif
