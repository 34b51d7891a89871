/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What servers took and queue may not have on disk yet, in a file that outlives this process: its next life
   tells queue of it before any job is taken, so that nothing of it is sent again. The file is a ring whose
   reader is deliver itself; nobody else is given it. */
#ifndef SEKIMORI_DELIVER_RESULTS_H
#define SEKIMORI_DELIVER_RESULTS_H

#include <sys/queue.h>

#include "ipc/ask_deliver.h"
#include "ipc/ring.h"

struct results;

/* In a job from its result on, until queue has it. */
struct result_hold {
    TAILQ_ENTRY(result_hold) line;
    uint64_t position; /* in the file, before its first recipient */
};

/* `file` is taken over; NULL: nothing outlives the process. `events` (borrowed, may be NULL): the ledger is
   told of what the life before took again, in case it died between the two. */
struct results *results_new(struct ring *file, struct ring *events);
void results_free(struct results *results);

/* A recipient that a server took, as its record for the ledger (event_ended_put) says. Between results_begin
   and results_let_go of its job. No room: the recipient goes without this protection. */
void results_begin(struct results *results, struct result_hold *hold);
void results_keep(struct results *results, struct text record, bool dsn_relayed);
/* Queue has the job's result on disk. */
void results_let_go(struct results *results, struct result_hold *hold);

/* Tells a new queue channel what the life before left, as DELIVER_RESULT with ids from 1 on, below every
   job's. Once queue has acknowledged all of it (results_kept), it is not told again. */
void results_tell(struct results *results, struct channel *queue);
void results_kept(struct results *results, uint64_t id);

#endif
