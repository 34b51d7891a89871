/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ledger's side of courier: gives it what waits in the outbox, and takes what other nodes tell. A parcel from
   another node is stored in one transaction with the note that it was, and only then said to be stored. */
#ifndef SEKIMORI_LEDGER_REPLICATION_H
#define SEKIMORI_LEDGER_REPLICATION_H

#include "base/loop.h"
#include "ipc/channel.h"
#include "ledger/exchange.h"
#include "ledgerdb/database.h"
#include "ledgerdb/outbox.h"

struct replication;

/* Never NULL; the configuration is borrowed. What has come and is not stored is dropped with it: its node
   tells it again. */
struct replication *replication_new(struct loop *loop, const struct config *config);
void replication_free(struct replication *replication);
void replication_set_config(struct replication *replication, const struct config *config); /* borrowed */

/* Whose business declarations are; borrowed. */
void replication_set_exchange(struct replication *replication, struct exchange *exchange);

/* courier is there: takes over the descriptor. */
void replication_open(struct replication *replication, int fd);

/* A database was opened (or, NULL, closed): makes it know who this node is, and begins the outbox. When that
   does not come about nothing may be stored, or others would never be told of it. */
enum ledgerdb_outcome replication_set_database(struct replication *replication, struct database *database);

/* Parcels of other nodes wait to be stored. */
bool replication_has_arrivals(const struct replication *replication);
/* In the transaction under way, until about `most` events are in *count; `store` stores one record. */
enum ledgerdb_outcome replication_store(struct replication *replication, unsigned most, unsigned *count,
                                        enum ledgerdb_outcome (*store)(void *context, struct text record),
                                        void *context);
void replication_kept(struct replication *replication);  /* it was committed */
void replication_again(struct replication *replication); /* it was not */

/* Between transactions, often: gives courier what it wants, lets go of what was told. */
void replication_serve(struct replication *replication, uint64_t old_ms); /* old_ms: ingest_old_ms */

struct replication_facts {
    bool sends, collects;
    struct outbox_facts outbox;
    uint64_t events, refused; /* of other nodes, since the start */
};
/* A copy, of the outbox as it was when the database last told. */
void replication_look(struct replication *replication, struct replication_facts *out);

#endif
