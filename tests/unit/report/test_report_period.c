/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Days, weeks and months of reports: over the ends of years, what they are compared with, how they are said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/daily/period.h"

static const struct {
    const char *words;
    enum period_kind kind;
    uint32_t from, until, before_from, before_until, year_from, year_until;
    const char *english, *japanese;
} rows[] = {
    { "2026-11-25", PERIOD_DAY, 20261125, 20261125, 20261118, 20261118, 20251126, 20251126,
      "2026-11-25 (Wed)", "2026年11月25日（水）" },
    { "week:2026-11-25", PERIOD_WEEK, 20261123, 20261129, 20261116, 20261122, 20251124, 20251130,
      "2026-11-23 (Mon) – 2026-11-29 (Sun)", "2026年11月23日（月）～2026年11月29日（日）" },
    { "week:2026-11-29", PERIOD_WEEK, 20261123, 20261129, 20261116, 20261122, 20251124, 20251130,
      "2026-11-23 (Mon) – 2026-11-29 (Sun)", "2026年11月23日（月）～2026年11月29日（日）" },
    { "week:2027-01-01", PERIOD_WEEK, 20261228, 20270103, 20261221, 20261227, 20251229, 20260104,
      "2026-12-28 (Mon) – 2027-01-03 (Sun)", "2026年12月28日（月）～2027年1月3日（日）" },
    { "2026-10", PERIOD_MONTH, 20261001, 20261031, 20260901, 20260930, 20251001, 20251031, "2026-10",
      "2026年10月" },
    { "2027-01", PERIOD_MONTH, 20270101, 20270131, 20261201, 20261231, 20260101, 20260131, "2027-01",
      "2027年1月" },
    { "2024-02", PERIOD_MONTH, 20240201, 20240229, 20240101, 20240131, 20230201, 20230228, "2024-02",
      "2024年2月" },
};

static void is_from_to(struct period period, uint32_t from, uint32_t until)
{
    assert_int_equal(period.from_day, from);
    assert_int_equal(period.until_day, until);
}

static void each_is_read_compared_and_said(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct period period;
        struct buffer english = { 0 }, japanese = { 0 };
        assert_true(period_parse(text_of(rows[i].words), &period));
        assert_int_equal(period.kind, rows[i].kind);
        is_from_to(period, rows[i].from, rows[i].until);
        is_from_to(period_before(period), rows[i].before_from, rows[i].before_until);
        is_from_to(period_year_before(period), rows[i].year_from, rows[i].year_until);
        period_print(period, LANGUAGE_EN, &english);
        period_print(period, LANGUAGE_JA, &japanese);
        assert_true(text_equal(buffer_text(&english), text_of(rows[i].english)));
        assert_true(text_equal(buffer_text(&japanese), text_of(rows[i].japanese)));
        buffer_free(&english);
        buffer_free(&japanese);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const char *const none[] = {
        "",           "week:", "week:2026-10", "2026-13",         "2026-1",
        "2026-02-30", "2026",  "today",        "week:2026-02-30", "month:2026-10"
    };
    struct period period;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(period_parse(text_of(none[i]), &period));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_is_read_compared_and_said),
                                        cmocka_unit_test(what_is_none_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
