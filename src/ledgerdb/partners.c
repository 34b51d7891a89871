/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A row is a day, node, domain and fate. What a transaction adds is sorted and joined first. Called by
   pending.c and the report. */
#include "ledgerdb/partners.h"

#include <stdlib.h>

#include "base/arena.h"
#include "ipc/event.h"

struct addition {
    uint32_t day;
    uint16_t node;
    enum proof_fate fate;
    struct text domain;
    uint64_t messages;
};

struct partners {
    struct sql *sql;
    struct arena *arena; /* of the transaction */
    struct addition *items;
    size_t count, room;
    struct sql_statement *add, *has_name, *passed_before, *names;
    uint32_t day; /* of `known`; 0: not asked yet */
    uint16_t node;
    uint64_t known; /* names of that day and node */
};

struct partners *partners_new(struct sql *sql)
{
    struct partners *partners = memory_alloc(sizeof *partners);
    *partners = (struct partners){ .sql = sql, .arena = arena_new(0) };
    partners->add =
        sql_prepare(sql, "INSERT INTO partner(day, node, domain, fate, messages) VALUES(?1, ?2, ?3, ?4, ?5)"
                         " ON CONFLICT DO UPDATE SET messages = messages + excluded.messages");
    partners->has_name =
        sql_prepare(sql, "SELECT 1 FROM partner WHERE day = ?1 AND node = ?2 AND domain = ?3 LIMIT 1");
    partners->passed_before =
        sql_prepare(sql, "SELECT 1 FROM partner WHERE domain = ?1 AND fate = 1 AND day < ?2 LIMIT 1");
    partners->names = sql_prepare(
        sql, "SELECT count(DISTINCT domain) FROM partner WHERE day = ?1 AND node = ?2 AND domain <> ''");
    if (partners->add && partners->has_name && partners->passed_before && partners->names) return partners;
    partners_free(partners);
    return NULL;
}

void partners_free(struct partners *partners)
{
    if (!partners) return;
    sql_drop(partners->add);
    sql_drop(partners->has_name);
    sql_drop(partners->passed_before);
    sql_drop(partners->names);
    arena_free(partners->arena);
    free(partners->items);
    free(partners);
}

void partners_add(struct partners *partners, uint32_t day, uint16_t node, struct text domain,
                  enum proof_fate fate)
{
    if (fate == FATE_NONE) return;
    if (partners->count == partners->room) {
        partners->room = partners->room ? partners->room * 2 : 256;
        partners->items = memory_grow(partners->items, partners->room * sizeof *partners->items);
    }
    domain = arena_text(partners->arena, text_slice(domain, 0, PROOF_DOMAIN_MOST));
    partners->items[partners->count++] = (struct addition){ day, node, fate, domain, 1 };
}

void partners_drop(struct partners *partners)
{
    partners->count = 0;
    partners->day = 0;
    arena_reset(partners->arena);
}

/* --- writing --- */

static int addition_order(const void *a, const void *b)
{
    const struct addition *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (x->node != y->node) return x->node < y->node ? -1 : 1;
    int order = text_compare(x->domain, y->domain);
    return order ? order : (int)x->fate - (int)y->fate;
}

static void additions_join(struct partners *partners)
{
    size_t kept = 0;
    if (partners->count) qsort(partners->items, partners->count, sizeof *partners->items, addition_order);
    for (size_t i = 0; i < partners->count; i++) {
        if (kept > 0 && addition_order(&partners->items[kept - 1], &partners->items[i]) == 0)
            partners->items[kept - 1].messages += partners->items[i].messages;
        else
            partners->items[kept++] = partners->items[i];
    }
    partners->count = kept;
}

