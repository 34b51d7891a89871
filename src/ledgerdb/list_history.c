/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Table list: id, domain, first and last day, on how many days (up to LIST_SETTLED_DAYS). Called by
   accepted.c, purge.c and ledger. */
#include "ledgerdb/list_history.h"

#include <stdlib.h>
#include <string.h>

enum list_statement { FIND, COUNT_FIRST, COUNT_SETTLED, DROP_SILENT, ADD, SEE, RENEW, LIST_STATEMENTS };

static const char *const texts[LIST_STATEMENTS] = {
    [FIND] = "SELECT last_day, days FROM list WHERE id = ?1 AND domain = ?2",
    [COUNT_FIRST] = "SELECT count(*) FROM list WHERE first_day = ?1",
    [COUNT_SETTLED] = "SELECT count(*) FROM list WHERE (days >= 5) = ?1",
    [DROP_SILENT] =
        "DELETE FROM list WHERE (id, domain) = (SELECT id, domain FROM list WHERE (days >= 5) = ?1"
        " AND last_day < ?2 ORDER BY last_day LIMIT 1)",
    [ADD] = "INSERT INTO list(id, domain, first_day, last_day, days) VALUES(?1, ?2, ?3, ?3, 1)",
    [RENEW] = "UPDATE list SET first_day = ?3, last_day = ?3, days = 1 WHERE id = ?1 AND domain = ?2",
    [SEE] = "UPDATE list SET last_day = ?3, days = ?4 WHERE id = ?1 AND domain = ?2",
};
_Static_assert(LIST_SETTLED_DAYS == 5, "the number stands in the table's index, too");

enum counted { UNSETTLED, SETTLED, OF_DAY, COUNTED };

/* Rows as the transaction under way has them. */
struct count {
    bool is_known;
    uint64_t about, rows;
};

struct list_history {
    struct sql *sql;
    struct count counts[COUNTED];
    struct sql_statement *statements[LIST_STATEMENTS];
};

struct list_history *list_history_new(struct sql *sql)
{
    struct list_history *history = memory_alloc(sizeof *history);
    bool is_good = true;
    history->sql = sql;
    for (int i = 0; i < LIST_STATEMENTS; i++) {
        history->statements[i] = sql_prepare(sql, texts[i]);
        is_good = is_good && history->statements[i];
    }
    if (is_good) return history;
    list_history_free(history);
    return NULL;
}

void list_history_free(struct list_history *history)
{
    if (!history) return;
    for (int i = 0; i < LIST_STATEMENTS; i++) sql_drop(history->statements[i]);
    free(history);
}

/* --- room --- */

void list_history_begin(struct list_history *history)
{
    memset(history->counts, 0, sizeof history->counts);
}

/* Asked once in a transaction for each `about`. */
static enum ledgerdb_outcome count_look(struct list_history *history, enum counted which, uint64_t about)
{
    struct count *count = &history->counts[which];
    struct sql_statement *question = history->statements[which == OF_DAY ? COUNT_FIRST : COUNT_SETTLED];
    if (count->is_known && count->about == about) return LEDGERDB_DONE;
    sql_bind(question, 1, about);
    enum ledgerdb_outcome outcome = sql_step(question);
    *count = (struct count){ outcome == LEDGERDB_ROW, about, 0 };
    if (count->is_known) count->rows = sql_get(question, 0);
    sql_reset(question);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

/* *out: there is room for one more that is settled, or is not. It may have been made by the row that was
   silent longest, last seen before `silent_since`. */
static enum ledgerdb_outcome room_make(struct list_history *history, enum counted which, uint64_t most,
                                       uint32_t silent_since, bool *out)
{
    struct sql_statement *drop = history->statements[DROP_SILENT];
    enum ledgerdb_outcome outcome = count_look(history, which, which == SETTLED);
    *out = outcome == LEDGERDB_DONE && history->counts[which].rows < most;
    if (outcome != LEDGERDB_DONE || *out) return outcome;
    sql_bind(drop, 1, which == SETTLED);
    sql_bind(drop, 2, silent_since);
    outcome = sql_do(drop);
    *out = outcome == LEDGERDB_DONE && sql_changes(history->sql) > 0;
    if (*out) history->counts[which].rows--;
    return outcome;
}

/* --- seeing --- */

static enum ledgerdb_outcome pair_add(struct list_history *history, struct text id, struct text domain,
                                      uint32_t day)
{
    bool has_room = false;
    enum ledgerdb_outcome outcome = count_look(history, OF_DAY, day);
    if (outcome == LEDGERDB_DONE && history->counts[OF_DAY].rows < LIST_NEW_A_DAY)
        outcome = room_make(history, UNSETTLED, LIST_NEW_MOST, day, &has_room);
    if (outcome != LEDGERDB_DONE || !has_room) return outcome;
    history->counts[OF_DAY].rows++;
    history->counts[UNSETTLED].rows++;
    struct sql_statement *add = history->statements[ADD];
    sql_bind_text(add, 1, id);
    sql_bind_text(add, 2, domain);
    sql_bind(add, 3, day);
    return sql_do(add);
}

/* One more day. It becomes settled only where there is room. */
static enum ledgerdb_outcome pair_see(struct list_history *history, struct text id, struct text domain,
                                      uint32_t day, uint64_t days)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    bool settles = days == LIST_SETTLED_DAYS - 1, has_room = days < LIST_SETTLED_DAYS;
    uint32_t silent_since = day > LIST_SILENT_DAYS ? day - LIST_SILENT_DAYS : 0;
    if (settles) outcome = room_make(history, SETTLED, LIST_SETTLED_MOST, silent_since, &has_room);
    if (outcome != LEDGERDB_DONE) return outcome;
    if (settles && has_room) history->counts[SETTLED].rows++;
    if (settles && has_room && history->counts[UNSETTLED].is_known) history->counts[UNSETTLED].rows--;
    struct sql_statement *see = history->statements[SEE];
    sql_bind_text(see, 1, id);
    sql_bind_text(see, 2, domain);
    sql_bind(see, 3, day);
    sql_bind(see, 4, has_room ? days + 1 : days);
    return sql_do(see);
}

