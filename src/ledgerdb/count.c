/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Walks over the recipients by key, a snapshot a step. Rows may change between two steps: balance asks again
   until all counts agree. Rows that are no longer kept are in table `carried`. */
#include "ledgerdb/count.h"

#include <stdlib.h>

#include "base/log.h"
#include "ledgerdb/database_private.h"
#include "ledgerdb/held.h"

struct count {
    struct sql *sql;
    struct sql_statement *rows;
    uint64_t since_ms, message; /* after this message */
    struct count_sums sums;
};

static const char rows_text[] =
    "SELECT r.message, r.accepted_ms, r.ending, r.ended_ms, m.own, q.state FROM recipient r"
    " LEFT JOIN message m ON m.id = r.message LEFT JOIN held_recipient q"
    " ON r.ending = 5 AND q.message = r.message AND q.number = r.number WHERE r.message > ?1"
    " AND r.message >> 8 & 255 NOT IN (SELECT number FROM node WHERE NOT is_here) ORDER BY r.message";

static uint64_t *sum_by_name(struct count_sums *sums, struct text name)
{
    if (text_equal(name, TEXT("accepted"))) return &sums->accepted;
    if (text_equal(name, TEXT("own"))) return &sums->own;
    if (text_equal(name, TEXT("relayed"))) return &sums->relayed;
    if (text_equal(name, TEXT("again"))) return &sums->again;
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        if (text_equal(name, text_of(ending_name((enum ending)i)))) return &sums->ended[i];
    return NULL;
}

static enum ledgerdb_outcome carried_read(struct count *count)
{
    enum ledgerdb_outcome outcome;
    struct sql_statement *statement =
        sql_prepare(count->sql, "SELECT name, recipients FROM carried WHERE since = ?1");
    if (!statement) return sql_failure(count->sql);
    sql_bind(statement, 1, count->since_ms);
    while ((outcome = sql_step(statement)) == LEDGERDB_ROW) {
        uint64_t *sum = sum_by_name(&count->sums, sql_get_text(statement, 0));
        if (sum) *sum += sql_get(statement, 1);
    }
    sql_drop(statement);
    return outcome;
}

struct count *count_begin(struct database *database, uint64_t since_ms)
{
    struct count *count = memory_alloc(sizeof *count);
    struct buffer why = { 0 };
    count->since_ms = since_ms;
    bool is_good = sql_open(database->path, false, &count->sql, &why) == LEDGERDB_DONE &&
                   (count->rows = sql_prepare(count->sql, rows_text)) && carried_read(count) == LEDGERDB_DONE;
    if (!is_good)
        log_error("ledger: counting: %.*s",
                  TEXT_ARG(count->sql ? text_of(sql_error(count->sql)) : buffer_text(&why)));
    buffer_free(&why);
    if (is_good) return count;
    count_end(count);
    return NULL;
}

/* One that the quarantine's index does not know is missing. */
static void quarantined_count(struct count *count)
{
    uint64_t state = sql_get(count->rows, 5);
    if (sql_is_null(count->rows, 5) || state >= HELD_STATES)
        count->sums.missing++;
    else
        count->sums.held[state]++;
}

static void row_count(struct count *count)
{
    uint64_t id = sql_get(count->rows, 0), since = count->since_ms;
    uint64_t accepted_ms = sql_get(count->rows, 1), ended_ms = sql_get(count->rows, 3);
    unsigned ending = (unsigned)sql_get(count->rows, 2);
    if (ending == ENDING_RELAYED) {
        count->sums.relayed += count_is_since(id, accepted_ms, since);
        return;
    }
    bool is_accepted = !sql_is_null(count->rows, 1);
    bool is_recent = is_accepted && count_is_since(id, accepted_ms, since);
    uint64_t *origins[] = { &count->sums.accepted, &count->sums.own, &count->sums.again };
    uint64_t origin = sql_get(count->rows, 4);
    if (is_recent) ++*origins[origin < 3 ? origin : 1];
    if (is_recent && ending == ENDING_NONE) count->sums.live++;
    if (ending != ENDING_NONE && ending < ENDING_COUNT && count_is_since(id, ended_ms, since)) {
        count->sums.ended[ending]++;
        /* who was accepted before the counts began need not be known */
        count->sums.unmatched += !is_accepted && message_id_time_ms(id) >= since;
        if (ending == ENDING_QUARANTINED) quarantined_count(count);
    }
}

/* A step ends between two messages, so that the next one can begin after the last. */
bool count_step(struct count *count, unsigned rows, struct count_sums *out,
                enum ledgerdb_outcome *out_outcome)
{
    enum ledgerdb_outcome outcome;
    unsigned seen = 0;
    sql_bind(count->rows, 1, count->message);
    while ((outcome = sql_step(count->rows)) == LEDGERDB_ROW) {
        uint64_t message = sql_get(count->rows, 0);
        if (seen >= rows && message != count->message) break;
        row_count(count);
        count->message = message;
        seen++;
    }
    sql_reset(count->rows);
    if (outcome == LEDGERDB_ROW) return false;
    *out_outcome = outcome;
    *out = count->sums;
    return true;
}

void count_end(struct count *count)
{
    sql_drop(count->rows);
    sql_close(count->sql);
    free(count);
}
