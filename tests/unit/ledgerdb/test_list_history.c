/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a mailing list is known when it sent good mail on several days for long, under one domain; whatever
   strangers send, the table stays small, and a list that is known and alive stays in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/fingerprint_page.h"
#include "ledgerdb/database.h"
#include "ledgerdb/list_history.h"
#include "ledgerdb/purge.h"
#include "scratch.h"

#define DAY_MS UINT64_C(86400000)
enum { FIRST_DAY = 20000 };

struct fixture {
    char folder[SCRATCH_FOLDER_BYTES], path[96];
    struct sql *sql; /* a second connection, to look and to prepare; the tables are there */
    struct database *database;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct buffer why = { 0 };
    scratch_open(fixture->folder, &fixture->database);
    snprintf(fixture->path, sizeof fixture->path, "%s/ledger.db", fixture->folder);
    assert_int_equal(sql_open(fixture->path, true, &fixture->sql, &why), LEDGERDB_DONE);
    fixture->arena = arena_new(0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sql_close(fixture->sql);
    scratch_close(fixture->folder, fixture->database);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static int64_t number(struct fixture *fixture, const char *question)
{
    int64_t value = -1;
    assert_int_equal(sql_number(fixture->sql, question, &value), LEDGERDB_DONE);
    return value;
}

static void run(struct fixture *fixture, const char *text)
{
    assert_int_equal(sql_run(fixture->sql, text), LEDGERDB_DONE);
}

static struct event_accepted post_of(uint64_t id, const struct event_recipient *recipient)
{
    return (struct event_accepted){ .id = id << 22,
                                    .time_ms = id,
                                    .direction = DIRECTION_IN,
                                    .judgement = { .is_judged = true,
                                                   .proof = { .is_made = true,
                                                              .list = TEXT("tech.lists.test"),
                                                              .list_domain = TEXT("lists.test") } },
                                    .recipient_count = 1,
                                    .recipients = recipient };
}

static void store(struct fixture *fixture, const struct event_accepted *event, uint32_t day)
{
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    database_set_today(fixture->database, day);
    assert_int_equal(database_store_accepted(fixture->database, event, 0), LEDGERDB_DONE);
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

static size_t known(struct fixture *fixture, uint32_t until_day, struct list_pair **out)
{
    size_t count;
    assert_int_equal(database_known_lists(fixture->database, until_day, fixture->arena, out, &count),
                     LEDGERDB_DONE);
    return count;
}

static void known_after_several_days(void **state)
{
    struct fixture *fixture = *state;
    struct event_recipient recipient = { .address = TEXT("x@example.jp") };
    struct list_pair *pairs;
    for (uint32_t day = 0; day < LIST_SETTLED_DAYS; day++) {
        assert_int_equal(known(fixture, FIRST_DAY + 100, &pairs), 0);
        for (uint32_t i = 0; i < 3; i++) { /* three a day, each told twice */
            struct event_accepted event = post_of(1000 * (day + 1) + i, &recipient);
            store(fixture, &event, FIRST_DAY + 7 * day);
            store(fixture, &event, FIRST_DAY + 7 * day + 1);
        }
    }
    assert_int_equal(known(fixture, FIRST_DAY - 1, &pairs), 0); /* not for long enough */
    assert_int_equal(known(fixture, FIRST_DAY, &pairs), 1);
    assert_true(text_equal(pairs[0].id, TEXT("tech.lists.test")) &&
                text_equal(pairs[0].domain, TEXT("lists.test")));

    struct event_accepted forged = post_of(90000, &recipient); /* the same id under another domain */
    forged.judgement.proof.list_domain = TEXT("evil.test");
    for (uint32_t i = 0; i < 9; i++, forged.id += 1 << 22) store(fixture, &forged, FIRST_DAY + 40 + i);
    assert_int_equal(known(fixture, FIRST_DAY, &pairs), 1);
    assert_true(text_equal(pairs[0].domain, TEXT("lists.test")));
    assert_int_equal(known(fixture, FIRST_DAY + 40, &pairs), 2);
    assert_int_equal(number(fixture, "SELECT max(days) FROM list"), LIST_SETTLED_DAYS);
}

static void mail_that_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct event_recipient recipient = { .address = TEXT("x@example.jp") };
    struct event_accepted events[6];
    for (uint64_t i = 0; i < 6; i++) events[i] = post_of(1000 + i, &recipient);
    events[0].direction = DIRECTION_OUT;
    events[1].is_own = 1;
    events[2].judgement.class = CLASS_SPAM;
    events[3].judgement.proof.demand = PROOF_ASKS_REJECT; /* taken in observe mode alone */
    events[4].judgement.proof.list = TEXT_NONE;
    for (int i = 0; i < 5; i++) store(fixture, &events[i], FIRST_DAY);
    store(fixture, &events[5], 0); /* another node's */
    assert_int_equal(number(fixture, "SELECT count(*) FROM list"), 0);
    events[3].id += 9 << 22;
    events[3].judgement.proof.excuse = PROOF_LIST;
    store(fixture, &events[3], FIRST_DAY);
    assert_int_equal(number(fixture, "SELECT count(*) FROM list"), 1);
}

/* A thousand new pairs a day for a month, and a list that is known, one that is new and weekly, among them.
 */
static void strangers_have_room_for_so_many(void **state)
{
    struct fixture *fixture = *state;
    struct list_history *history = list_history_new(fixture->sql);
    struct text domain = TEXT("lists.test");
    char id[32];
    run(fixture, "BEGIN");
    run(fixture, "INSERT INTO list VALUES('known.test', 'lists.test', 19000, 19999, 5)");
    for (uint32_t day = FIRST_DAY; day < FIRST_DAY + 30; day++) {
        list_history_begin(history);
        if ((day - FIRST_DAY) % 7 == 0)
            assert_int_equal(list_history_see(history, TEXT("weekly.test"), domain, day), LEDGERDB_DONE);
        for (int i = 0; i < 2 * LIST_NEW_A_DAY; i++) {
            snprintf(id, sizeof id, "stranger.d%u.n%d", day, i);
            assert_int_equal(list_history_see(history, text_of(id), domain, day), LEDGERDB_DONE);
        }
        int64_t rows = number(fixture, "SELECT count(*) FROM list");
        assert_true(rows <= LIST_NEW_MOST + 2 && rows <= (int64_t)(day - FIRST_DAY + 1) * LIST_NEW_A_DAY + 1);
    }
    run(fixture, "COMMIT");
    assert_int_equal(number(fixture, "SELECT count(*) FROM list WHERE days < 5"), LIST_NEW_MOST);
    assert_int_equal(number(fixture, "SELECT count(*) FROM list WHERE id = 'known.test'"), 1);
    assert_int_equal(number(fixture, "SELECT days FROM list WHERE id = 'weekly.test'"), 5);
    list_history_free(history);
}

/* The place of a settled list is free when it was silent for long, and not before. */
static void settled_ones_stay(void **state)
{
    struct fixture *fixture = *state;
    struct list_history *history = list_history_new(fixture->sql);
    run(fixture, "BEGIN");
    run(fixture, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 8192)"
                 " INSERT INTO list SELECT 'old' || i || '.test', 'lists.test', 19000, 19990, 5 FROM n");
    for (uint32_t day = 0; day < 40; day++) {
        assert_int_equal(list_history_see(history, TEXT("new.test"), TEXT("lists.test"), FIRST_DAY + day),
                         LEDGERDB_DONE);
        bool is_settled = number(fixture, "SELECT days FROM list WHERE id = 'new.test'") == 5;
        assert_int_equal(is_settled, FIRST_DAY + day - LIST_SILENT_DAYS > 19990);
    }
    run(fixture, "COMMIT");
    assert_int_equal(number(fixture, "SELECT count(*) FROM list WHERE days >= 5"), LIST_SETTLED_MOST);
    list_history_free(history);
}

static void silent_ones_go(void **state)
{
    struct fixture *fixture = *state;
    unsigned rows = 1;
    struct config config = { 0 };
    run(fixture, "INSERT INTO list VALUES('a.test', 'x', 1, 20000, 5), ('b.test', 'x', 1, 20001, 5),"
                 " ('c.test', 'x', 1, 20060, 4), ('d.test', 'x', 1, 20061, 4)");
    struct forget_limits limits = forget_limits_of(&config, DAY_MS * (20001 + LIST_SETTLED_KEPT_DAYS), 0);
    for (int i = 0; i < 100 && rows; i++)
        assert_int_equal(forget_some(fixture->database, &limits, 1, &rows), LEDGERDB_DONE);
    assert_int_equal(number(fixture, "SELECT count(*) FROM list"), 2);
    assert_int_equal(number(fixture, "SELECT count(*) FROM list WHERE id IN ('b.test', 'd.test')"), 2);
}

static void from_version_9(void **state)
{
    struct fixture *fixture = *state;
    struct list_pair *pairs;
    database_close(fixture->database);
    sql_close(fixture->sql);
    fixture->sql = scratch_of_version(fixture->folder, 9);
    scratch_reopen(fixture->folder, &fixture->database);
    assert_int_equal(known(fixture, FIRST_DAY, &pairs), 0);
}

/* --- the page that scan reads --- */

static void the_page(void **state)
{
    FILE *file = tmpfile();
    struct fingerprint items[3], other = fingerprint_of_list(TEXT("a"), TEXT("bc"));
    static const char *const ids[] = { "c.test", "a.test", "b.test" };
    assert_int_equal(ftruncate(fileno(file), FINGERPRINT_PAGE_BYTES), 0);
    struct fingerprint_page *writer = fingerprint_page_map(fileno(file), true),
                            *reader = fingerprint_page_map(fileno(file), false);
    for (int i = 0; i < 3; i++) items[i] = fingerprint_of_list(text_of(ids[i]), TEXT("lists.test"));
    assert_false(fingerprint_page_has(reader, items[0]) || fingerprint_page_has(NULL, items[0]));
    fingerprint_page_write(writer, items, 3);
    for (int i = 0; i < 3; i++)
        assert_true(fingerprint_page_has(reader, fingerprint_of_list(text_of(ids[i]), TEXT("lists.test"))));
    assert_false(fingerprint_page_has(reader, fingerprint_of_list(TEXT("a.test"), TEXT("evil.test"))));
    assert_false(memcmp(&other, &(struct fingerprint[]){ fingerprint_of_list(TEXT("ab"), TEXT("c")) },
                        sizeof other) == 0);
    fingerprint_page_write(writer, items, 1);
    assert_true(fingerprint_page_has(reader, items[0]) && !fingerprint_page_has(reader, items[1]));
    memset(writer, 0xff, FINGERPRINT_PAGE_BYTES); /* whatever stands in the file */
    assert_false(fingerprint_page_has(reader, items[0]));
    fingerprint_page_write(writer, NULL, 0);
    assert_false(fingerprint_page_has(reader, items[0]));
    fingerprint_page_unmap(writer);
    fingerprint_page_unmap(reader);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_after_several_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mail_that_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_have_room_for_so_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settled_ones_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_ones_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_version_9, set_up, tear_down),
        cmocka_unit_test(the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
