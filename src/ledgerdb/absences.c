/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rows of the audit, walked from the oldest: what begins there and what ends. */
#include "ledgerdb/absences.h"

#include "judge/list_absence.h"
#include "ledgerdb/access_log.h"

enum { ROWS_MOST = 8192 };

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct walk {
    uint64_t from_ms, until_ms;
    struct absence *rows; /* until_ms 0: it goes on at this place of the walk */
    size_t count;
};

static struct absence *row_find(struct walk *walk, uint16_t node, struct text list)
{
    for (size_t i = 0; i < walk->count; i++)
        if (walk->rows[i].node == node && text_equal(walk->rows[i].list, list)) return &walk->rows[i];
    return NULL;
}

/* What of [since, until) lies in the time that was asked for; with none of it the row counts for nothing. */
static void row_end(const struct walk *walk, struct absence *row, uint64_t until_ms)
{
    uint64_t from = row->since_ms > walk->from_ms ? row->since_ms : walk->from_ms;
    uint64_t until = until_ms < walk->until_ms ? until_ms : walk->until_ms;
    if (row->until_ms != 0) return;
    row->until_ms = until_ms;
    if (until <= from) return;
    row->lasted_ms += until - from;
    row->times++;
}

static void row_begin(struct walk *walk, const struct look *look, struct text list, struct text why)
{
    struct absence *row = row_find(walk, look->node, list);
    if (!row && walk->count == ABSENCES_MOST) return;
    if (!row) {
        row = &walk->rows[walk->count++];
        *row = (struct absence){ .list = list, .node = look->node, .until_ms = 1 };
    }
    if (row->until_ms == 0) return; /* told again */
    row->since_ms = look->time_ms;
    row->until_ms = 0;
    row->why = why;
}

static void look_take(struct walk *walk, const struct look *look)
{
    enum list_absence_act act;
    struct text list, why;
    if (!list_absence_get(look->about, &act, &list, &why)) return;
    if (act == LIST_ABSENCE_BEGINS) row_begin(walk, look, list, why);
    for (size_t i = 0; act != LIST_ABSENCE_BEGINS && i < walk->count; i++) {
        struct absence *row = &walk->rows[i];
        bool is_it = act == LIST_ABSENCE_ALL_END || text_equal(row->list, list);
        if (row->node == look->node && is_it) row_end(walk, row, look->time_ms);
    }
}

/* What goes on is counted, and is said to go on. */
static void open_count(const struct walk *walk, uint64_t now_ms)
{
    for (size_t i = 0; i < walk->count; i++) {
        struct absence *row = &walk->rows[i];
        if (row->until_ms != 0) continue;
        row_end(walk, row, now_ms);
        row->until_ms = 0;
    }
}

enum ledgerdb_outcome absences_read(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t now_ms, struct arena *arena, struct absence **out,
                                    size_t *out_count)
{
    uint64_t back_ms = ABSENCES_BACK_DAYS * DAY_MS;
    const struct look_question question = { .from_ms = from_ms > back_ms ? from_ms - back_ms : 0,
                                            .until_ms = until_ms,
                                            .act = TEXT(LIST_ABSENCE_ACT),
                                            .most = ROWS_MOST };
    struct walk walk = { from_ms, until_ms, arena_alloc_array(arena, ABSENCES_MOST, sizeof *walk.rows), 0 };
    struct look *looks;
    size_t count, kept = 0;
    bool is_cut;
    enum ledgerdb_outcome outcome = looks_read(ledgerdb, &question, arena, &looks, &count, &is_cut);
    if (outcome != LEDGERDB_DONE) return outcome;
    while (count > 0) look_take(&walk, &looks[--count]);
    open_count(&walk, now_ms);
    for (size_t i = 0; i < walk.count; i++)
        if (walk.rows[i].times > 0) walk.rows[kept++] = walk.rows[i];
    *out = walk.rows;
    *out_count = kept;
    return outcome;
}