/* Begins anew: it was silent for so long that it should be forgotten, or the clock was ahead. */
static enum ledgerdb_outcome pair_renew(struct list_history *history, struct text id, struct text domain,
                                        uint32_t day)
{
    struct sql_statement *renew = history->statements[RENEW];
    sql_bind_text(renew, 1, id);
    sql_bind_text(renew, 2, domain);
    sql_bind(renew, 3, day);
    return sql_do(renew);
}

enum ledgerdb_outcome list_history_see(struct list_history *history, struct text id, struct text domain,
                                       uint32_t day)
{
    struct sql_statement *find = history->statements[FIND];
    sql_bind_text(find, 1, id);
    sql_bind_text(find, 2, domain);
    enum ledgerdb_outcome outcome = sql_step(find);
    bool is_there = outcome == LEDGERDB_ROW;
    uint64_t last_day = is_there ? sql_get(find, 0) : 0, days = is_there ? sql_get(find, 1) : 0;
    sql_reset(find);
    if (outcome == LEDGERDB_DONE) return pair_add(history, id, domain, day);
    bool is_stale = last_day > (uint64_t)day + 1 || last_day + LIST_NEW_KEPT_DAYS < day;
    if (is_there && days < LIST_SETTLED_DAYS && is_stale) return pair_renew(history, id, domain, day);
    if (!is_there || last_day >= day) return is_there ? LEDGERDB_DONE : outcome;
    return pair_see(history, id, domain, day, days);
}

/* --- reading and forgetting --- */

enum ledgerdb_outcome list_history_known(struct sql *sql, uint32_t until_day, struct arena *arena,
                                         struct list_pair **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome;
    struct sql_statement *rows =
        sql_prepare(sql, "SELECT id, domain FROM list WHERE (days >= 5) = 1 AND first_day <= ?1 LIMIT ?2");
    *out_count = 0;
    *out = arena_alloc_array(arena, LIST_SETTLED_MOST, sizeof **out);
    if (!rows) return sql_failure(sql);
    sql_bind(rows, 1, until_day);
    sql_bind(rows, 2, LIST_SETTLED_MOST);
    while ((outcome = sql_step(rows)) == LEDGERDB_ROW && *out_count < LIST_SETTLED_MOST)
        (*out)[(*out_count)++] = (struct list_pair){ arena_text(arena, sql_get_text(rows, 0)),
                                                     arena_text(arena, sql_get_text(rows, 1)) };
    sql_drop(rows);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome list_history_forget(struct sql *sql, uint32_t today, unsigned most, unsigned *out_rows)
{
    struct sql_statement *statement =
        sql_prepare(sql, "DELETE FROM list WHERE (id, domain) IN (SELECT id, domain FROM list WHERE"
                         " (days >= 5) = 0 AND last_day < ?1 OR (days >= 5) = 1 AND last_day < ?2 LIMIT ?3)");
    *out_rows = 0;
    if (!statement) return sql_failure(sql);
    sql_bind(statement, 1, today > LIST_NEW_KEPT_DAYS ? today - LIST_NEW_KEPT_DAYS : 0);
    sql_bind(statement, 2, today > LIST_SETTLED_KEPT_DAYS ? today - LIST_SETTLED_KEPT_DAYS : 0);
    sql_bind(statement, 3, most);
    enum ledgerdb_outcome outcome = sql_do(statement);
    if (outcome == LEDGERDB_DONE) *out_rows = sql_changes(sql);
    sql_drop(statement);
    return outcome;
}
