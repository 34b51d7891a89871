/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The nodes whose rows are in this ledger: their numbers, which stand in the ids of what they tell, their
   names, and up to where each has told. */
#ifndef SEKIMORI_LEDGERDB_NODES_H
#define SEKIMORI_LEDGERDB_NODES_H

#include "ledgerdb/database.h"
#include "ledgerdb/reader.h"

/* Who this node is. Its rows are its own from now on, also those that it told as another number. */
enum ledgerdb_outcome nodes_set_here(struct database *database, uint16_t number, struct text name,
                                     enum role role);

/* Another node begins to tell. *out_parcel: the last of this series that is stored. A number belongs to the
   first name that used it: *out_why then says who has it, and nothing is taken. NULL: welcome. */
enum ledgerdb_outcome nodes_welcome(struct database *database, uint16_t number, struct text name,
                                    enum role role, uint64_t series, uint64_t *out_parcel,
                                    const char **out_why);

/* In a transaction. True: this parcel is stored already, or the series is not the one that stands. */
bool nodes_has_parcel(struct database *database, uint16_t number, uint64_t series, uint64_t parcel);
/* `refused`: records that made no sense or told of what is not that node's. */
enum ledgerdb_outcome nodes_advance(struct database *database, uint16_t number, uint64_t parcel,
                                    uint64_t now_ms, uint64_t events, uint64_t refused, uint64_t given_up);

/* It is connected, whether it has something to tell or not: said again every NODES_HEARD_MS. */
enum { NODES_HEARD_MS = 5 * 60 * 1000 };
/* A later time stands in the place of the one before. */
enum ledgerdb_outcome nodes_heard(struct database *database, uint16_t number, uint64_t now_ms);

/* The record is of that node: every id in it is one that it made. */
bool nodes_may_tell(uint16_t number, struct text record);

/* The message is another node's. */
bool nodes_is_abroad(struct database *database, uint64_t id);

/* --- for readers --- */

struct node_row {
    uint16_t number;
    bool is_here;
    struct text name;
    uint64_t told_ms, parcel, events, refused, given_up;
    uint64_t heard_ms; /* when it last told something or was connected */
};
/* By number; in the arena. */
enum ledgerdb_outcome nodes_read(struct ledgerdb_reader *ledgerdb, struct arena *arena, struct node_row **out,
                                 size_t *out_count);

/* Messages that one node handed to another of these between the two times, and that the other does not know:
   it has not told yet, or they are lost. */
enum ledgerdb_outcome nodes_missing(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t *out_messages);

#endif
