/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Since when each mailing list sends mail that we take: a row for each pair of List-Id and proven domain, so
   that an id under another domain is another list. Strangers choose both, so all is bounded, and no number of
   new pairs takes the place of one that is settled and alive. Days are those since 1970, by UTC. */
#ifndef SEKIMORI_LEDGERDB_LIST_HISTORY_H
#define SEKIMORI_LEDGERDB_LIST_HISTORY_H

#include "base/arena.h"
#include "ledgerdb/sql.h"

enum {
    LIST_SETTLED_DAYS = 5,    /* it is settled when it sent on so many days */
    LIST_NEW_A_DAY = 500,     /* pairs that get a row on one day; later ones wait for the next day */
    LIST_NEW_MOST = 10000,    /* rows that are not settled: the one that was silent longest makes room */
    LIST_SETTLED_MOST = 8192, /* when there are so many, the one that was silent longest makes room if ... */
    LIST_SILENT_DAYS = 30,    /* ... it was so for this long; else the new one waits */
    LIST_NEW_KEPT_DAYS = 30,  /* without mail a row goes, before it is settled */
    LIST_SETTLED_KEPT_DAYS = 90
};

struct list_history;

struct list_history *list_history_new(
    struct sql *sql);                                 /* NULL: the table is not there; sql_error says more */
void list_history_free(struct list_history *history); /* NULL is allowed */

/* A transaction begins: what was counted in the one before is asked anew. */
void list_history_begin(struct list_history *history);

/* The pair sent a message on that day; inside the transaction. */
enum ledgerdb_outcome list_history_see(struct list_history *history, struct text id, struct text domain,
                                       uint32_t day);

struct list_pair {
    struct text id, domain;
};
/* Settled pairs that were first seen on `until_day` or before, in the arena. */
enum ledgerdb_outcome list_history_known(struct sql *sql, uint32_t until_day, struct arena *arena,
                                         struct list_pair **out, size_t *out_count);

/* Rows that go since nothing came for long, as seen on `today`; at most `most`. */
enum ledgerdb_outcome list_history_forget(struct sql *sql, uint32_t today, unsigned most, unsigned *out_rows);

#endif
