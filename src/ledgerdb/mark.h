/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Named numbers of the database: how far something has come. */
#ifndef SEKIMORI_LEDGERDB_MARK_H
#define SEKIMORI_LEDGERDB_MARK_H

#include "ledgerdb/sql.h"

/* *out is 0 where the mark was never set. Not DONE: the database cannot be read, *out means nothing. */
enum ledgerdb_outcome mark_get(struct sql *sql, const char *name, uint64_t *out);
/* Sets the mark, in the transaction under way where there is one. `value` is at most INT64_MAX. */
enum ledgerdb_outcome mark_set(struct sql *sql, const char *name, uint64_t value);

#endif
