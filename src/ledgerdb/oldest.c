/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The first rows of the index of recipients without an ending: a message's id begins with its time. */
#include "ledgerdb/oldest.h"

#include <stdio.h>

#include "ipc/message_id.h"

static enum ledgerdb_outcome first_ask(struct sql *sql, const char *where, uint64_t *out_ms)
{
    char text[160];
    int64_t id = 0;
    snprintf(text, sizeof text,
             "SELECT min(message) FROM recipient INDEXED BY recipient_live"
             " WHERE ending = 0 AND hold %s",
             where);
    enum ledgerdb_outcome outcome = sql_number(sql, text, &id);
    *out_ms = id ? message_id_time_ms((uint64_t)id) : 0;
    return outcome;
}

enum ledgerdb_outcome ledgerdb_oldest(struct ledgerdb_reader *ledgerdb, struct oldest *out)
{
    struct sql *sql = ledgerdb_sql(ledgerdb);
    sql_time_limit(sql, READER_STEP_MS);
    enum ledgerdb_outcome outcome = first_ask(sql, "= 0", &out->waiting_ms);
    if (outcome == LEDGERDB_DONE) outcome = first_ask(sql, "> 0", &out->held_ms);
    sql_time_limit(sql, 0);
    return outcome;
}
