/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Under which names our own senders write, learned from mail that they sent (`outside learn people`): a row
   for each pair of name and address. Who sends from inside chooses both, so all is bounded: an address has
   few names, a day few new pairs, and a pair counts only after several mails on several days. Days are those
   since 1970, by UTC, by the clock of who stores. */
#ifndef SEKIMORI_LEDGERDB_COLLEAGUES_H
#define SEKIMORI_LEDGERDB_COLLEAGUES_H

#include "ipc/event.h"
#include "ledgerdb/sql.h"

enum {
    COLLEAGUE_SETTLED_MAILS = 5,  /* a pair counts after so many mails ... */
    COLLEAGUE_SETTLED_DAYS = 3,   /* ... on so many days */
    COLLEAGUE_NAMES_MOST = 3,     /* pairs of one address */
    COLLEAGUE_NEW_A_DAY = 500,    /* pairs that get a row on one day; later ones wait for the next day */
    COLLEAGUE_MOST = 8192,        /* rows; when there are so many, new ones wait until old ones go */
    COLLEAGUE_NEW_KEPT_DAYS = 30, /* without mail a row goes, before it counts ... */
    COLLEAGUE_KEPT_DAYS = 180     /* ... and afterwards */
};

struct colleagues;

/* NULL: the table is not there; sql_error says more. The connection is borrowed. */
struct colleagues *colleagues_new(struct sql *sql);
void colleagues_free(struct colleagues *colleagues); /* NULL is allowed */

/* Name and address of a From field as an event has it, decoded: "Sato Taro <sato@example.ac.jp>". Borrowed.
   False: it was cut, has several addresses or no name. */
bool colleagues_author(struct text author, struct text *out_name, struct text *out_address);

/* A message was sent under that name; inside the transaction. `address`: small letters. */
enum ledgerdb_outcome colleagues_see(struct colleagues *colleagues, struct text name, struct text address,
                                     uint32_t day);

struct colleague {
    struct text name, address;
    uint32_t first_day, last_day, days;
    uint64_t mails;
    bool is_settled; /* it counts */
    bool is_barred;  /* a person said that it shall not; it is never settled */
};
/* All rows by address and name, in the arena; at most COLLEAGUE_MOST. */
enum ledgerdb_outcome colleagues_read(struct sql *sql, struct arena *arena, struct colleague **out,
                                      size_t *out_count);

/* Pairs of that name or that address (small letters) shall not count, and not be learned again as long as
   mail of them comes. *out_rows: how many that were not barred before. Inside a transaction. */
enum ledgerdb_outcome colleagues_bar(struct sql *sql, struct text what, unsigned *out_rows);

/* Rows that go since nothing was sent for long, as seen on `today`; at most `most`. */
enum ledgerdb_outcome colleagues_forget(struct sql *sql, uint32_t today, unsigned most, unsigned *out_rows);

#endif
