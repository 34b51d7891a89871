/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Carries events from the rings into the database: a batch is one transaction, and a ring's tail moves only
   after the commit. Whatever fails, events stay in the rings and are tried again; nobody is made to wait. */
#ifndef SEKIMORI_LEDGER_HARVEST_H
#define SEKIMORI_LEDGER_HARVEST_H

#include "base/loop.h"
#include "books/database.h"
#include "ipc/ring.h"

struct harvest;

enum { HARVEST_RINGS = 80, HARVEST_BATCH = 20000 }; /* events in one transaction at most */

/* `folder` is where ledger.db lives; borrowed. */
struct harvest *harvest_new(struct loop *loop, const char *folder);
void harvest_free(struct harvest *harvest); /* what is not committed stays in the rings */

/* Takes over the ring of one process. */
void harvest_add_ring(struct harvest *harvest, struct ring *ring, uint16_t slot);

/* Opens the database and begins to poll. False: it was made by a newer program, which is no state to go on
   in. A disk that is full now is not false: it is tried again later. */
bool harvest_start(struct harvest *harvest);

/* One batch now. True when there may be more. */
bool harvest_poll(struct harvest *harvest);

/* NULL while it cannot be opened. */
struct database *harvest_database(const struct harvest *harvest);

struct harvest_counts {
    uint64_t events, malformed, batches, failures, damaged;
    uint64_t lost;            /* events that rings had no room for */
    unsigned backlog_percent; /* of the fullest ring */
    double events_per_second; /* over the last seconds */
    bool is_failing;          /* the last batch could not be stored */
};
void harvest_counts(struct harvest *harvest, struct harvest_counts *out);

#endif
