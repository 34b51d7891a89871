/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger's part of `sekimori balance`: counts rows, a few thousand a turn, and answers the client. */
#ifndef SEKIMORI_LEDGER_BALANCE_COUNT_H
#define SEKIMORI_LEDGER_BALANCE_COUNT_H

#include "ledger/ingest.h"

struct balance_count_server;

/* Never NULL. Both are borrowed. */
struct balance_count_server *balance_count_server_new(struct loop *loop, struct ingest *ingest);
void balance_count_server_free(struct balance_count_server *server); /* clients under way get no answer */

/* Counts what happened since `since_ms` and answers MASTER_DONE on `fd`, which is taken over: JSON, or
   why not: with EX_TEMPFAIL while the database is closed or busy, as on a full disk, else EX_UNAVAILABLE. */
void balance_count_begin(struct balance_count_server *server, uint64_t since_ms, int fd);

#endif
