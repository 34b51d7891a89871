/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Dates of mail, tables, hooks and log lines. Months and days are spelled here, not asked of the locale. */
#include "base/date.h"

#include <stdio.h>
#include <time.h>

static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static struct tm local(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    return tm;
}

static struct tm utc(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm;
}

/* "+0900" */
static const char *offset_print(const struct tm *tm, char room[16])
{
    long minutes = (tm->tm_gmtoff < 0 ? -tm->tm_gmtoff : tm->tm_gmtoff) / 60;
    snprintf(room, 16, "%c%02ld%02ld", tm->tm_gmtoff < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
    return room;
}

static const char *mail_print(const struct tm *tm, char room[DATE_SIZE])
{
    char offset[16];
    snprintf(room, DATE_SIZE, "%s, %d %s %d %02d:%02d:%02d %s", days[tm->tm_wday], tm->tm_mday,
             months[tm->tm_mon], tm->tm_year + 1900, tm->tm_hour, tm->tm_min, tm->tm_sec,
             offset_print(tm, offset));
    return room;
}

static const char *iso_print(const struct tm *tm, char between, const char *behind, char room[DATE_SIZE])
{
    snprintf(room, DATE_SIZE, "%04d-%02d-%02d%c%02d:%02d:%02d%s", tm->tm_year + 1900, tm->tm_mon + 1,
             tm->tm_mday, between, tm->tm_hour, tm->tm_min, tm->tm_sec, behind);
    return room;
}

const char *date_print(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = utc(ms);
    return mail_print(&tm, room);
}

const char *date_print_local(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = local(ms);
    return mail_print(&tm, room);
}

const char *date_print_iso(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = utc(ms);
    return iso_print(&tm, 'T', "Z", room);
}

const char *date_print_clock(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = local(ms);
    return iso_print(&tm, ' ', "", room);
}

const char *date_print_stamp(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = local(ms);
    char offset[16];
    return iso_print(&tm, 'T', offset_print(&tm, offset), room);
}

const char *date_print_syslog(uint64_t ms, char room[DATE_SIZE])
{
    struct tm tm = local(ms);
    snprintf(room, DATE_SIZE, "%s %2d %02d:%02d:%02d", months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    return room;
}

/* --- reading --- */

static bool number_read(struct text word, uint64_t most, int *out)
{
    uint64_t number;
    if (!text_to_number(word, most, &number)) return false;
    *out = (int)number;
    return true;
}

static bool month_read(struct text word, int *out)
{
    for (*out = 0; *out < 12; ++*out)
        if (text_equal_nocase(word, text_of(months[*out]))) return true;
    return false;
}

/* "05:42" or "05:42:25" */
static bool time_read(struct text word, struct tm *tm)
{
    size_t first = text_find_char(word, ':');
    struct text rest = text_slice(word, first + 1, word.length);
    size_t second = text_find_char(rest, ':');
    struct text seconds = text_slice(rest, second + 1, rest.length);
    return number_read(text_slice(word, 0, first), 24, &tm->tm_hour) &&
           number_read(text_slice(rest, 0, second), 60, &tm->tm_min) &&
           (second == rest.length || number_read(seconds, 61, &tm->tm_sec));
}

/* "+0900"; names of zones count as UTC. */
static bool zone_read(struct text word, int64_t *out_seconds)
{
    uint64_t number;
    *out_seconds = 0;
    if (word.length == 0 || (word.at[0] != '+' && word.at[0] != '-')) return true;
    if (!text_to_number(text_slice(word, 1, word.length), 2400, &number)) return false;
    *out_seconds = (int64_t)(number / 100 * 3600 + number % 100 * 60) * (word.at[0] == '-' ? -1 : 1);
    return true;
}

bool date_read(struct text date, int64_t *out_seconds)
{
    struct tm tm = { 0 };
    struct text word = TEXT_NONE, zone = TEXT_NONE;
    int64_t offset;
    size_t comma = text_find_char(date, ',');
    if (comma < date.length) date = text_slice(date, comma + 1, date.length);
    if (!text_next_word(&date, &word) || !number_read(word, 31, &tm.tm_mday)) return false;
    if (!text_next_word(&date, &word) || !month_read(word, &tm.tm_mon)) return false;
    if (!text_next_word(&date, &word) || !number_read(word, 9999, &tm.tm_year)) return false;
    if (!text_next_word(&date, &word) || !time_read(word, &tm)) return false;
    text_next_word(&date, &zone);
    if (tm.tm_year < 1970 || !zone_read(zone, &offset)) return false;
    tm.tm_year -= 1900;
    *out_seconds = (int64_t)timegm(&tm) - offset;
    return true;
}
