/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What this node has still to tell the node that collects: copies of its events, in parcels that are written
   in the transaction that stores the events themselves. A parcel leaves when the collector has it on disk, or
   when its time is over. Numbers of parcels never come twice within a series; a series never outlives a boot,
   since what was written last may be gone after a power loss. */
#ifndef SEKIMORI_LEDGERDB_OUTBOX_H
#define SEKIMORI_LEDGERDB_OUTBOX_H

#include "ledgerdb/reader.h"

struct database;
struct outbox;

enum { OUTBOX_PARCEL_MOST = 60 * 1024 };

/* From now on the database copies what outbox_add gets. `boot`: a number that this boot has and no other. */
enum ledgerdb_outcome outbox_begin(struct database *database, uint64_t boot);
bool outbox_is_on(const struct database *database);      /* outbox_begin was called */
uint64_t outbox_series(const struct database *database); /* below 2^63, never 0 */

/* A record as ring_append took it, of an event that is stored in the transaction under way. */
void outbox_add(struct database *database, struct text record);

struct outbox_parcel {
    uint64_t number, time_ms, events;
    struct text records; /* each as put_text writes it */
};

/* The first parcel after `after`; texts live until the next call. DONE: there is none, or no outbox. ROW:
   there is one. */
enum ledgerdb_outcome outbox_next(struct database *database, uint64_t after, struct outbox_parcel *out);

/* In a transaction: those up to `number` are told; those from before `time_ms` are given up. */
enum ledgerdb_outcome outbox_release(struct database *database, uint64_t number);
enum ledgerdb_outcome outbox_give_up(struct database *database, uint64_t time_ms);

struct outbox_facts {
    uint64_t parcels, oldest_ms; /* oldest 0: nothing waits */
    uint64_t given_up;           /* events, ever */
};
/* Unless DONE, `out` is what it was. */
enum ledgerdb_outcome outbox_look(struct database *database, struct outbox_facts *out);
enum ledgerdb_outcome outbox_read(struct ledgerdb_reader *ledgerdb,
                                  struct outbox_facts *out); /* the same, for readers */

/* database.c's: with the commit, the rollback, the end. NULL is allowed. */
enum ledgerdb_outcome outbox_write(struct outbox *outbox);
void outbox_drop(struct outbox *outbox);
void outbox_free(struct outbox *outbox);

#endif
