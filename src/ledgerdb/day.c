/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rows are counted hour by hour, a read each. */
#include "ledgerdb/day.h"

#include <time.h>

enum { HOUR_MS = 3600000, ID_SHIFT = 22, EVERY_NODE = 256 };

static uint64_t midnight_ms(int year, int month, int day)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1 };
    time_t seconds = mktime(&tm);
    return seconds > 0 ? (uint64_t)seconds * 1000 : 0;
}

bool day_bounds(uint32_t day, uint64_t *out_start_ms, uint64_t *out_end_ms)
{
    int year = (int)(day / 10000), month = (int)(day / 100 % 100), number = (int)(day % 100);
    struct sum_clock clock = { 0 };
    if (year < 1970 || year > 9000 || month < 1 || month > 12 || number < 1) return false;
    *out_start_ms = midnight_ms(year, month, number);
    *out_end_ms = midnight_ms(year, month, number + 1);
    sum_clock_set(&clock, *out_start_ms);
    return clock.day == day; /* the 31st of June is the 1st of July */
}

static void row_count(struct sql_statement *row, struct day_balance *out)
{
    uint64_t count = sql_get(row, 3);
    unsigned ending = (unsigned)sql_get(row, 0);
    if (ending == ENDING_RELAYED) {
        out->relayed += count;
        return;
    }
    if (sql_get(row, 2) == 2)
        out->again += count;
    else if (sql_get(row, 2))
        out->own += count;
    else
        out->accepted += count;
    if (ending != ENDING_NONE && ending < ENDING_COUNT)
        out->ended[ending] += count;
    else if (sql_get(row, 1))
        out->held += count;
    else
        out->queued += count;
}

/* An id is made a moment before or after the time that counts, so ids are looked at an hour around. */
static enum ledgerdb_outcome rows_count(struct ledgerdb_reader *ledgerdb, int node, struct day_balance *out)
{
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct sql_statement *rows =
        sql_prepare(sql, "SELECT r.ending, r.hold > 0, m.own, count(*) FROM message m JOIN recipient r"
                         " ON r.message = m.id WHERE m.id >= ?1 AND m.id < ?2 AND r.accepted_ms >= ?3"
                         " AND r.accepted_ms < ?4 AND (?5 = 256 OR m.node = ?5) GROUP BY 1, 2, 3");
    enum ledgerdb_outcome outcome = rows ? LEDGERDB_DONE : sql_failure(sql);
    for (uint64_t at = out->start_ms - HOUR_MS; at < out->end_ms + HOUR_MS && outcome == LEDGERDB_DONE;
         at += HOUR_MS) {
        sql_bind(rows, 1, at << ID_SHIFT);
        sql_bind(rows, 2, (at + HOUR_MS) << ID_SHIFT);
        sql_bind(rows, 3, out->start_ms);
        sql_bind(rows, 4, out->end_ms);
        sql_bind(rows, 5, node < 0 ? EVERY_NODE : (uint64_t)node);
        sql_time_limit(sql, 10 * READER_STEP_MS);
        while ((outcome = sql_step(rows)) == LEDGERDB_ROW) row_count(rows, out);
        sql_reset(rows);
    }
    sql_drop(rows);
    return outcome;
}

/* `kinds`: as in sum_question. */
static enum ledgerdb_outcome sums_read(struct ledgerdb_reader *ledgerdb, uint32_t day, int node,
                                       uint64_t kinds, uint64_t sums[SUM_KIND_COUNT])
{
    struct sum_row *rows;
    size_t count;
    struct arena *arena = arena_new(0);
    struct sum_question question = { .from_day = day,
                                     .until_day = day,
                                     .node = node,
                                     .direction = -1,
                                     .kinds = kinds,
                                     .by = SUM_BY_KIND | SUM_BY_DAY | SUM_BY_NODE };
    enum ledgerdb_outcome outcome = ledgerdb_sums(ledgerdb, &question, arena, &rows, &count);
    for (size_t i = 0; i < count && outcome == LEDGERDB_DONE; i++)
        if (rows[i].day == day && rows[i].kind < SUM_KIND_COUNT) sums[rows[i].kind] += rows[i].recipients;
    arena_free(arena);
    return outcome;
}

static struct losses losses_of(const uint64_t sums[SUM_KIND_COUNT])
{
    return (struct losses){ sums[SUM_LOST], sums[SUM_LOST_REFUSALS] };
}

/* Rows first: what arrives in between is then at least in the sums. Of a day that is over nothing arrives. */
enum ledgerdb_outcome day_count_node(struct ledgerdb_reader *ledgerdb, uint32_t day, int node,
                                     struct day_balance *out)
{
    *out = (struct day_balance){ .day = day };
    if (!day_bounds(day, &out->start_ms, &out->end_ms)) return LEDGERDB_MISSING;
    enum ledgerdb_outcome outcome = rows_count(ledgerdb, node, out);
    if (outcome == LEDGERDB_DONE) outcome = sums_read(ledgerdb, day, node, 0, out->sums);
    out->lost = losses_of(out->sums);
    uint64_t expected =
        out->sums[SUM_ACCEPTED] + out->sums[SUM_OWN] + out->sums[SUM_AGAIN] + out->sums[SUM_RELAYED];
    out->is_forgotten = out->accepted + out->own + out->again + out->relayed == 0 && expected > 0;
    out->is_balanced =
        out->is_forgotten || (out->accepted == out->sums[SUM_ACCEPTED] && out->own == out->sums[SUM_OWN] &&
                              out->again == out->sums[SUM_AGAIN] && out->relayed == out->sums[SUM_RELAYED]);
    return outcome;
}

enum ledgerdb_outcome day_count(struct ledgerdb_reader *ledgerdb, uint32_t day, struct day_balance *out)
{
    return day_count_node(ledgerdb, day, -1, out);
}

enum ledgerdb_outcome day_lost(struct ledgerdb_reader *ledgerdb, uint64_t time_ms, struct losses *out)
{
    struct sum_clock clock = { 0 };
    uint64_t sums[SUM_KIND_COUNT] = { 0 };
    sum_clock_set(&clock, time_ms);
    enum ledgerdb_outcome outcome =
        sums_read(ledgerdb, clock.day, -1, sum_bit(SUM_LOST) | sum_bit(SUM_LOST_REFUSALS), sums);
    *out = losses_of(sums);
    return outcome;
}
