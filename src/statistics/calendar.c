/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Days and the holidays of Japan. The rules are rows; what depends on other days (substitutes, days between
   two holidays) follows from them. */
#include "statistics/calendar.h"

#include <stddef.h>

/* --- days --- */

/* Days since 1970-01-01; years begin in March, so that the day that may be missing is the last. */
static int serial_of(uint32_t day)
{
    int year = (int)calendar_year(day), month = (int)calendar_month(day);
    if (month <= 2) year--;
    int era = year / 400, of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + (int)calendar_date(day) - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static uint32_t day_of_serial(int serial)
{
    serial += 719468;
    int era = serial / 146097, of_era = serial - era * 146097;
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int shifted = (5 * of_year + 2) / 153;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    year += era * 400 + (month <= 2);
    return calendar_make((unsigned)year, (unsigned)month, (unsigned)(of_year - (153 * shifted + 2) / 5 + 1));
}

uint32_t calendar_make(unsigned year, unsigned month, unsigned day)
{
    return year * 10000 + month * 100 + day;
}

uint32_t calendar_of(time_t time)
{
    struct tm tm;
    localtime_r(&time, &tm);
    return calendar_make((unsigned)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
}

time_t calendar_start(uint32_t day)
{
    struct tm tm = { .tm_year = (int)calendar_year(day) - 1900,
                     .tm_mon = (int)calendar_month(day) - 1,
                     .tm_mday = (int)calendar_date(day),
                     .tm_isdst = -1 };
    return mktime(&tm);
}

uint32_t calendar_add(uint32_t day, int days)
{
    return day_of_serial(serial_of(day) + days);
}

uint32_t calendar_add_months(uint32_t day, int months)
{
    int count = (int)calendar_year(day) * 12 + (int)calendar_month(day) - 1 + months;
    return calendar_make((unsigned)(count / 12), (unsigned)(count % 12 + 1), 1);
}

int calendar_between(uint32_t from, uint32_t to)
{
    return serial_of(to) - serial_of(from);
}

enum weekday calendar_weekday(uint32_t day)
{
    return (enum weekday)((serial_of(day) % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
}

/* --- holidays --- */

enum { ALWAYS = 9999, VERNAL = 40, AUTUMNAL = 41 };

/* `date` is a date, VERNAL or AUTUMNAL; or with `monday` 2 or 3 the second or third Monday. */
static const struct holiday {
    const char *name;
    unsigned from, to; /* years */
    unsigned month, date, monday;
} holidays[] = {
    { N_("New Year's Day"), 0, ALWAYS, 1, 1, 0 },
    { N_("Coming of Age Day"), 0, ALWAYS, 1, 0, 2 },
    { N_("National Foundation Day"), 0, ALWAYS, 2, 11, 0 },
    { N_("Emperor's Birthday"), 2020, ALWAYS, 2, 23, 0 },
    { N_("Vernal Equinox Day"), 0, ALWAYS, 3, VERNAL, 0 },
    { N_("Greenery Day"), 0, 2006, 4, 29, 0 },
    { N_("Showa Day"), 2007, ALWAYS, 4, 29, 0 },
    { N_("Enthronement Day"), 2019, 2019, 5, 1, 0 },
    { N_("Constitution Day"), 0, ALWAYS, 5, 3, 0 },
    { N_("Greenery Day"), 2007, ALWAYS, 5, 4, 0 },
    { N_("Children's Day"), 0, ALWAYS, 5, 5, 0 },
    { N_("Marine Day"), 0, 2002, 7, 20, 0 },
    { N_("Marine Day"), 2003, 2019, 7, 0, 3 },
    { N_("Marine Day"), 2020, 2020, 7, 23, 0 },
    { N_("Sports Day"), 2020, 2020, 7, 24, 0 },
    { N_("Marine Day"), 2021, 2021, 7, 22, 0 },
    { N_("Sports Day"), 2021, 2021, 7, 23, 0 },
    { N_("Marine Day"), 2022, ALWAYS, 7, 0, 3 },
    { N_("Mountain Day"), 2016, 2019, 8, 11, 0 },
    { N_("Mountain Day"), 2020, 2020, 8, 10, 0 },
    { N_("Mountain Day"), 2021, 2021, 8, 8, 0 },
    { N_("Mountain Day"), 2022, ALWAYS, 8, 11, 0 },
    { N_("Respect for the Aged Day"), 0, 2002, 9, 15, 0 },
    { N_("Respect for the Aged Day"), 2003, ALWAYS, 9, 0, 3 },
    { N_("Autumnal Equinox Day"), 0, ALWAYS, 9, AUTUMNAL, 0 },
    { N_("Sports Day"), 0, 2019, 10, 0, 2 },
    { N_("Sports Day"), 2022, ALWAYS, 10, 0, 2 },
    { N_("Enthronement Ceremony"), 2019, 2019, 10, 22, 0 },
    { N_("Culture Day"), 0, ALWAYS, 11, 3, 0 },
    { N_("Labour Thanksgiving Day"), 0, ALWAYS, 11, 23, 0 },
    { N_("Emperor's Birthday"), 0, 2018, 12, 23, 0 },
};

/* The day in Japan on which the sun passes the equinox: a mean year's drift less the leap days, 1980 to 2099.
 */
static unsigned equinox(unsigned year, double base)
{
    int since = (int)year - 1980;
    return (unsigned)(base + 0.242194 * since) - (unsigned)(since / 4);
}

static bool is_date_of(const struct holiday *holiday, uint32_t day)
{
    unsigned date = calendar_date(day);
    if (holiday->monday) return calendar_weekday(day) == MONDAY && (date - 1) / 7 + 1 == holiday->monday;
    if (holiday->date == VERNAL) return date == equinox(calendar_year(day), 20.8431);
    if (holiday->date == AUTUMNAL) return date == equinox(calendar_year(day), 23.2488);
    return date == holiday->date;
}

/* A holiday by its own right. */
static const char *named(uint32_t day)
{
    unsigned year = calendar_year(day);
    for (size_t i = 0; i < sizeof holidays / sizeof *holidays; i++) {
        const struct holiday *one = &holidays[i];
        if (one->month == calendar_month(day) && year >= one->from && year <= one->to && is_date_of(one, day))
            return one->name;
    }
    return NULL;
}

/* Article 3(2): a holiday on a Sunday moves to the next day that is none; up to 2006 only to the Monday. */
static bool is_substitute(uint32_t day)
{
    if (calendar_year(day) < 2007) return calendar_weekday(day) == MONDAY && named(calendar_add(day, -1));
    for (uint32_t before = calendar_add(day, -1); named(before); before = calendar_add(before, -1))
        if (calendar_weekday(before) == SUNDAY) return true;
    return false;
}

const char *calendar_holiday(uint32_t day)
{
    const char *name = named(day);
    if (name) return name;
    if (is_substitute(day)) return N_("Substitute holiday");
    bool is_between = named(calendar_add(day, -1)) && named(calendar_add(day, 1)); /* Article 3(3) */
    if (is_between && calendar_weekday(day) != SUNDAY) return N_("Day between holidays");
    return NULL;
}

bool calendar_is_working(uint32_t day)
{
    enum weekday weekday = calendar_weekday(day);
    unsigned month_and_date = day % 10000;
    if (weekday == SUNDAY || weekday == SATURDAY) return false;
    if (month_and_date >= 1229 || month_and_date <= 103) return false;
    return !calendar_holiday(day);
}

uint32_t calendar_alike_before(uint32_t day, int least_days)
{
    enum { WEEKS_MOST = 8 };
    bool is_working = calendar_is_working(day);
    int first = (least_days + 6) / 7 * 7;
    for (int back = first; back <= first + 7 * WEEKS_MOST; back += 7) {
        uint32_t before = calendar_add(day, -back);
        if (calendar_is_working(before) == is_working) return before;
    }
    uint32_t before = calendar_add(day, -least_days);
    for (int i = 0; i < 7 * WEEKS_MOST && calendar_is_working(before) != is_working; i++)
        before = calendar_add(before, -1);
    return before;
}

/* --- from words --- */

bool calendar_parse_month(struct text text, uint32_t *out_first)
{
    uint64_t year, month;
    if (text.length != 7 || text.at[4] != '-') return false;
    if (!text_to_number(text_slice(text, 0, 4), 9999, &year) || year < 1970) return false;
    if (!text_to_number(text_slice(text, 5, 7), 12, &month) || month == 0) return false;
    *out_first = calendar_make((unsigned)year, (unsigned)month, 1);
    return true;
}

bool calendar_parse_day(struct text text, uint32_t *out)
{
    uint64_t date;
    uint32_t first;
    if (text.length != 10 || text.at[7] != '-') return false;
    if (!calendar_parse_month(text_slice(text, 0, 7), &first)) return false;
    if (!text_to_number(text_slice(text, 8, 10), 31, &date) || date == 0) return false;
    *out = first + (uint32_t)date - 1;
    return calendar_add(*out, 0) == *out;
}

struct text calendar_text(struct arena *arena, uint32_t day)
{
    if (calendar_date(day) == 0)
        return arena_printf(arena, "%04u-%02u", calendar_year(day), calendar_month(day));
    return arena_printf(arena, "%04u-%02u-%02u", calendar_year(day), calendar_month(day), calendar_date(day));
}
