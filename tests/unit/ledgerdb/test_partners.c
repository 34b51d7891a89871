/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: who sent a message is kept with it, counted once, and by name only as far as there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "ledgerdb/database.h"
#include "ledgerdb/partners.h"
#include "ledgerdb/purge.h"
#include "ledgerdb/search.h"
#include "scratch.h"

#define DAY_MS UINT64_C(86400000)
#define START_MS UINT64_C(1790000000000) /* 2026-09-21 23:13:20 in Japan */

struct fixture {
    char folder[SCRATCH_FOLDER_BYTES];
    struct database *database;
    struct ledgerdb_reader *reader;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct buffer why = { 0 };
    scratch_open(fixture->folder, &fixture->database);
    assert_int_equal(ledgerdb_open(fixture->folder, &fixture->reader, &why), LEDGERDB_DONE);
    fixture->arena = arena_new(0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ledgerdb_close(fixture->reader);
    scratch_close(fixture->folder, fixture->database);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static struct proof proof_of(const char *domain, enum proof_fate fate)
{
    return (struct proof){ .is_made = true,
                           .spf = PROOF_SOFTFAIL,
                           .dkim = PROOF_NONE,
                           .dmarc = fate == FATE_PASSED ? PROOF_PASS : PROOF_FAIL,
                           .arc = PROOF_NONE,
                           .demand = PROOF_ASKS_REJECT,
                           .excuse = fate == FATE_EXCUSED ? PROOF_FORWARDER : PROOF_NO_EXCUSE,
                           .fate = fate,
                           .author = text_of(domain),
                           .spf_domain = TEXT("bounces.test"),
                           .excuse_of = fate == FATE_EXCUSED ? TEXT("lists.test") : TEXT_NONE };
}

static void tell(struct fixture *fixture, uint64_t number, uint64_t time_ms, const char *domain,
                 enum proof_fate fate)
{
    struct event_recipient recipient = { .address = TEXT("x@example.jp") };
    struct event_accepted event = { .id = (time_ms + number) << 22,
                                    .time_ms = time_ms,
                                    .size = 100,
                                    .sender = TEXT("a@bounces.test"),
                                    .judgement = { .is_judged = true, .proof = proof_of(domain, fate) },
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
}

static void begin(struct fixture *fixture)
{
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
}

static void commit(struct fixture *fixture)
{
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

static const char *sums_of(struct fixture *fixture)
{
    struct sum_row *rows;
    size_t count;
    struct text all = TEXT("");
    struct sum_question question = {
        .node = -1, .direction = -1, .kinds = sum_bit(SUM_AUTH), .by = SUM_BY_NAME
    };
    assert_int_equal(ledgerdb_sums(fixture->reader, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
    for (size_t i = 0; i < count; i++)
        all = arena_printf(fixture->arena, "%.*s%s%.*s %llu", TEXT_ARG(all), i ? "; " : "",
                           TEXT_ARG(rows[i].name), (unsigned long long)rows[i].messages);
    return arena_printf(fixture->arena, "%.*s", TEXT_ARG(all)).at;
}

static int64_t number(struct fixture *fixture, const char *question)
{
    int64_t value = -1;
    assert_int_equal(sql_number(ledgerdb_sql(fixture->reader), question, &value), LEDGERDB_DONE);
    return value;
}

static void kept_with_the_message(void **state)
{
    struct fixture *fixture = *state;
    struct search_result result;
    struct event_refused refused = { .time_ms = START_MS,
                                     .id = START_MS << 22 | 7,
                                     .serial = START_MS << 22 | 8,
                                     .code = 550,
                                     .stage = STAGE_CONTENT,
                                     .is_message = true,
                                     .recipient = TEXT("x@example.jp"),
                                     .judgement = { .is_judged = true,
                                                    .proof = proof_of("forged.test", FATE_UNSIGNED) } };
    begin(fixture);
    for (int i = 0; i < 2; i++) { /* told twice it is one */
        tell(fixture, 1, START_MS, "list.test", FATE_EXCUSED);
        assert_int_equal(database_store_refused(fixture->database, &refused, 0, 0), LEDGERDB_DONE);
    }
    commit(fixture);
    struct search_question question = { .class = -1, .most = 5 };
    assert_int_equal(search_run(fixture->reader, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 2);
    const struct proof *message = &result.hits[0].proof, *refusal = &result.hits[1].proof;
    if (result.hits[0].is_refusal) {
        message = &result.hits[1].proof;
        refusal = &result.hits[0].proof;
    }
    assert_true(message->is_made && message->spf == PROOF_SOFTFAIL && message->dmarc == PROOF_FAIL);
    assert_true(message->demand == PROOF_ASKS_REJECT && message->excuse == PROOF_FORWARDER);
    assert_true(text_equal(message->author, TEXT("list.test")));
    assert_true(text_equal(message->spf_domain, TEXT("bounces.test")));
    assert_true(text_equal(message->excuse_of, TEXT("lists.test")));
    assert_true(refusal->is_made && refusal->fate == FATE_UNSIGNED && refusal->excuse_of.length == 0);
    assert_string_equal(sums_of(fixture),
                        "arc=none 2; dkim=none 2; dmarc=fail 2; excuse=forwarder 1; spf=softfail 2");
    assert_int_equal(number(fixture, "SELECT sum(messages) FROM partner"), 2);

    unsigned rows = 1;
    struct forget_limits limits = { .refusals_ms = START_MS + DAY_MS };
    for (int i = 0; i < 100 && rows; i++)
        assert_int_equal(forget_some(fixture->database, &limits, 2, &rows), LEDGERDB_DONE);
    assert_int_equal(number(fixture, "SELECT count(*) FROM proof"), 1);
}

/* Strangers choose the names. */
static void names_have_room_for_so_many(void **state)
{
    struct fixture *fixture = *state;
    char name[32];
    begin(fixture);
    tell(fixture, 1, START_MS - DAY_MS, "partner.test", FATE_PASSED);
    commit(fixture);
    for (int batch = 0; batch < 4; batch++) { /* the room is the same over transactions */
        begin(fixture);
        for (int i = 0; i < PARTNERS_MOST / 2; i++) {
            int at = batch * PARTNERS_MOST / 2 + i;
            snprintf(name, sizeof name, "stranger%d.test", at);
            tell(fixture, 10 + (uint64_t)at, START_MS, name, FATE_UNMARKED);
        }
        commit(fixture);
    }
    begin(fixture);
    tell(fixture, 9000, START_MS, "partner.test", FATE_BROKEN); /* it passed before */
    tell(fixture, 9001, START_MS, "partner.test", FATE_BROKEN);
    tell(fixture, 9002, START_MS, "", FATE_UNSIGNED); /* a From without a domain */
    database_rollback(fixture->database);
    begin(fixture);
    for (uint64_t i = 0; i < 3; i++) tell(fixture, 9000 + i, START_MS, "partner.test", FATE_BROKEN);
    commit(fixture);
    assert_int_equal(number(fixture, "SELECT count(DISTINCT domain) FROM partner WHERE day = 20260921"),
                     PARTNERS_MOST + 2);
    assert_int_equal(number(fixture, "SELECT messages FROM partner WHERE domain = '' AND day = 20260921"),
                     PARTNERS_MOST);

    struct partner_row *rows;
    size_t count;
    struct partner_question question = { 20260921, 20260921, 20260822, false, 2 };
    assert_int_equal(partners_failing(fixture->reader, &question, fixture->arena, &rows, &count),
                     LEDGERDB_DONE);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].domain.length, 0); /* those that found no room, together */
    assert_int_equal(rows[0].failed, PARTNERS_MOST);
    assert_true(text_equal(rows[1].domain, TEXT("partner.test")));
    assert_int_equal(rows[1].count[FATE_BROKEN], 3);
    assert_int_equal(rows[1].passed_before, 1);
    assert_int_equal(rows[1].failed_before, 0);
    question.is_of_known = true;
    assert_int_equal(partners_failing(fixture->reader, &question, fixture->arena, &rows, &count),
                     LEDGERDB_DONE);
    assert_int_equal(count, 1);
    assert_true(text_equal(rows[0].domain, TEXT("partner.test")));
}

static void days_go(void **state)
{
    struct fixture *fixture = *state;
    unsigned rows = 1;
    begin(fixture);
    for (uint64_t i = 0; i < 5; i++)
        tell(fixture, i + 1, START_MS - i * 20 * DAY_MS, "a.test", i % 2 ? FATE_PASSED : FATE_FOREIGN);
    commit(fixture);
    struct config config = { 0 };
    struct forget_limits limits = forget_limits_of(&config, START_MS, 0);
    for (int i = 0; i < 100 && rows; i++)
        assert_int_equal(forget_some(fixture->database, &limits, 2, &rows), LEDGERDB_DONE);
    assert_int_equal(number(fixture, "SELECT count(*) FROM partner"), 4);
    assert_int_equal(number(fixture, "SELECT count(*) FROM proof"), 5);
}

/* What an older version kept is read as nobody having asked. */
static void from_version_8(void **state)
{
    struct fixture *fixture = *state;
    char text[300];
    struct buffer why = { 0 };
    struct search_result result;
    ledgerdb_close(fixture->reader);
    database_close(fixture->database);
    struct sql *sql = scratch_of_version(fixture->folder, 8);
    snprintf(text, sizeof text,
             "INSERT INTO message(id, time, direction, own, class, score) VALUES(%llu, %llu, 0, 0, 0, 1.5)",
             (unsigned long long)START_MS << 22, (unsigned long long)START_MS);
    assert_int_equal(sql_run(sql, text), LEDGERDB_DONE);
    sql_close(sql);
    scratch_reopen(fixture->folder, &fixture->database);
    assert_int_equal(ledgerdb_open(fixture->folder, &fixture->reader, &why), LEDGERDB_DONE);
    struct search_question question = { .class = -1, .most = 5 };
    assert_int_equal(search_run(fixture->reader, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 1);
    assert_false(result.hits[0].proof.is_made);
    assert_true(result.hits[0].is_judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kept_with_the_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_have_room_for_so_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_version_8, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
