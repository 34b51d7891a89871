/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Days, weeks and months. Pure. */
#include "report/daily/period.h"

#include "statistics/calendar.h"
#include "statistics/words.h"

enum { WEEK_DAYS = 7, YEAR_DAYS = 52 * WEEK_DAYS };

struct period period_of(enum period_kind kind, uint32_t day)
{
    uint32_t monday = calendar_add(day, -(int)((calendar_weekday(day) + 6) % WEEK_DAYS));
    uint32_t first = calendar_add_months(day, 0);
    if (kind == PERIOD_WEEK) return (struct period){ kind, monday, calendar_add(monday, WEEK_DAYS - 1) };
    if (kind == PERIOD_MONTH)
        return (struct period){ kind, first, calendar_add(calendar_add_months(first, 1), -1) };
    return (struct period){ kind, day, day };
}

bool period_parse(struct text text, struct period *out)
{
    static const struct text week = { "week:", 5 };
    uint32_t day;
    bool is_week = text_starts(text, week);
    bool is_month = calendar_parse_month(text, &day);
    if (is_week) text = text_slice(text, week.length, text.length);
    if (!is_month && !calendar_parse_day(text, &day)) return false;
    *out = period_of(is_month ? PERIOD_MONTH : is_week ? PERIOD_WEEK : PERIOD_DAY, day);
    return true;
}

struct period period_before(struct period period)
{
    if (period.kind == PERIOD_DAY)
        return period_of(PERIOD_DAY, calendar_alike_before(period.from_day, WEEK_DAYS));
    return period_of(period.kind, calendar_add(period.from_day, -1));
}

struct period period_year_before(struct period period)
{
    if (period.kind == PERIOD_DAY)
        return period_of(PERIOD_DAY, calendar_alike_before(period.from_day, YEAR_DAYS));
    if (period.kind == PERIOD_WEEK) return period_of(PERIOD_WEEK, calendar_add(period.from_day, -YEAR_DAYS));
    return period_of(PERIOD_MONTH, calendar_add_months(period.from_day, -12));
}

void period_print(struct period period, enum language language, struct buffer *out)
{
    unsigned year = calendar_year(period.from_day), month = calendar_month(period.from_day);
    if (period.kind == PERIOD_MONTH) {
        buffer_printf(out, language == LANGUAGE_JA ? "%u年%u月" : "%04u-%02u", year, month);
        return;
    }
    words_add_day(out, language, period.from_day);
    if (period.kind == PERIOD_DAY) return;
    buffer_add_text(out, language == LANGUAGE_JA ? TEXT("～") : TEXT(" – "));
    words_add_day(out, language, period.until_day);
}
