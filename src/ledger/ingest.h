/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Carries events from the rings into the database: a batch is one transaction, and a ring's tail moves only
   after the commit. While the database cannot be written, events wait in the rings and, when these fill, in a
   bounded file; nobody is made to wait. What finds no room is counted as lost. Between batches, rows whose
   time is over are forgotten. */
#ifndef SEKIMORI_LEDGER_INGEST_H
#define SEKIMORI_LEDGER_INGEST_H

#include "base/loop.h"
#include "base/steady_clock.h"
#include "ipc/counters.h"
#include "ipc/event.h"
#include "ipc/ring.h"
#include "ledger/explained_store.h"
#include "ledger/replication.h"
#include "ledgerdb/database.h"

struct ingest;

enum {
    INGEST_RINGS = 80,
    INGEST_BATCH = 20000, /* events in one transaction at most */
    OVERFLOW_DEFAULT_BYTES = 256 << 20
};

/* `folder` is where ledger.db lives; borrowed. */
struct ingest *ingest_new(struct loop *loop, const char *folder);
void ingest_free(struct ingest *ingest); /* what is not committed stays in the rings */

/* Takes over the ring of one process. */
void ingest_add_ring(struct ingest *ingest, struct ring *ring, uint16_t slot);

/* Limits and retention from now on; both borrowed. Without it nothing is forgotten. */
/* The time by which something is old enough to go: not what a clock says that was just set forward. */
void ingest_set_steady(struct ingest *ingest, const struct steady *steady);
uint64_t ingest_epoch_ms(const struct ingest *ingest); /* when the counts of balance began; 0: ever */
uint64_t ingest_old_ms(const struct ingest *ingest);

/* Both are borrowed. `baseline` may be NULL: no counts are kept from before. */
void ingest_set_config(struct ingest *ingest, const struct config *config,
                       const struct counters_slot *baseline);

/* Other nodes: what they tell is stored, and what is stored of this one they are told. Borrowed; before
   ingest_start. */
void ingest_set_replication(struct ingest *ingest, struct replication *replication);

/* Told of each judgement of a message of this node, once it is stored; borrowed for the call. Told twice
   where a process tells an event again. */
void ingest_set_listener(struct ingest *ingest,
                         void (*on_judgement)(void *context, const struct event_judgement *judgement,
                                              uint64_t time_ms),
                         void *context);
/* The same of recipients of this node that were refused before the content for a signal (event_refused). The
   context is the other's. */
void ingest_set_cause_listener(struct ingest *ingest,
                               void (*on_cause)(void *context, struct text cause, uint32_t recipients));

/* Told of each event EVENT_OFFERED once its batch is stored, and before it leaves its ring: it comes again
   where this process died in between. Borrowed for the call. */
void ingest_set_offers(struct ingest *ingest, void (*on_offer)(void *context, struct text event),
                       void *context);

/* Called after each look of its own, when all that was told until then is stored or waits for a database that
   cannot be written: at least five times a second. What calls ingest_poll itself does not lead there. */
void ingest_set_follower(struct ingest *ingest, void (*on_look)(void *context), void *context);

/* Opens the database and begins to poll. One that cannot be opened now is tried again later. */
void ingest_start(struct ingest *ingest);

/* The next look of its own comes with the next turn of the loop, and the one after it in its time. */
void ingest_hurry(struct ingest *ingest);

/* One batch now. True when there may be more. */
bool ingest_poll(struct ingest *ingest);

/* What became of explanations. */
struct explained_counts ingest_explained(const struct ingest *ingest);

/* NULL while it cannot be opened. */
struct database *ingest_database(const struct ingest *ingest);

/* How many it has opened so far: another number is another database, though it may have the same address. */
unsigned ingest_openings(const struct ingest *ingest);

struct ingest_counts {
    uint64_t events, malformed, batches, failures, damaged;
    struct losses lost;       /* what rings had no room for */
    unsigned backlog_percent; /* of the fullest ring */
    uint64_t waiting_bytes;   /* of events on disk */
    uint64_t forgotten;       /* rows */
    double events_per_second; /* over the last seconds */
    bool is_failing;          /* the last batch could not be stored */
    bool is_newer;            /* since the database was made by a later version of this program */
    bool is_full;             /* and there is no room for events that wait */
};
/* A copy. The rate is of the window since the last call that closed one. */
void ingest_counts(struct ingest *ingest, struct ingest_counts *out);

#endif
