/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rows are grouped by SQL within a step, and joined over the steps here. */
#include "ledgerdb/ranking.h"

#include <stdlib.h>

enum { STEP_MS = 6 * 3600 * 1000, STEP_LEAST_MS = 60 * 1000, ID_SHIFT = 22, ROWS_MOST = 2 * 65536 };

/* ?1, ?2: ids from and before. A message that another node's edge handed on counts at the wall, as in sums.
 */
#define COUNTED_HERE " NOT IN (SELECT number FROM node WHERE role = 1 AND NOT is_here)"
#define RANGE(id) id " >= ?1 AND " id " < ?2"

static const char *const texts[] = {
    [RANKING_SENDERS] = "SELECT ifnull(sender, ''), 0, 0, 0, count(*) FROM message WHERE " RANGE(
        "id") " AND own = 0"
              " AND node" COUNTED_HERE " GROUP BY 1",
    [RANKING_RECIPIENTS] =
        "SELECT r.address, 0, 0, 0, count(*) FROM message m JOIN recipient r ON r.message = m.id"
        " WHERE " RANGE("m.id") " AND m.own = 0 AND r.accepted_ms IS NOT NULL AND m.node" COUNTED_HERE
                                " GROUP BY 1",
    [RANKING_REFUSALS] =
        "SELECT substr(reply, 5, instr(substr(reply, 5) || ' ', ' ') - 1), code, 0, class, sum(count)"
        " FROM refusal WHERE " RANGE("id") " AND code >= 400 GROUP BY 1, 2, 4",
    [RANKING_QUARANTINED] =
        "SELECT '', q.state, q.class, m.class, count(*) FROM held_recipient q"
        " LEFT JOIN message m ON m.id = q.message WHERE " RANGE("q.message") " GROUP BY 2, 3, 4",
    [RANKING_HELD] = "SELECT '', r.hold, 0, m.class, count(*) FROM recipient r INDEXED BY recipient_live"
                     " LEFT JOIN message m ON m.id = r.message"
                     " WHERE r.ending = 0 AND r.hold > 0 AND " RANGE("r.message") " GROUP BY 2, 4",
    [RANKING_INSIDE_HELD] = "SELECT ifnull(sender, ''), 0, 0, 0, count(*) FROM message WHERE " RANGE(
        "id") " AND direction = 1 AND instr(',' || signals, ',INSIDE_HELD=')"
              " AND node" COUNTED_HERE " GROUP BY 1",
};

struct gathering {
    struct arena *arena; /* of the texts */
    struct ranking_row *rows;
    size_t count;
    uint64_t all;
};

static int by_key(const void *a, const void *b)
{
    const struct ranking_row *x = a, *y = b;
    size_t least = x->name.length < y->name.length ? x->name.length : y->name.length;
    int order = least ? memcmp(x->name.at, y->name.at, least) : 0;
    if (order) return order;
    if (x->name.length != y->name.length) return x->name.length < y->name.length ? -1 : 1;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    if (x->held != y->held) return x->held < y->held ? -1 : 1;
    return x->found < y->found ? -1 : x->found > y->found;
}

static int by_count(const void *a, const void *b)
{
    const struct ranking_row *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return by_key(a, b);
}

static void rows_join(struct gathering *gathering)
{
    size_t kept = 0;
    if (gathering->count) qsort(gathering->rows, gathering->count, sizeof *gathering->rows, by_key);
    for (size_t i = 0; i < gathering->count; i++) {
        if (kept > 0 && by_key(&gathering->rows[kept - 1], &gathering->rows[i]) == 0)
            gathering->rows[kept - 1].count += gathering->rows[i].count;
        else
            gathering->rows[kept++] = gathering->rows[i];
    }
    gathering->count = kept;
    if (kept) qsort(gathering->rows, kept, sizeof *gathering->rows, by_count);
}

