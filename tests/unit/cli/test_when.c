/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Times on the command line, in Tokyo and where clocks change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "cli/time_words.h"

#define NOW UINT64_C(1790000000000) /* 2026-09-21 23:13:20 in Tokyo */

static const struct {
    const char *text, *wanted; /* NULL: refused */
} rows[] = {
    { "2026-10-04", "2026-10-04 00:00:00.000" },
    { "2026-10-04 13:05", "2026-10-04 13:05:00.000" },
    { "2026-10-04T13:05:59", "2026-10-04 13:05:59.000" },
    { "today", "2026-09-21 00:00:00.000" },
    { "yesterday", "2026-09-20 00:00:00.000" },
    { "now", "2026-09-21 23:13:20.000" },
    { "90m", "2026-09-21 21:43:20.000" },
    { "2d", "2026-09-19 23:13:20.000" },
    { "2026-06-31", NULL },
    { "2026-13-01", NULL },
    { "2026-10-04 24:00", NULL },
    { "2026-10-04 13:05:59x", NULL },
    { "2026-10-04x", NULL },
    { "", NULL },
    { "tomorrow", NULL },
};

static void test_times(void **state)
{
    char room[WHEN_SIZE];
    uint64_t ms;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_good = when_parse(text_of(rows[i].text), NOW, &ms);
        if (is_good != (rows[i].wanted != NULL)) fail_msg("\"%s\"", rows[i].text);
        if (is_good) assert_string_equal(when_print(ms, true, room), rows[i].wanted);
    }
}

static void test_days(void **state)
{
    uint32_t day;
    assert_true(when_parse_day(TEXT("yesterday"), NOW, &day));
    assert_int_equal(day, 20260920);
    assert_true(when_parse_day(TEXT("2026-02-28"), NOW, &day));
    assert_int_equal(day, 20260228);
    assert_false(when_parse_day(TEXT("2026-02-29"), NOW, &day));
    assert_false(when_parse_day(TEXT("2026-10-04 13:05"), NOW, &day));
    /* Half an hour past midnight on the day after the clocks went back: a day of 25 hours lies before. */
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    struct tm tm = { .tm_year = 126, .tm_mon = 9, .tm_mday = 26, .tm_min = 30, .tm_isdst = -1 };
    assert_true(when_parse_day(TEXT("yesterday"), (uint64_t)mktime(&tm) * 1000, &day));
    assert_int_equal(day, 20261025);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_times), cmocka_unit_test(test_days) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
