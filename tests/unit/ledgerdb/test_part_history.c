/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: whoever received a file before it was known to be infected is found, once for all copies that come
   afterwards; rows age, are bounded, and none are kept where none are wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledgerdb/held.h"
#include "ledgerdb/part_history.h"
#include "ledgerdb/purge.h"
#include "ledgerdb/search.h"
#include "scratch.h"

#define TIME(minutes) (UINT64_C(1790000000000) + (minutes)*UINT64_C(60000))

static int64_t number(struct scratch *fixture, const char *question)
{
    int64_t value = -1;
    assert_int_equal(sql_number(database_sql(fixture->database), question, &value), LEDGERDB_DONE);
    return value;
}

static struct part_digest part_of(uint8_t first, bool is_infected)
{
    return (struct part_digest){ .bytes = { first, 0, 0xFF }, .is_infected = is_infected };
}

/* One message to two recipients with one file, delivered to both where `is_delivered`. */
static void take(struct scratch *fixture, uint64_t minute, const struct part_digest *part,
                 enum message_class class, bool is_delivered)
{
    const struct event_recipient recipients[] = { { .address = TEXT("a@example.jp") },
                                                  { .address = TEXT("b@example.jp") } };
    struct event_accepted event = {
        .id = TIME(minute) << 22,
        .time_ms = TIME(minute),
        .judgement = { .is_judged = true, .class = class, .part_count = 1, .parts = part },
        .recipient_count = 2,
        .recipients = recipients
    };
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE); /* told twice */
    for (uint32_t i = 0; i < 2; i++) {
        struct event_ended ended = { .id = event.id,
                                     .time_ms = TIME(minute) + 1,
                                     .recipient = i,
                                     .ending = is_delivered ? ENDING_DELIVERED : ENDING_QUARANTINED };
        assert_int_equal(database_store_ended(fixture->database, &ended), LEDGERDB_DONE);
    }
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

static void refuse(struct scratch *fixture, uint64_t minute, const struct part_digest *part,
                   enum message_class class)
{
    struct event_refused event = { .time_ms = TIME(minute),
                                   .serial = TIME(minute) << 22,
                                   .code = 550,
                                   .stage = STAGE_CONTENT,
                                   .is_message = true,
                                   .count = 1,
                                   .recipient = TEXT("a@example.jp"),
                                   .judgement = { .is_judged = true,
                                                  .class = class,
                                                  .virus = TEXT("Worm.Test"),
                                                  .part_count = 1,
                                                  .parts = part } };
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_refused(fixture->database, &event, 0, 0), LEDGERDB_DONE);
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

static size_t receivers(struct scratch *fixture, size_t most, struct part_receiver **out, bool *out_is_cut)
{
    struct ledgerdb_reader *reader;
    struct buffer why = { 0 };
    size_t count;
    assert_int_equal(ledgerdb_open(fixture->folder, &reader, &why), LEDGERDB_DONE);
    assert_int_equal(
        part_history_receivers(reader, TIME(0), TIME(100000), most, fixture->arena, out, &count, out_is_cut),
        LEDGERDB_DONE);
    ledgerdb_close(reader);
    return count;
}

static void whoever_received_it_is_found(void **state)
{
    struct scratch *fixture = *state;
    struct part_receiver *list;
    bool is_cut;
    const struct part_digest clean = part_of(1, false), found = part_of(1, true), other = part_of(2, true);
    take(fixture, 1, &clean, CLASS_NONE, true);
    take(fixture, 2, &clean, CLASS_NONE, true);
    take(fixture, 3, &clean, CLASS_ENCRYPTED, false); /* it went into the quarantine: nobody has it */
    refuse(fixture, 10, &other, CLASS_VIRUS);         /* nobody had that one */
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 0);
    refuse(fixture, 11, &found, CLASS_PUA); /* no class that this is about */
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 0);
    for (uint64_t minute = 20; minute < 60; minute++) refuse(fixture, minute, &found, CLASS_VIRUS);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 1);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 3); /* of refused ones none are kept */
    assert_int_equal(receivers(fixture, 100, &list, &is_cut), 4);
    assert_false(is_cut);
    assert_true(list[0].message == TIME(1) << 22 && list[0].found_ms == TIME(20));
    assert_true(text_equal(list[0].virus, TEXT("Worm.Test")));
    assert_true(text_equal(list[1].address, TEXT("b@example.jp")) && list[1].ended_ms == TIME(1) + 1);
    assert_int_equal(receivers(fixture, 3, &list, &is_cut), 3);
    assert_true(is_cut);
}

static void what_is_reported_is_looked_for_once(void **state)
{
    struct scratch *fixture = *state;
    struct part_receiver *list;
    bool is_cut;
    const struct part_digest clean = part_of(1, false), reported = part_of(1, true);
    struct event_missed event = {
        .time_ms = TIME(9), .digest = 77, .kind = TEXT("virus"), .part_count = 1, .parts = &reported
    };
    take(fixture, 1, &clean, CLASS_NONE, true);
    for (int times = 0; times < 2; times++, event.time_ms++) {
        assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
        assert_int_equal(database_store_missed(fixture->database, &event), LEDGERDB_DONE);
        assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
    }
    assert_int_equal(receivers(fixture, 100, &list, &is_cut), 2);
    assert_true(text_equal(list[0].virus, TEXT("reported as virus")) && list[0].found_ms == TIME(9));
}

