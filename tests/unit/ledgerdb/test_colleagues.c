/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: names of our own senders are learned from mail that they sent under their own address, only as far as
   there is room, and are kept, barred and forgotten as the header says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../config_text.h"
#include "ipc/ask_queue.h"
#include "ledgerdb/colleagues.h"
#include "scratch.h"

enum { TODAY = 20717 };

#define START_MS UINT64_C(1790000000000)

static void who_wrote(void **state)
{
    static const struct {
        const char *author, *name, *address; /* name NULL: nobody */
    } rows[] = {
        { "Sato Taro <sato@example.jp>", "Sato Taro", "sato@example.jp" },
        { " \"Sato, Taro\"  <sato@example.jp> ", "Sato, Taro", "sato@example.jp" },
        { "佐藤 太郎<sato@example.jp>", "佐藤 太郎", "sato@example.jp" },
        { "sato@example.jp", NULL, NULL },
        { "<sato@example.jp>", NULL, NULL },
        { "\"\" <sato@example.jp>", NULL, NULL },
        { "Sato Taro <sato>", NULL, NULL },
        { "Sato Taro <sato@example.j", NULL, NULL }, /* it was cut */
        { "a@example.jp, Sato Taro <sato@example.jp>", NULL, NULL },
        { "Dean <dean@example.jp> <sato@example.jp>", NULL, NULL },
        { "", NULL, NULL },
        { ">", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text name, address;
        bool is_found = colleagues_author(text_of(rows[i].author), &name, &address);
        assert_int_equal(is_found, rows[i].name != NULL);
        if (!is_found) continue;
        assert_true(text_equal(name, text_of(rows[i].name)));
        assert_true(text_equal(address, text_of(rows[i].address)));
    }
}

/* --- rows --- */

static void begin(struct scratch *fixture)
{
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
}

static void commit(struct scratch *fixture)
{
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

static struct colleague *all(struct scratch *fixture, size_t *out_count)
{
    struct colleague *rows;
    assert_int_equal(database_colleagues(fixture->database, fixture->arena, &rows, out_count), LEDGERDB_DONE);
    return rows;
}

struct sent {
    const char *author, *sender;
    uint8_t direction, action, hold;
    enum message_class class;
};

static void send_on(struct scratch *fixture, uint64_t number, const struct sent *sent)
{
    const struct event_recipient recipient = { TEXT("x@other.test"), sent->action, 0, sent->hold };
    const struct event_accepted event = {
        .id = (START_MS + number) << 22,
        .time_ms = START_MS + number,
        .direction = sent->direction,
        .sender = text_of(sent->sender),
        .judgement = { .is_judged = true, .class = sent->class, .author = text_of(sent->author) },
        .recipient_count = 1,
        .recipients = &recipient
    };
    begin(fixture);
    for (int i = 0; i < 2; i++) /* told twice it is one */
        assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
    commit(fixture);
}

static const char config_words[] =
    "role single\nhostname gate.example.jp\ndomains { example.jp 192.0.2.1 }\n";

static void what_is_learned(void **state)
{
    static const struct sent rows[] = {
        { "Sato Taro <Sato@example.jp>", "sato@example.jp", DIRECTION_OUT, 0, 0, CLASS_NONE },
        { "Sato Taro <sato@example.jp>", "other@example.jp", DIRECTION_OUT, 0, 0, CLASS_NONE },
        { "Sato Jiro <x@foreign.test>", "x@foreign.test", DIRECTION_OUT, 0, 0, CLASS_NONE },
        { "Sato Saburo <a@example.jp>", "a@example.jp", DIRECTION_IN, 0, 0, CLASS_NONE },
        { "Sato Shiro <b@example.jp>", "b@example.jp", DIRECTION_OUT, 0, 0, CLASS_SPAM },
        { "Sato Goro <c@example.jp>", "c@example.jp", DIRECTION_OUT, ACTION_QUARANTINE, HOLD_QUARANTINE,
          CLASS_NONE },
    };
    struct scratch *fixture = *state;
    struct config *config = config_of_text(text_of(config_words), false);
    size_t count;
    database_set_config(fixture->database, config);
    database_set_today(fixture->database, TODAY);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) send_on(fixture, i, &rows[i]);
    all(fixture, &count);
    assert_int_equal(count, 0); /* it is off */
    config->outside.learns_people = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) send_on(fixture, 100 + i, &rows[i]);
    struct colleague *rows_back = all(fixture, &count);
    assert_int_equal(count, 1);
    assert_true(text_equal(rows_back[0].address, TEXT("sato@example.jp")));
    assert_true(text_equal(rows_back[0].name, TEXT("Sato Taro")));
    assert_int_equal(rows_back[0].mails, 1);
    database_set_config(fixture->database, NULL);
    config_free(config);
}

