/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Table colleague. Called by accepted.c, purge.c and ledger. */
#include "ledgerdb/colleagues.h"

#include <stdlib.h>

enum colleague_statement { SEE, COUNT_OF_ADDRESS, COUNT, COUNT_FIRST, ADD, COLLEAGUE_STATEMENTS };

static const char *const texts[COLLEAGUE_STATEMENTS] = {
    [SEE] =
        "UPDATE colleague SET mails = mails + 1, days = days + (last_day < ?3), last_day = max(last_day, ?3)"
        " WHERE address = ?1 AND name = ?2",
    [COUNT_OF_ADDRESS] = "SELECT count(*) FROM colleague WHERE address = ?1",
    [COUNT] = "SELECT count(*) FROM colleague",
    [COUNT_FIRST] = "SELECT count(*) FROM colleague WHERE first_day = ?1",
    [ADD] = "INSERT INTO colleague(address, name, first_day, last_day, days, mails, barred)"
            " VALUES(?1, ?2, ?3, ?3, 1, 1, 0)",
};

struct colleagues {
    struct sql *sql;
    struct sql_statement *statements[COLLEAGUE_STATEMENTS];
};

struct colleagues *colleagues_new(struct sql *sql)
{
    struct colleagues *colleagues = memory_alloc(sizeof *colleagues);
    bool is_good = true;
    colleagues->sql = sql;
    for (int i = 0; i < COLLEAGUE_STATEMENTS; i++) {
        colleagues->statements[i] = sql_prepare(sql, texts[i]);
        is_good = is_good && colleagues->statements[i];
    }
    if (is_good) return colleagues;
    colleagues_free(colleagues);
    return NULL;
}

void colleagues_free(struct colleagues *colleagues)
{
    if (!colleagues) return;
    for (int i = 0; i < COLLEAGUE_STATEMENTS; i++) sql_drop(colleagues->statements[i]);
    free(colleagues);
}

/* --- who wrote --- */

bool colleagues_author(struct text author, struct text *out_name, struct text *out_address)
{
    author = text_trim(author);
    size_t open = text_find_last_char(author, '<');
    if (!text_ends(author, TEXT(">")) || open == author.length) return false;
    struct text name = text_trim(text_slice(author, 0, open));
    struct text address = text_trim(text_slice(author, open + 1, author.length - 1));
    if (name.length >= 2 && text_starts(name, TEXT("\"")) && text_ends(name, TEXT("\"")))
        name = text_trim(text_slice(name, 1, name.length - 1));
    *out_name = name;
    *out_address = address;
    /* An address within what stands before is another mailbox, or a name that spells one. */
    return name.length > 0 && text_find_char(name, '@') == name.length &&
           text_find_char(name, '\0') == name.length && text_find_char(address, '@') < address.length;
}

/* --- seeing --- */