/* In a domain that only observes, infected mail is delivered: that was known. */
static void what_was_known_is_not_told(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest found = part_of(1, true);
    take(fixture, 1, &found, CLASS_VIRUS, true);
    take(fixture, 2, &found, CLASS_VIRUS, true);
    refuse(fixture, 3, &found, CLASS_VIRUS);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 0);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 2);
}

static void a_rolled_back_look_up_is_done_again(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest clean = part_of(1, false), found = part_of(1, true);
    take(fixture, 1, &clean, CLASS_NONE, true);
    struct event_refused event = {
        .time_ms = TIME(2),
        .serial = TIME(2) << 22,
        .code = 550,
        .stage = STAGE_CONTENT,
        .is_message = true,
        .judgement = { .is_judged = true, .class = CLASS_VIRUS, .part_count = 1, .parts = &found }
    };
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_refused(fixture->database, &event, 0, 0), LEDGERDB_DONE);
    database_rollback(fixture->database);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 0);
    refuse(fixture, 2, &found, CLASS_PHISHING);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 1);
}

static void rows_age_and_are_bounded(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest clean = part_of(1, false), found = part_of(1, true);
    struct forget_limits limits = { .parts_ms = TIME(2) };
    char text[200];
    unsigned rows;
    for (uint64_t minute = 1; minute <= 4; minute++) take(fixture, minute, &clean, CLASS_NONE, true);
    refuse(fixture, 5, &found, CLASS_VIRUS);
    assert_int_equal(forget_some(fixture->database, &limits, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 1);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 3);
    /* As if as many had come as are kept: the oldest go. */
    snprintf(text, sizeof text, "UPDATE part SET row = row + %d WHERE row = 4", PART_HISTORY_MOST - 2);
    assert_int_equal(sql_run(database_sql(fixture->database), text), LEDGERDB_DONE);
    take(fixture, 6, &clean, CLASS_NONE, true);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 2);
    limits.parts_ms = TIME(10);
    assert_int_equal(forget_some(fixture->database, &limits, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 0);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part_found"), 0);
}

static void none_are_kept_where_none_are_wanted(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest clean = part_of(1, false);
    struct config config = { .virus = { .parts_ms = 0 } };
    take(fixture, 1, &clean, CLASS_NONE, true);
    struct forget_limits limits = forget_limits_of(&config, TIME(2), 0);
    unsigned rows;
    assert_int_equal(forget_some(fixture->database, &limits, 100, &rows), LEDGERDB_DONE);
    assert_int_equal(number(fixture, "SELECT count(*) FROM part"), 0);
    config.virus.parts_ms = 60000;
    limits = forget_limits_of(&config, TIME(2), 0);
    assert_true(limits.parts_ms == TIME(1));
}

static void asked_for_by_digest(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest clean = part_of(1, false), other = part_of(2, false);
    struct search_question question = { .class = -1, .most = 10, .part = clean.bytes };
    struct ledgerdb_reader *reader;
    struct buffer why = { 0 };
    struct search_result result;
    take(fixture, 1, &clean, CLASS_NONE, true);
    take(fixture, 2, &other, CLASS_NONE, true);
    take(fixture, 3, &clean, CLASS_ENCRYPTED, false);
    assert_int_equal(ledgerdb_open(fixture->folder, &reader, &why), LEDGERDB_DONE);
    assert_int_equal(search_run(reader, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 2);
    assert_true(result.hits[0].id == TIME(3) << 22);
    question.class = CLASS_ENCRYPTED; /* together with what has a term */
    assert_int_equal(search_run(reader, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 1);
    ledgerdb_close(reader);
}

static void from_version_10(void **state)
{
    struct scratch *fixture = *state;
    int64_t tables;
    database_close(fixture->database);
    struct sql *sql = scratch_of_version(fixture->folder, 10);
    assert_int_equal(sql_run(sql, "INSERT INTO message(id, time, direction, own) VALUES(5, 1, 0, 0)"),
                     LEDGERDB_DONE);
    sql_close(sql);
    scratch_reopen(fixture->folder, &fixture->database);
    assert_int_equal(sql_number(database_sql(fixture->database),
                                "SELECT count(*) + (SELECT count(*) FROM part) FROM message", &tables),
                     LEDGERDB_DONE);
    assert_int_equal(tables, 1);
}

static void digits(void **state)
{
    const struct {
        const char *word;
        bool is_good;
    } rows[] = {
        { "", false },
        { "00ff10", false },
        { "00112233445566778899aabbccddeeff", true },
        { "00112233445566778899AABBCCDDEEFF", true },
        { "00112233445566778899aabbccddeefg", false },
        { "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", true },
        { "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefx", false },
        { "00112233445566778899aabbccddeeff0", false },
    };
    char room[PART_DIGEST_HEX_SIZE];
    uint8_t bytes[PART_DIGEST_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(part_digest_parse(text_of(rows[i].word), bytes), rows[i].is_good);
        if (rows[i].is_good)
            assert_string_equal(part_digest_print(bytes, room), "00112233445566778899aabbccddeeff");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_received_it_is_found, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_reported_is_looked_for_once, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_was_known_is_not_told, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_rolled_back_look_up_is_done_again, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(rows_age_and_are_bounded, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(none_are_kept_where_none_are_wanted, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(asked_for_by_digest, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(from_version_10, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
