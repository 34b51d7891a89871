/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger database: ledger.db in the ledger folder, SQLite in WAL mode. One row a message, a recipient, a
   refusal. Telling it the same event twice changes nothing, whatever came in between. */
#ifndef SEKIMORI_LEDGER_DATABASE_H
#define SEKIMORI_LEDGER_DATABASE_H

#include "ipc/event.h"

struct database;

enum database_outcome {
    DATABASE_DONE,
    DATABASE_LATER,   /* disk full, I/O error, locked: nothing of the transaction is kept, try again */
    DATABASE_DAMAGED, /* not a database any more: close it and open again */
    DATABASE_NEWER,   /* made by a later version of this program */
};

/* Opens or makes folder/ledger.db. A damaged one is renamed to ledger.db.damaged-TIME first; `out_damaged` is
   then true. On any other outcome than DONE *out is NULL and the reason is in the log. */
enum database_outcome database_open(const char *folder, struct database **out, bool *out_damaged);
void database_close(struct database *database); /* NULL is allowed; an open transaction is given up */

/* All stores stand between begin and commit. When one does not say DONE, database_rollback follows. */
enum database_outcome database_begin(struct database *database);
enum database_outcome database_commit(struct database *database);
void database_rollback(struct database *database);

/* `first` is the number of the event's first recipient. */
enum database_outcome database_store_accepted(struct database *database, const struct event_accepted *event,
                                              uint32_t first);
/* The first ending of a recipient stays. One that is told before its recipient was accepted waits for it. */
enum database_outcome database_store_ended(struct database *database, const struct event_ended *event);
/* A refusal has no id: it is known by its time and where it stood (ring slot, position). */
enum database_outcome database_store_refused(struct database *database, const struct event_refused *event,
                                             uint16_t slot, uint64_t position);

/* Bytes of the database and its log on disk. */
uint64_t database_bytes(const struct database *database);

/* What the rows say about the time since `since_ms`. */
struct database_sums {
    uint64_t accepted, own; /* recipients; own ones are not among accepted */
    uint64_t ended[ENDING_COUNT];
    uint64_t live;      /* accepted or own, since then, without an ending */
    uint64_t unmatched; /* ended, but nobody has told of its acceptance */
};

/* Counting walks over the rows in small steps, on a snapshot of its own, so that storing goes on. NULL when
   the database cannot be read now. step: true when the sums are complete. */
struct database_count;
struct database_count *database_count_begin(const struct database *database, uint64_t since_ms);
bool database_count_step(struct database_count *count, unsigned rows, struct database_sums *out,
                         enum database_outcome *out_outcome);
void database_count_end(struct database_count *count);

#endif