/* Runs a bound question; *out: it has a row, whose number is returned in `out_number` unless NULL. */
static enum ledgerdb_outcome ask(struct sql_statement *question, bool *out, uint64_t *out_number)
{
    enum ledgerdb_outcome outcome = sql_step(question);
    *out = outcome == LEDGERDB_ROW;
    if (*out && out_number) *out_number = sql_get(question, 0);
    sql_reset(question);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

/* How many names that day and node have. */
static enum ledgerdb_outcome names_count(struct partners *partners, const struct addition *addition)
{
    bool has_row;
    if (partners->day == addition->day && partners->node == addition->node) return LEDGERDB_DONE;
    sql_bind(partners->names, 1, addition->day);
    sql_bind(partners->names, 2, addition->node);
    enum ledgerdb_outcome outcome = ask(partners->names, &has_row, &partners->known);
    partners->day = addition->day;
    partners->node = addition->node;
    return outcome;
}

/* *out: the name may stand in a row. */
static enum ledgerdb_outcome name_admit(struct partners *partners, const struct addition *addition, bool *out)
{
    sql_bind(partners->has_name, 1, addition->day);
    sql_bind(partners->has_name, 2, addition->node);
    sql_bind_text(partners->has_name, 3, addition->domain);
    enum ledgerdb_outcome outcome = ask(partners->has_name, out, NULL);
    if (outcome != LEDGERDB_DONE || *out) return outcome;
    outcome = names_count(partners, addition);
    *out = partners->known < PARTNERS_MOST;
    if (outcome == LEDGERDB_DONE && !*out && partners->known < PARTNERS_KNOWN) {
        sql_bind_text(partners->passed_before, 1, addition->domain);
        sql_bind(partners->passed_before, 2, addition->day);
        outcome = ask(partners->passed_before, out, NULL);
    }
    if (*out) partners->known++;
    return outcome;
}

static enum ledgerdb_outcome addition_write(struct partners *partners, const struct addition *addition)
{
    bool has_name = false;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (addition->domain.length > 0) outcome = name_admit(partners, addition, &has_name);
    if (outcome != LEDGERDB_DONE) return outcome;
    sql_bind(partners->add, 1, addition->day);
    sql_bind(partners->add, 2, addition->node);
    if (has_name)
        sql_bind_text(partners->add, 3, addition->domain);
    else
        sql_bind_empty(partners->add, 3);
    sql_bind(partners->add, 4, (uint64_t)addition->fate);
    sql_bind(partners->add, 5, addition->messages);
    return sql_do(partners->add);
}

enum ledgerdb_outcome partners_write(struct partners *partners)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    additions_join(partners);
    for (size_t i = 0; i < partners->count && outcome == LEDGERDB_DONE; i++)
        outcome = addition_write(partners, &partners->items[i]);
    partners_drop(partners);
    return outcome;
}

/* --- reading --- */

/* ?1, ?2: the days; ?3: the first of those before; ?4: how many; ?5: 1: of
   those alone that passed before. A message that another node's edge handed on
   counts at the wall, as in sums. */
static const char failing_text[] =
    "WITH here AS (SELECT day >= ?1 AS is_now, domain, fate, messages FROM partner"
    "  WHERE day BETWEEN ?3 AND ?2 AND node NOT IN (SELECT number FROM node WHERE role = 1 AND NOT is_here)),"
    " bad AS (SELECT domain, sum(messages) AS failed FROM here WHERE is_now AND fate >= 3"
    "  AND (NOT ?5 OR domain IN (SELECT domain FROM here WHERE NOT is_now AND fate = 1)) GROUP BY 1 ORDER BY "
    "2 DESC, 1 LIMIT ?4)"
    " SELECT b.domain, b.failed, h.is_now, h.fate, sum(h.messages) FROM bad b JOIN here h"
    "  ON h.domain = b.domain GROUP BY 1, 2, 3, 4 ORDER BY 2 DESC, 1";

static void row_take(struct partner_row *row, struct sql_statement *at)
{
    uint64_t fate = sql_get(at, 3), messages = sql_get(at, 4);
    bool is_now = sql_get(at, 2) != 0;
    if (is_now && fate < FATE_COUNT) row->count[fate] += messages;
    if (!is_now && fate == FATE_PASSED) row->passed_before += messages;
    if (!is_now && fate > FATE_EXCUSED) row->failed_before += messages;
}

enum ledgerdb_outcome partners_failing(struct ledgerdb_reader *ledgerdb,
                                       const struct partner_question *question, struct arena *arena,
                                       struct partner_row **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome;
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct sql_statement *rows = sql_prepare(sql, failing_text);
    *out_count = 0;
    *out = arena_alloc_array(arena, question->most + 1, sizeof **out);
    if (!rows) return sql_failure(sql);
    sql_bind(rows, 1, question->from_day);
    sql_bind(rows, 2, question->until_day);
    sql_bind(rows, 3, question->before_day);
    sql_bind(rows, 4, question->most);
    sql_bind(rows, 5, question->is_of_known);
    sql_time_limit(sql, READER_STEP_MS);
    while ((outcome = sql_step(rows)) == LEDGERDB_ROW) {
        struct text domain = sql_get_text(rows, 0);
        struct partner_row *row = *out_count ? &(*out)[*out_count - 1] : NULL;
        if (!row || !text_equal(row->domain, domain)) {
            if (*out_count == question->most) break;
            row = &(*out)[(*out_count)++];
            *row = (struct partner_row){ .domain = arena_text(arena, domain), .failed = sql_get(rows, 1) };
        }
        row_take(row, rows);
    }
    sql_drop(rows);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome partners_days_passed(struct sql *sql, struct text domain, uint32_t before_day,
                                           uint32_t most, uint64_t *out)
{
    struct sql_statement *days =
        sql_prepare(sql, "SELECT DISTINCT day FROM partner WHERE domain = ?1 AND fate = 1 AND day < ?2"
                         " LIMIT ?3");
    enum ledgerdb_outcome outcome;
    *out = 0;
    if (!days) return sql_failure(sql);
    sql_bind_text(days, 1, text_slice(domain, 0, PROOF_DOMAIN_MOST));
    sql_bind(days, 2, before_day);
    sql_bind(days, 3, most);
    while ((outcome = sql_step(days)) == LEDGERDB_ROW) ++*out;
    sql_drop(days);
    return outcome;
}