/* Makes room for as many again; what is left moves into a new arena. */
static void rows_forget(struct gathering *gathering)
{
    struct arena *arena = arena_new(0);
    rows_join(gathering);
    if (gathering->count > ROWS_MOST / 2) gathering->count = ROWS_MOST / 2;
    for (size_t i = 0; i < gathering->count; i++)
        gathering->rows[i].name = arena_text(arena, gathering->rows[i].name);
    arena_free(gathering->arena);
    gathering->arena = arena;
}

/* False: no room. */
static bool row_take(struct gathering *gathering, struct sql_statement *row)
{
    if (gathering->count == ROWS_MOST) return false;
    gathering->rows[gathering->count++] =
        (struct ranking_row){ .name = arena_text(gathering->arena, sql_get_text(row, 0)),
                              .code = (uint16_t)sql_get(row, 1),
                              .held = (uint8_t)sql_get(row, 2),
                              .found = (enum message_class)sql_get(row, 3),
                              .count = sql_get(row, 4) };
    gathering->all += sql_get(row, 4);
    return true;
}

/* One that is not done in its time, or finds no room, counts for nothing, and is asked for again in parts. */
static enum ledgerdb_outcome step_read(struct sql *sql, struct sql_statement *rows, uint64_t from_ms,
                                       uint64_t until_ms, struct gathering *gathering)
{
    enum ledgerdb_outcome outcome;
    if (gathering->count > ROWS_MOST / 2) rows_forget(gathering);
    size_t count = gathering->count;
    uint64_t all = gathering->all;
    sql_bind(rows, 1, from_ms << ID_SHIFT);
    sql_bind(rows, 2, until_ms << ID_SHIFT);
    sql_time_limit(sql, READER_STEP_MS);
    while ((outcome = sql_step(rows)) == LEDGERDB_ROW)
        if (!row_take(gathering, rows)) break;
    sql_reset(rows);
    if (outcome == LEDGERDB_DONE) return outcome;
    gathering->count = count;
    gathering->all = all;
    return outcome == LEDGERDB_ROW ? LEDGERDB_LATER : outcome;
}

static enum ledgerdb_outcome steps_read(struct sql *sql, struct sql_statement *rows, uint64_t from_ms,
                                        uint64_t until_ms, struct gathering *gathering)
{
    uint64_t step = STEP_MS;
    while (from_ms < until_ms) {
        uint64_t end = until_ms - from_ms < step ? until_ms : from_ms + step;
        enum ledgerdb_outcome outcome = step_read(sql, rows, from_ms, end, gathering);
        if (outcome == LEDGERDB_LATER && step > STEP_LEAST_MS)
            step /= 2;
        else if (outcome != LEDGERDB_DONE)
            return outcome;
        else
            from_ms = end;
    }
    return LEDGERDB_DONE;
}

enum ledgerdb_outcome ranking_read(struct ledgerdb_reader *ledgerdb, enum ranking ranking, uint64_t from_ms,
                                   uint64_t until_ms, size_t most, struct arena *arena,
                                   struct ranking_row **out, size_t *out_count, uint64_t *out_all)
{
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct sql_statement *rows = sql_prepare(sql, texts[ranking]);
    if (!rows) return sql_failure(sql);
    struct arena *own = arena_new(0);
    struct gathering gathering = { .arena = arena_new(0),
                                   .rows = arena_alloc_array(own, ROWS_MOST, sizeof *gathering.rows) };
    enum ledgerdb_outcome outcome = steps_read(sql, rows, from_ms, until_ms, &gathering);
    rows_join(&gathering);
    *out_count = most && gathering.count > most ? most : gathering.count;
    *out_all = gathering.all;
    *out = arena_alloc_array(arena, *out_count + 1, sizeof **out);
    for (size_t i = 0; i < *out_count; i++) {
        (*out)[i] = gathering.rows[i];
        (*out)[i].name = arena_text(arena, gathering.rows[i].name);
    }
    sql_drop(rows);
    arena_free(gathering.arena);
    arena_free(own);
    return outcome;
}
