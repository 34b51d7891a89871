/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The calendar against the holidays that were published for known years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "statistics/calendar.h"

/* Every holiday of the year, Sundays and Saturdays included, as the government's list has them. */
static const struct {
    unsigned year;
    uint16_t dates[24]; /* month and date */
} years[] = {
    { 2000, { 101, 110, 211, 320, 429, 503, 504, 505, 720, 915, 923, 1009, 1103, 1123, 1223 } },
    { 2005, { 101, 110, 211, 320, 321, 429, 503, 504, 505, 718, 919, 923, 1010, 1103, 1123, 1223 } },
    { 2009, { 101, 112, 211, 320, 429, 503, 504, 505, 506, 720, 921, 922, 923, 1012, 1103, 1123, 1223 } },
    { 2015, { 101, 112, 211, 321, 429, 503, 504, 505, 506, 720, 921, 922, 923, 1012, 1103, 1123, 1223 } },
    { 2019, { 101, 114, 211, 321, 429, 430, 501,  502,  503,  504,  505,
              506, 715, 811, 812, 916, 923, 1014, 1022, 1103, 1104, 1123 } },
    { 2020, { 101, 113, 211, 223, 224, 320, 429, 503, 504, 505, 506, 723, 724, 810, 921, 922, 1103, 1123 } },
    { 2021, { 101, 111, 211, 223, 320, 429, 503, 504, 505, 722, 723, 808, 809, 920, 923, 1103, 1123 } },
    { 2024, { 101, 108, 211, 212, 223, 320, 429,  503,  504,  505, 506,
              715, 811, 812, 916, 922, 923, 1014, 1103, 1104, 1123 } },
    { 2026, { 101, 112, 211, 223, 320, 429, 503, 504, 505, 506, 720, 811, 921, 922, 923, 1012, 1103, 1123 } },
    { 2027, { 101, 111, 211, 223, 321, 322, 429, 503, 504, 505, 719, 811, 920, 923, 1011, 1103, 1123 } },
};

static void known_years(void **state)
{
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        uint32_t day = calendar_make(years[i].year, 1, 1), end = calendar_make(years[i].year + 1, 1, 1);
        size_t at = 0;
        for (; day < end; day = calendar_add(day, 1))
            if (calendar_holiday(day)) assert_int_equal(day, years[i].year * 10000 + years[i].dates[at++]);
        assert_int_equal(years[i].dates[at], 0);
    }
}

static void equinoxes(void **state)
{
    static const struct {
        unsigned year, vernal, autumnal;
    } rows[] = { { 2000, 20, 23 }, { 2012, 20, 22 }, { 2023, 21, 23 }, { 2025, 20, 23 },
                 { 2026, 20, 23 }, { 2027, 21, 23 }, { 2030, 20, 23 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned date = 15; date < 28; date++) {
            const char *march = calendar_holiday(calendar_make(rows[i].year, 3, date));
            const char *september = calendar_holiday(calendar_make(rows[i].year, 9, date));
            if (march && *march == 'V') assert_int_equal(date, rows[i].vernal);
            if (september && *september == 'A') assert_int_equal(date, rows[i].autumnal);
            if (date == rows[i].vernal) assert_string_equal(march, "Vernal Equinox Day");
            if (date == rows[i].autumnal) assert_string_equal(september, "Autumnal Equinox Day");
        }
}

static void days_add_up(void **state)
{
    static const struct {
        uint32_t day;
        int days;
        uint32_t is;
    } rows[] = { { 20240228, 1, 20240229 },    { 20230228, 1, 20230301 },  { 20000228, 2, 20000301 },
                 { 21000228, 1, 21000301 },    { 20261231, 1, 20270101 },  { 20270101, -1, 20261231 },
                 { 20261125, -364, 20251126 }, { 19700101, -1, 19691231 }, { 20050731, 7700, 20260830 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(calendar_add(rows[i].day, rows[i].days), rows[i].is);
        assert_int_equal(calendar_between(rows[i].day, rows[i].is), rows[i].days);
    }
    assert_int_equal(calendar_weekday(20261125), WEDNESDAY);
    assert_int_equal(calendar_weekday(20050201), TUESDAY);
    assert_int_equal(calendar_weekday(19691231), WEDNESDAY);
    assert_int_equal(calendar_add_months(20261125, 2), 20270101);
    assert_int_equal(calendar_add_months(20260115, -1), 20251201);
}

static void working_days_of_the_trial(void **state)
{
    static const unsigned working[] = { 19, 22, 20, 19, 22, 20 }; /* February to July 2005 */
    for (unsigned month = 2; month <= 7; month++) {
        unsigned count = 0;
        for (uint32_t day = calendar_make(2005, month, 1); calendar_month(day) == month;
             day = calendar_add(day, 1))
            count += calendar_is_working(day);
        assert_int_equal(count, working[month - 2]);
    }
    assert_false(calendar_is_working(20251229));
    assert_true(calendar_is_working(20251226));
}

static void like_is_compared_with_like(void **state)
{
    static const struct {
        uint32_t day;
        int least;
        uint32_t is;
    } rows[] = {
        { 20261125, 7, 20261118 }, /* a working Wednesday, the one before */
        { 20261130, 7, 20261116 }, /* a Monday: the 23rd was a holiday */
        { 20261123, 7, 20261012 }, /* a holiday Monday: Sports Day */
        { 20261122, 7, 20261115 }, /* Sundays */
        { 20261125, 364, 20251126 },
        { 20200429, 7, 20200419 }, /* a holiday in midweek, none before it: the Sunday */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(calendar_alike_before(rows[i].day, rows[i].least), rows[i].is);
}

static void words(void **state)
{
    uint32_t day = 0;
    assert_true(calendar_parse_day(TEXT("2024-02-29"), &day));
    assert_int_equal(day, 20240229);
    static const char *const bad[] = {
        "2023-02-29", "2023-13-01", "2023-00-10", "2023-1-10",   "20230110",
        "2023-01-32", "x023-01-10", "",           "2023-01-10 ", "1969-12-31"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(calendar_parse_day(text_of(bad[i]), &day));
    assert_true(calendar_parse_month(TEXT("2026-10"), &day));
    assert_int_equal(day, 20261001);
    assert_false(calendar_parse_month(TEXT("2026-10-01"), &day));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_years),
        cmocka_unit_test(equinoxes),
        cmocka_unit_test(days_add_up),
        cmocka_unit_test(working_days_of_the_trial),
        cmocka_unit_test(like_is_compared_with_like),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
