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
