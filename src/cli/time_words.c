/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The calendar is the C library's. */
#include "cli/time_words.h"

#include <stdio.h>
#include <time.h>

#include "config/units.h"

enum { LOCAL = INT32_MIN };

struct parts {
    int year, month, day, hour, minute, second;
};

/* Two or four digits off the front. */
static bool take(struct text *rest, size_t digits, int *out)
{
    uint64_t number;
    if (rest->length < digits || !text_to_number(text_slice(*rest, 0, digits), 9999, &number)) return false;
    *out = (int)number;
    *rest = text_slice(*rest, digits, rest->length);
    return true;
}

static bool take_char(struct text *rest, char wanted)
{
    if (!rest->length || rest->at[0] != wanted) return false;
    *rest = text_slice(*rest, 1, rest->length);
    return true;
}

static bool date_take(struct text *rest, struct parts *out)
{
    return take(rest, 4, &out->year) && take_char(rest, '-') && take(rest, 2, &out->month) &&
           take_char(rest, '-') && take(rest, 2, &out->day) && out->month >= 1 && out->month <= 12 &&
           out->day >= 1 && out->day <= 31;
}

static bool clock_take(struct text *rest, struct parts *out)
{
    if (!take(rest, 2, &out->hour) || !take_char(rest, ':') || !take(rest, 2, &out->minute)) return false;
    if (take_char(rest, ':') && !take(rest, 2, &out->second)) return false;
    return out->hour < 24 && out->minute < 60 && out->second < 60;
}

/* False: no such day, such as the 31st of June. */
/* RFC 3339 section 5.6: "Z" or "+09:00"; LOCAL where nothing more stands. False: neither. */
static bool zone_take(struct text *rest, int *out_minutes)
{
    int hours = 0, minutes = 0;
    *out_minutes = LOCAL;
    if (rest->length == 0) return true;
    bool is_utc = take_char(rest, 'Z') || take_char(rest, 'z');
    bool is_west = !is_utc && take_char(rest, '-');
    if (!is_utc && !is_west && !take_char(rest, '+')) return false;
    if (!is_utc && (!take(rest, 2, &hours) || !take_char(rest, ':') || !take(rest, 2, &minutes)))
        return false;
    *out_minutes = (is_west ? -1 : 1) * (60 * hours + minutes);
    return hours < 24 && minutes < 60;
}

/* In the zone of this machine, or `zone` minutes before UTC. */
static bool parts_join_in(const struct parts *parts, int zone, uint64_t *out_ms)
{
    struct tm tm = { .tm_year = parts->year - 1900,
                     .tm_mon = parts->month - 1,
                     .tm_mday = parts->day,
                     .tm_hour = parts->hour,
                     .tm_min = parts->minute,
                     .tm_sec = parts->second,
                     .tm_isdst = -1 };
    time_t seconds = zone == LOCAL ? mktime(&tm) : timegm(&tm) - 60 * zone;
    if (seconds < 0 || tm.tm_mday != parts->day) return false;
    *out_ms = (uint64_t)seconds * 1000;
    return true;
}

static bool parts_join(const struct parts *parts, uint64_t *out_ms)
{
    return parts_join_in(parts, LOCAL, out_ms);
}

static struct parts parts_of(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    return (struct parts){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec };
}

/* Noon is on the day before whatever the clocks did in the night. */
static struct parts day_before(struct parts day)
{
    uint64_t noon = 0;
    day.hour = 12;
    day.minute = day.second = 0;
    parts_join(&day, &noon);
    return parts_of(noon - 86400000);
}

static bool day_parse(struct text *rest, uint64_t now_ms, struct parts *out)
{
    *out = (struct parts){ 0 };
    bool is_today = text_equal(*rest, TEXT("today")), is_yesterday = text_equal(*rest, TEXT("yesterday"));
    if (!is_today && !is_yesterday) return date_take(rest, out);
    struct parts day = parts_of(now_ms);
    if (is_yesterday) day = day_before(day);
    *out = (struct parts){ day.year, day.month, day.day, 0, 0, 0 };
    *rest = TEXT_NONE;
    return true;
}

bool when_parse(struct text text, uint64_t now_ms, uint64_t *out_ms)
{
    uint64_t ago;
    struct parts parts;
    if (text_equal(text, TEXT("now"))) {
        *out_ms = now_ms;
        return true;
    }
    if (units_time_parse(text, &ago) && ago <= now_ms) {
        *out_ms = now_ms - ago;
        return true;
    }
    int zone = LOCAL;
    if (!day_parse(&text, now_ms, &parts)) return false;
    if (text.length) {
        if (!take_char(&text, ' ') && !take_char(&text, 'T')) return false;
        if (!clock_take(&text, &parts) || !zone_take(&text, &zone) || text.length) return false;
    }
    return parts_join_in(&parts, zone, out_ms);
}

bool when_parse_day(struct text text, uint64_t now_ms, uint32_t *out_day)
{
    struct parts parts;
    uint64_t ms;
    if (!day_parse(&text, now_ms, &parts) || text.length || !parts_join(&parts, &ms)) return false;
    *out_day = (uint32_t)(parts.year * 10000 + parts.month * 100 + parts.day);
    return true;
}

char *when_print(uint64_t ms, bool has_ms, char room[WHEN_SIZE])
{
    struct parts parts = parts_of(ms);
    size_t used = (size_t)snprintf(room, WHEN_SIZE, "%04d-%02d-%02d %02d:%02d:%02d", parts.year % 10000,
                                   parts.month, parts.day, parts.hour, parts.minute, parts.second);
    if (has_ms) snprintf(room + used, WHEN_SIZE - used, ".%03u", (unsigned)(ms % 1000));
    return room;
}

uint64_t when_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
