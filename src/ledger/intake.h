/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Carries events from the rings into the database: a batch is one transaction, and a ring's tail moves only
   after the commit. Whatever fails, events stay in the rings and are tried again; nobody is made to wait. */
#ifndef SEKIMORI_LEDGER_INTAKE_H
#define SEKIMORI_LEDGER_INTAKE_H

#include "base/loop.h"
#include "ipc/ring.h"
#include "ledger/database.h"

struct intake;

enum { INTAKE_RINGS = 80, INTAKE_BATCH = 20000 }; /* events in one transaction at most */

/* `folder` is where ledger.db lives; borrowed. */
struct intake *intake_new(struct loop *loop, const char *folder);
void intake_free(struct intake *intake); /* what is not committed stays in the rings */

/* Takes over the ring of one process. */
void intake_add_ring(struct intake *intake, struct ring *ring, uint16_t slot);

/* Opens the database and begins to poll. False: it was made by a newer program, which is no state to go on
   in. A disk that is full now is not false: it is tried again later. */
bool intake_start(struct intake *intake);

/* One batch now. True when there may be more. */
bool intake_poll(struct intake *intake);

/* NULL while it cannot be opened. */
const struct database *intake_database(const struct intake *intake);

struct intake_counts {
    uint64_t events, malformed, batches, failures, damaged;
    uint64_t lost;            /* events that rings had no room for */
    unsigned backlog_percent; /* of the fullest ring */
    double events_per_second; /* over the last seconds */
    bool is_failing;          /* the last batch could not be stored */
};
void intake_counts(struct intake *intake, struct intake_counts *out);

#endif
