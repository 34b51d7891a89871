/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One row of the table `mark` each. */
#include "ledgerdb/mark.h"

enum ledgerdb_outcome mark_get(struct sql *sql, const char *name, uint64_t *out)
{
    struct sql_statement *get = sql_prepare(sql, "SELECT value FROM mark WHERE name = ?1");
    if (!get) return sql_failure(sql);
    sql_bind_text(get, 1, text_of(name));
    enum ledgerdb_outcome outcome = sql_step(get);
    *out = outcome == LEDGERDB_ROW ? sql_get(get, 0) : 0;
    sql_drop(get);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome mark_set(struct sql *sql, const char *name, uint64_t value)
{
    struct sql_statement *set = sql_prepare(
        sql, "INSERT INTO mark(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value");
    if (!set) return sql_failure(sql);
    sql_bind_text(set, 1, text_of(name));
    sql_bind(set, 2, value);
    enum ledgerdb_outcome outcome = sql_do(set);
    sql_drop(set);
    return outcome;
}
