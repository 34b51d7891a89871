/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Carries events from the rings into the database: a batch is one transaction, and a ring's tail moves only
   after the commit. While the database cannot be written, events wait in the rings and, when these fill, in a
   bounded file; nobody is made to wait. What finds no room is counted as lost. Between batches, rows whose
   time is over are forgotten. */
#ifndef SEKIMORI_LEDGER_HARVEST_H
#define SEKIMORI_LEDGER_HARVEST_H

#include "base/loop.h"
#include "base/steady.h"
#include "books/database.h"
#include "ipc/counters.h"
#include "ipc/ring.h"
#include "ledger/exchange.h"

struct harvest;

enum {
    HARVEST_RINGS = 80,
    HARVEST_BATCH = 20000, /* events in one transaction at most */
    WAITING_DEFAULT_BYTES = 256 << 20
};

/* `folder` is where ledger.db lives; borrowed. */
struct harvest *harvest_new(struct loop *loop, const char *folder);
void harvest_free(struct harvest *harvest); /* what is not committed stays in the rings */

/* Takes over the ring of one process. */
void harvest_add_ring(struct harvest *harvest, struct ring *ring, uint16_t slot);

/* Limits and retention from now on; both borrowed. Without it nothing is forgotten. */
/* The time by which something is old enough to go: not what a clock says that was just set forward. */
void harvest_set_steady(struct harvest *harvest, const struct steady *steady);
uint64_t harvest_epoch_ms(const struct harvest *harvest); /* when the counts of balance began; 0: ever */
uint64_t harvest_old_ms(const struct harvest *harvest);

/* Both are borrowed. `baseline` may be NULL: no counts are kept from before. */
void harvest_set_config(struct harvest *harvest, const struct config *config,
                        const struct counters_slot *baseline);

/* Other nodes: what they tell is stored, and what is stored of this one they are told. Borrowed; before
   harvest_start. */
void harvest_set_exchange(struct harvest *harvest, struct exchange *exchange);

/* Opens the database and begins to poll. One that cannot be opened now is tried again later. */
void harvest_start(struct harvest *harvest);

/* One batch now. True when there may be more. */
bool harvest_poll(struct harvest *harvest);

/* NULL while it cannot be opened. */
struct database *harvest_database(const struct harvest *harvest);

/* How many it has opened so far: another number is another database, though it may have the same address. */
unsigned harvest_openings(const struct harvest *harvest);

struct harvest_counts {
    uint64_t events, malformed, batches, failures, damaged;
    uint64_t lost;            /* events that rings had no room for */
    unsigned backlog_percent; /* of the fullest ring */
    uint64_t waiting_bytes;   /* of events on disk */
    uint64_t forgotten;       /* rows */
    double events_per_second; /* over the last seconds */
    bool is_failing;          /* the last batch could not be stored */
    bool is_newer;            /* since the database was made by a later version of this program */
    bool is_full;             /* and there is no room for events that wait */
};
/* A copy. The rate is of the window since the last call that closed one. */
void harvest_counts(struct harvest *harvest, struct harvest_counts *out);

#endif
