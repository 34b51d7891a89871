/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Days as people count them: a day is the number yyyymmdd (20261125) of the proleptic Gregorian calendar, and
   which of them are holidays in Japan (Act on National Holidays, in force from 2000 on; the equinoxes
   computed, right to 2099). */
#ifndef SEKIMORI_STATISTICS_CALENDAR_H
#define SEKIMORI_STATISTICS_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"

enum weekday { SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY };

/* Of a month 1-12 and a day 1-31; whether there is such a day is not looked at. */
uint32_t calendar_make(unsigned year, unsigned month, unsigned day);
uint32_t calendar_of(time_t time); /* in local time */
static inline unsigned calendar_year(uint32_t day)
{
    return day / 10000;
}
static inline unsigned calendar_month(uint32_t day)
{
    return day / 100 % 100;
}
static inline unsigned calendar_date(uint32_t day)
{
    return day % 100;
}

/* The day `days` later, or earlier when negative; over months and years. */
uint32_t calendar_add(uint32_t day, int days);
/* The first day of the month `months` later. */
uint32_t calendar_add_months(uint32_t day, int months);
int calendar_between(uint32_t from, uint32_t to); /* days, 0 for the same */
enum weekday calendar_weekday(uint32_t day);      /* of any day that is one */
/* When the local day begins. */
time_t calendar_start(uint32_t day);

/* The holiday's English name, or NULL. Substitute holidays and days between two holidays have theirs. */
const char *calendar_holiday(uint32_t day);

/* Neither weekend nor holiday nor 29 December to 3 January, when offices are closed. */
bool calendar_is_working(uint32_t day);

/* The nearest like day at least `least_days` before: the same weekday of a week in which it was worked as
   well, or was a day off as well; where eight weeks have none (a holiday in midweek), the nearest day that
   was. */
uint32_t calendar_alike_before(uint32_t day, int least_days);

/* "2026-10-05" and "2026-10": False when it is no day or month there is. */
bool calendar_parse_day(struct text text, uint32_t *out);
bool calendar_parse_month(struct text text, uint32_t *out_first);

/* A day or a month (yyyymm00) as "2026-11-25" or "2026-11", in the arena. */
struct text calendar_text(struct arena *arena, uint32_t day);

#endif
