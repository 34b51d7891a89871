/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When signatures are fetched: never too often, whatever the clock, a restart or a server says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "helper/fetch_schedule.h"

#define HOUR UINT64_C(3600000)
#define NOW (1000 * HOUR)

static void test_due(void **state)
{
    static const struct {
        struct fetch_record record;
        uint64_t every, seed, due;
    } rows[] = {
        { { 0 }, HOUR, 5, NOW },                            /* never yet: now */
        { { .begun_ms = NOW }, HOUR, 0, NOW + HOUR },       /* just begun */
        { { .begun_ms = NOW }, HOUR, 77, NOW + HOUR + 77 }, /* each node at a time of its own */
        { { .begun_ms = NOW }, HOUR, HOUR / 10 + 3, NOW + HOUR + 3 },
        { { .begun_ms = NOW }, 60000, 0, NOW + HOUR },    /* whatever is said, once an hour */
        { { .begun_ms = NOW - 2 * HOUR }, HOUR, 0, NOW }, /* missed: now */
        { { .begun_ms = NOW - 2 * HOUR }, 6 * HOUR, 0, NOW + 4 * HOUR },
        { { .begun_ms = NOW + 500 * HOUR }, HOUR, 0, NOW + HOUR }, /* the clock was set back */
        { { .begun_ms = NOW - 2 * HOUR, .not_before_ms = NOW + 3 * HOUR }, HOUR, 0, NOW + 3 * HOUR },
        { { .begun_ms = NOW, .not_before_ms = NOW + 500 * HOUR }, HOUR, 0, NOW + 24 * HOUR },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (fetch_due_ms(&rows[i].record, rows[i].every, NOW, rows[i].seed) != rows[i].due)
            fail_msg("row %zu", i);
}

static void test_note(void **state)
{
    struct fetch_record record = { .begun_ms = NOW, .good_ms = NOW - HOUR };
    fetch_note(&record, FETCH_FAILED, 0, NOW);
    assert_int_equal(record.failing_ms, NOW - HOUR); /* since it last went well */
    assert_int_equal(record.not_before_ms, 0);
    fetch_note(&record, FETCH_WAIT, 0, NOW + 1);
    assert_int_equal(record.not_before_ms, NOW + 1 + 4 * HOUR);
    fetch_note(&record, FETCH_WAIT, NOW + 7 * HOUR, NOW + 1);
    assert_int_equal(record.not_before_ms, NOW + 7 * HOUR);
    fetch_note(&record, FETCH_REFUSED, 0, NOW + 2);
    assert_int_equal(record.not_before_ms, NOW + 2 + 24 * HOUR);
    assert_int_equal(record.failing_ms, NOW - HOUR);
    fetch_note(&record, FETCH_SAME, 0, NOW + 3);
    assert_int_equal(record.failing_ms, 0);
    assert_int_equal(record.good_ms, NOW + 3);
    assert_int_equal(record.not_before_ms, 0);
    struct fetch_record first = { .begun_ms = NOW };
    fetch_note(&first, FETCH_FAILED, 0, NOW + 9);
    assert_int_equal(first.failing_ms, NOW + 9);
}

static void test_record(void **state)
{
    struct fetch_record record = { 1, 2, 3, 4 }, read;
    struct buffer line = { 0 };
    fetch_record_print("also", &record, &line);
    assert_true(text_equal(buffer_text(&line), TEXT("also 1 2 3 4\n")));
    assert_true(fetch_record_read("also", "also 1 2 3 4", &read));
    assert_memory_equal(&read, &record, sizeof read);
    static const char *const bad[] = {
        "", "also", "also 1 2 3", "alsoo 1 2 3 4", "clamav 1 2 3 4", "also x"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fetch_record_read("also", bad[i], &read));
    buffer_free(&line);
}

static void test_freshclam(void **state)
{
    uint64_t until = 0;
    setenv("TZ", "UTC", 1);
    tzset();
    assert_int_equal(fetch_outcome_of(0, false), FETCH_SAME);
    assert_int_equal(fetch_outcome_of(0, true), FETCH_WAIT); /* what freshclam 1.4 does with 429 */
    assert_int_equal(fetch_outcome_of(17, true), FETCH_REFUSED);
    assert_int_equal(fetch_outcome_of(5, false), FETCH_FAILED);
    assert_true(fetch_line_until(TEXT("WARNING: You are still on cool-down until after: 2026-11-30 03:23:07"),
                                 &until));
    assert_int_equal(until, UINT64_C(1796008987000));
    assert_true(fetch_line_until(TEXT("on cool-down until after: soon"), &until));
    assert_int_equal(until, 0);
    assert_false(fetch_line_until(TEXT("own.ndb is up-to-date"), &until));
    assert_string_equal(fetch_code_words(5), "the server cannot be reached");
    assert_string_equal(fetch_code_words(4000000000u), "see what it said above");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_due), cmocka_unit_test(test_note),
                                        cmocka_unit_test(test_record), cmocka_unit_test(test_freshclam) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
