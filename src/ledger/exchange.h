/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ledger's side of courier: gives it what waits in the outbox, and takes what other nodes tell. A parcel from
   another node is stored in one transaction with the note that it was, and only then said to be stored. */
#ifndef SEKIMORI_LEDGER_EXCHANGE_H
#define SEKIMORI_LEDGER_EXCHANGE_H

#include "base/loop.h"
#include "books/database.h"
#include "books/outbox.h"
#include "ipc/channel.h"

struct exchange;

/* Never NULL; the configuration is borrowed. What has come and is not stored is dropped with it: its node
   tells it again. */
struct exchange *exchange_new(struct loop *loop, const struct config *config);
void exchange_free(struct exchange *exchange);
void exchange_set_config(struct exchange *exchange, const struct config *config); /* borrowed */

/* courier is there: takes over the descriptor. */
void exchange_open(struct exchange *exchange, int fd);

/* A database was opened (or, NULL, closed): makes it know who this node is, and begins the outbox. When that
   does not come about nothing may be stored, or others would never be told of it. */
enum books_outcome exchange_set_database(struct exchange *exchange, struct database *database);

/* Parcels of other nodes wait to be stored. */
bool exchange_has_arrivals(const struct exchange *exchange);
/* In the transaction under way, until about `most` events are in *count; `store` stores one record. */
enum books_outcome exchange_store(struct exchange *exchange, unsigned most, unsigned *count,
                                  enum books_outcome (*store)(void *context, struct text record),
                                  void *context);
void exchange_kept(struct exchange *exchange);  /* it was committed */
void exchange_again(struct exchange *exchange); /* it was not */

/* Between transactions, often: gives courier what it wants, lets go of what was told. */
void exchange_serve(struct exchange *exchange, uint64_t old_ms); /* old_ms: harvest_old_ms */

struct exchange_facts {
    bool sends, collects;
    struct outbox_facts outbox;
    uint64_t events, refused; /* of other nodes, since the start */
};
/* A copy, of the outbox as it was when the database last told. */
void exchange_look(struct exchange *exchange, struct exchange_facts *out);

#endif
