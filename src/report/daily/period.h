/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a report is about: a day, a week from Monday to Sunday, or a month; and what it is compared with. */
#ifndef SEKIMORI_REPORT_DAILY_PERIOD_H
#define SEKIMORI_REPORT_DAILY_PERIOD_H

#include "base/buffer.h"
#include "config/settings.h"

struct period {
    enum period_kind { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH } kind;
    uint32_t from_day, until_day; /* yyyymmdd, both inclusive */
};

/* The one of that kind that `day` is in. */
struct period period_of(enum period_kind kind, uint32_t day);
/* "2026-10-05", "week:2026-10-05" (the week with that day in it) and "2026-10". False: none of these. */
bool period_parse(struct text text, struct period *out);

/* The like day about a week before (calendar_alike_before), the week or the month before; and about a year
   before. */
struct period period_before(struct period period);
struct period period_year_before(struct period period);

/* "2026-11-25 (Wed)", "2026-11-23 (Mon) – 2026-11-29 (Sun)", "2026-11"; in Japanese as words_add_day. */
void period_print(struct period period, enum language language, struct buffer *out);

#endif