static enum ledgerdb_outcome number_ask(struct colleagues *colleagues, enum colleague_statement which,
                                        uint64_t *out)
{
    struct sql_statement *question = colleagues->statements[which];
    enum ledgerdb_outcome outcome = sql_step(question);
    *out = outcome == LEDGERDB_ROW ? sql_get(question, 0) : UINT64_MAX;
    sql_reset(question);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

/* What costs least is asked first: an address that has its names is the rule. */
static enum ledgerdb_outcome room_look(struct colleagues *colleagues, struct text address, uint32_t day,
                                       bool *out)
{
    uint64_t of_address, all, of_day;
    *out = false;
    sql_bind_text(colleagues->statements[COUNT_OF_ADDRESS], 1, address);
    enum ledgerdb_outcome outcome = number_ask(colleagues, COUNT_OF_ADDRESS, &of_address);
    if (outcome != LEDGERDB_DONE || of_address >= COLLEAGUE_NAMES_MOST) return outcome;
    outcome = number_ask(colleagues, COUNT, &all);
    if (outcome != LEDGERDB_DONE || all >= COLLEAGUE_MOST) return outcome;
    sql_bind(colleagues->statements[COUNT_FIRST], 1, day);
    outcome = number_ask(colleagues, COUNT_FIRST, &of_day);
    *out = outcome == LEDGERDB_DONE && of_day < COLLEAGUE_NEW_A_DAY;
    return outcome;
}

static enum ledgerdb_outcome pair_do(struct colleagues *colleagues, enum colleague_statement which,
                                     struct text name, struct text address, uint32_t day)
{
    struct sql_statement *statement = colleagues->statements[which];
    sql_bind_text(statement, 1, address);
    sql_bind_text(statement, 2, name);
    sql_bind(statement, 3, day);
    return sql_do(statement);
}

enum ledgerdb_outcome colleagues_see(struct colleagues *colleagues, struct text name, struct text address,
                                     uint32_t day)
{
    bool has_room = false;
    enum ledgerdb_outcome outcome = pair_do(colleagues, SEE, name, address, day);
    if (outcome != LEDGERDB_DONE || sql_changes(colleagues->sql) > 0) return outcome;
    outcome = room_look(colleagues, address, day, &has_room);
    if (outcome != LEDGERDB_DONE || !has_room) return outcome;
    return pair_do(colleagues, ADD, name, address, day);
}

/* --- reading, barring, forgetting --- */

enum ledgerdb_outcome colleagues_read(struct sql *sql, struct arena *arena, struct colleague **out,
                                      size_t *out_count)
{
    enum ledgerdb_outcome outcome;
    struct sql_statement *rows = sql_prepare(
        sql, "SELECT address, name, first_day, last_day, days, mails, barred FROM colleague ORDER BY address,"
             " name LIMIT ?1");
    *out_count = 0;
    *out = arena_alloc_array(arena, COLLEAGUE_MOST, sizeof **out);
    if (!rows) return sql_failure(sql);
    sql_bind(rows, 1, COLLEAGUE_MOST);
    while ((outcome = sql_step(rows)) == LEDGERDB_ROW && *out_count < COLLEAGUE_MOST) {
        struct colleague *one = &(*out)[(*out_count)++];
        *one = (struct colleague){ .address = arena_text(arena, sql_get_text(rows, 0)),
                                   .name = arena_text(arena, sql_get_text(rows, 1)),
                                   .first_day = (uint32_t)sql_get(rows, 2),
                                   .last_day = (uint32_t)sql_get(rows, 3),
                                   .days = (uint32_t)sql_get(rows, 4),
                                   .mails = sql_get(rows, 5),
                                   .is_barred = sql_get(rows, 6) != 0 };
        one->is_settled =
            !one->is_barred && one->days >= COLLEAGUE_SETTLED_DAYS && one->mails >= COLLEAGUE_SETTLED_MAILS;
    }
    sql_drop(rows);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome colleagues_bar(struct sql *sql, struct text what, unsigned *out_rows)
{
    struct sql_statement *bar =
        sql_prepare(sql, "UPDATE colleague SET barred = 1 WHERE barred = 0 AND (address = ?1 OR name = ?1)");
    *out_rows = 0;
    if (!bar) return sql_failure(sql);
    sql_bind_text(bar, 1, what);
    enum ledgerdb_outcome outcome = sql_do(bar);
    if (outcome == LEDGERDB_DONE) *out_rows = sql_changes(sql);
    sql_drop(bar);
    return outcome;
}

enum ledgerdb_outcome colleagues_forget(struct sql *sql, uint32_t today, unsigned most, unsigned *out_rows)
{
    struct sql_statement *drop = sql_prepare(
        sql, "DELETE FROM colleague WHERE (address, name) IN (SELECT address, name FROM colleague WHERE"
             " last_day < ?1 OR last_day < ?2 AND (days < 3 OR mails < 5) LIMIT ?3)");
    _Static_assert(COLLEAGUE_SETTLED_DAYS == 3 && COLLEAGUE_SETTLED_MAILS == 5, "they stand in the question");
    *out_rows = 0;
    if (!drop) return sql_failure(sql);
    sql_bind(drop, 1, today > COLLEAGUE_KEPT_DAYS ? today - COLLEAGUE_KEPT_DAYS : 0);
    sql_bind(drop, 2, today > COLLEAGUE_NEW_KEPT_DAYS ? today - COLLEAGUE_NEW_KEPT_DAYS : 0);
    sql_bind(drop, 3, most);
    enum ledgerdb_outcome outcome = sql_do(drop);
    if (outcome == LEDGERDB_DONE) *out_rows = sql_changes(sql);
    sql_drop(drop);
    return outcome;
}
