/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the transaction under way still has to write: sums, added up in memory first, and terms, sorted by id
   first, since the index takes them cheaply only in that order. Written before the commit, or dropped. */
#ifndef SEKIMORI_LEDGERDB_PENDING_H
#define SEKIMORI_LEDGERDB_PENDING_H

#include "judge/proof.h"
#include "ledgerdb/sql.h"
#include "ledgerdb/sums.h"

struct pending;

/* The end of a statement that adds rows to sum_day or sum_hour. */
#define SUMS_ADDED                                                        \
    " ON CONFLICT DO UPDATE SET messages = messages + excluded.messages," \
    " recipients = recipients + excluded.recipients, bytes = bytes + excluded.bytes"

/* NULL: the tables are not there; sql_error says more. */
struct pending *pending_new(struct sql *sql);
void pending_free(struct pending *pending); /* NULL is allowed */

struct pending_sum {
    uint64_t time_ms;
    uint16_t node;
    uint8_t direction;
    enum sum_kind kind;
    bool is_whole_day; /* no hour is told apart */
    struct text domain, name;
    uint64_t messages, recipients, bytes;
};
/* Added to what is there of the same day, hour, node, direction, kind, domain and name. Texts are copied. */
void pending_add_sum(struct pending *pending, const struct pending_sum *sum);

/* A message of the day and node of `sum`, for the domain in its From (partners.h). */
void pending_add_partner(struct pending *pending, const struct pending_sum *sum, const struct proof *proof);

/* A recipient whose acceptance is stored in this transaction, with the sum that was made of it: what happens
   to it in the same transaction need not be asked of the tables. NULL: it was not. */
void pending_remember(struct pending *pending, uint64_t message, uint32_t number,
                      const struct pending_sum *sum);
const struct pending_sum *pending_recall(const struct pending *pending, uint64_t message, uint32_t number);

/* Copied; none where `terms` is empty. */
void pending_add_terms(struct pending *pending, bool is_refusal, uint64_t id, struct text terms);

/* Inside the transaction. Whatever it returns, nothing is pending any more. */
enum ledgerdb_outcome pending_write(struct pending *pending);
void pending_drop(struct pending *pending); /* and what was remembered */

#endif
