/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The rows of a message or a refusal as a hit: what came, from whom, each recipient with its steps, the way
   over the nodes, and who was found to have sent it. */
#ifndef SEKIMORI_LEDGERDB_SEARCH_ROWS_H
#define SEKIMORI_LEDGERDB_SEARCH_ROWS_H

#include "ledgerdb/search.h"
#include "ledgerdb/sql.h"

enum { SEARCH_HOPS_MOST = 20 }; /* of a message, each way */

/* The statements of one search. */
struct search_rows {
    struct sql *sql;
    struct arena *arena;
    struct sql_statement *message, *recipients, *steps, *refusal, *of_message, *came, *went, *name;
    struct sql_statement *releases, *originals;
};

/* The connection is borrowed; what is read lives in the arena. False: a statement cannot be made, sql_failure
   says why. To be closed in either case. */
bool search_rows_open(struct search_rows *rows, struct sql *sql, struct arena *arena);
void search_rows_close(struct search_rows *rows);

/* LEDGERDB_DONE, and whether there is such a message or refusal; *out is undefined where there is none. */
enum ledgerdb_outcome search_rows_message(struct search_rows *rows, uint64_t id, struct search_hit *out,
                                          bool *out_found);
enum ledgerdb_outcome search_rows_refusal(struct search_rows *rows, uint64_t id, struct search_hit *out,
                                          bool *out_found);

/* The ids that `statement`, one of came, went, releases and originals, has for this one. LEDGERDB_DONE: the
   list is in the arena. */
enum ledgerdb_outcome search_rows_hops(struct search_rows *rows, struct sql_statement *statement, uint64_t id,
                                       struct search_hop **out, size_t *out_count);

#endif
