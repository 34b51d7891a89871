/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each form of a moment, in zones on both sides of UTC and with half an hour, in a foreign locale. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/date.h"

static void moments(void **state)
{
    static const struct {
        uint64_t ms;
        const char *zone, *utc, *mail, *iso, *clock, *stamp, *syslog;
    } rows[] = {
        { 0, "UTC0", "Thu, 1 Jan 1970 00:00:00 +0000", "Thu, 1 Jan 1970 00:00:00 +0000",
          "1970-01-01T00:00:00Z", "1970-01-01 00:00:00", "1970-01-01T00:00:00+0000", "Jan  1 00:00:00" },
        { 1795930945999, "JST-9", "Sun, 29 Nov 2026 05:42:25 +0000", "Sun, 29 Nov 2026 14:42:25 +0900",
          "2026-11-29T05:42:25Z", "2026-11-29 14:42:25", "2026-11-29T14:42:25+0900", "Nov 29 14:42:25" },
        { 1709164800000, "NST3:30", "Thu, 29 Feb 2024 00:00:00 +0000", "Wed, 28 Feb 2024 20:30:00 -0330",
          "2024-02-29T00:00:00Z", "2024-02-28 20:30:00", "2024-02-28T20:30:00-0330", "Feb 28 20:30:00" },
        { 1704067199000, "IST-5:30", "Sun, 31 Dec 2023 23:59:59 +0000", "Mon, 1 Jan 2024 05:29:59 +0530",
          "2023-12-31T23:59:59Z", "2024-01-01 05:29:59", "2024-01-01T05:29:59+0530", "Jan  1 05:29:59" },
    };
    setlocale(LC_ALL, "ja_JP.UTF-8"); /* where it is installed */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char room[DATE_SIZE];
        setenv("TZ", rows[i].zone, 1);
        tzset();
        assert_string_equal(date_print(rows[i].ms, room), rows[i].utc);
        assert_string_equal(date_print_local(rows[i].ms, room), rows[i].mail);
        assert_string_equal(date_print_iso(rows[i].ms, room), rows[i].iso);
        assert_string_equal(date_print_clock(rows[i].ms, room), rows[i].clock);
        assert_string_equal(date_print_stamp(rows[i].ms, room), rows[i].stamp);
        assert_string_equal(date_print_syslog(rows[i].ms, room), rows[i].syslog);
    }
}

static void reading(void **state)
{
    static const struct {
        const char *date;
        int64_t seconds; /* -1: it is none */
    } rows[] = {
        { "Sun, 29 Nov 2026 05:42:25 +0000", 1795930945 },
        { "29 nov 2026 14:42:25 +0900", 1795930945 },
        { "Sun, 29 Nov 2026 02:12 -0330 (NST)", 1795930920 },
        { "29 Nov 2026 05:42 GMT", 1795930920 },
        { "Thu, 29 Feb 2024 00:00:00 -0000", 1709164800 },
        { "", -1 },
        { "11/29/2026 5:42:25 AM", -1 },
        { "32 Nov 2026 05:42:25 +0000", -1 },
        { "29 Nov 26 05:42:25 +0000", -1 },
        { "29 Nov 2026 05:42:25 +9900", -1 },
        { "29 Nov 2026", -1 },
        { "29 Nov 2026 05", -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = -1;
        bool is_read = date_read(text_of(rows[i].date), &seconds);
        if (is_read != (rows[i].seconds >= 0) || (is_read && seconds != rows[i].seconds))
            fail_msg("row %zu: %d %lld", i, is_read, (long long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(moments), cmocka_unit_test(reading) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