static void see(struct colleagues *colleagues, const char *name, const char *address, uint32_t day)
{
    assert_int_equal(colleagues_see(colleagues, text_of(name), text_of(address), day), LEDGERDB_DONE);
}

static struct sql *connection(struct scratch *fixture)
{
    struct sql *sql;
    struct buffer why = { 0 };
    char path[SCRATCH_FOLDER_BYTES + 16];
    snprintf(path, sizeof path, "%s/ledger.db", fixture->folder);
    assert_int_equal(sql_open(path, true, &sql, &why), LEDGERDB_DONE);
    return sql;
}

static void settled_barred_and_forgotten(void **state)
{
    struct scratch *fixture = *state;
    struct sql *sql = connection(fixture);
    struct colleagues *colleagues = colleagues_new(sql);
    unsigned rows;
    size_t count;
    for (int mail = 0; mail < 9; mail++) see(colleagues, "Two Days", "two@example.jp", TODAY + mail % 2);
    for (int mail = 0; mail < 4; mail++) see(colleagues, "Four Mails", "four@example.jp", TODAY + mail);
    for (int mail = 0; mail < 5; mail++) see(colleagues, "Sato Taro", "sato@example.jp", TODAY + mail / 2);
    see(colleagues, "Sato Taro", "imitator@example.jp", TODAY);
    struct colleague *list = all(fixture, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list[i].is_settled, text_equal(list[i].address, TEXT("sato@example.jp")));
    assert_int_equal(colleagues_bar(sql, TEXT("Sato Taro"), &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 2);
    assert_int_equal(colleagues_bar(sql, TEXT("sato@example.jp"), &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 0);
    see(colleagues, "Sato Taro", "sato@example.jp", TODAY + 9);
    list = all(fixture, &count);
    for (size_t i = 0; i < count; i++) assert_false(list[i].is_settled); /* it stays barred */
    assert_int_equal(colleagues_forget(sql, TODAY + 34, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 3);
    assert_int_equal(colleagues_forget(sql, TODAY + 9 + COLLEAGUE_KEPT_DAYS, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 0);
    assert_int_equal(colleagues_forget(sql, TODAY + 10 + COLLEAGUE_KEPT_DAYS, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 1);
    colleagues_free(colleagues);
    sql_close(sql);
}

static void room_is_bounded(void **state)
{
    struct scratch *fixture = *state;
    struct sql *sql = connection(fixture);
    struct colleagues *colleagues = colleagues_new(sql);
    char name[32], address[32];
    size_t count;
    assert_int_equal(sql_run(sql, "BEGIN"), LEDGERDB_DONE);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "Name Number%d", i);
        see(colleagues, name, "many@example.jp", TODAY);
    }
    all(fixture, &count);
    for (int i = 0; i < COLLEAGUE_MOST + 100; i++) {
        snprintf(address, sizeof address, "a%d@example.jp", i);
        see(colleagues, "Some Body", address, TODAY + i / 100);
        if (i == 99) assert_int_equal(sql_changes(sql), 1);
    }
    assert_int_equal(sql_run(sql, "COMMIT"), LEDGERDB_DONE);
    all(fixture, &count);
    assert_int_equal(count, COLLEAGUE_MOST);
    unsigned rows;
    assert_int_equal(colleagues_bar(sql, TEXT("many@example.jp"), &rows), LEDGERDB_DONE);
    assert_int_equal(rows, COLLEAGUE_NAMES_MOST);
    assert_int_equal(sql_run(sql, "DELETE FROM colleague"), LEDGERDB_DONE);
    for (int i = 0; i < COLLEAGUE_NEW_A_DAY + 10; i++) {
        snprintf(address, sizeof address, "b%d@example.jp", i);
        see(colleagues, "Some Body", address, TODAY);
    }
    all(fixture, &count);
    assert_int_equal(count, COLLEAGUE_NEW_A_DAY);
    colleagues_free(colleagues);
    sql_close(sql);
}

/* A database of the version before gets the table, and keeps what it has. */
static void from_the_version_before(void **state)
{
    struct scratch *fixture = *state;
    size_t count;
    database_close(fixture->database);
    struct sql *old = scratch_of_version(fixture->folder, 12);
    assert_int_equal(sql_run(old, "INSERT INTO missed(digest, time, kind) VALUES(7, 7, 'spam')"),
                     LEDGERDB_DONE);
    sql_close(old);
    scratch_reopen(fixture->folder, &fixture->database);
    all(fixture, &count);
    assert_int_equal(count, 0);
    struct sql *sql = connection(fixture);
    int64_t number = 0;
    assert_int_equal(sql_number(sql, "SELECT count(*) FROM missed", &number), LEDGERDB_DONE);
    assert_int_equal(number, 1);
    sql_close(sql);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(who_wrote), TEST_OF(what_is_learned),
                                        TEST_OF(settled_barred_and_forgotten), TEST_OF(room_is_bounded),
                                        TEST_OF(from_the_version_before) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
