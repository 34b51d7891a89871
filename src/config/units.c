/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Values with units: read and printed from the same small tables. */
#include "config/units.h"

#include <inttypes.h>
#include <math.h>

struct unit {
    struct text name;
    uint64_t worth;
};

static const struct unit size_units[] = {
    { TEXT("T"), UINT64_C(1) << 40 },
    { TEXT("G"), UINT64_C(1) << 30 },
    { TEXT("M"), UINT64_C(1) << 20 },
    { TEXT("K"), UINT64_C(1) << 10 },
    { TEXT(""), 1 },
};
static const struct unit time_units[] = {
    { TEXT("d"), 86400000 }, { TEXT("h"), 3600000 }, { TEXT("m"), 60000 },
    { TEXT("s"), 1000 },     { TEXT("ms"), 1 },
};
enum { UNIT_COUNT = 5 };

static bool units_parse(struct text word, const struct unit units[UNIT_COUNT], uint64_t *out)
{
    size_t digits = 0;
    while (digits < word.length && char_is_digit(word.at[digits])) digits++;
    struct text name = text_slice(word, digits, word.length);
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        uint64_t number;
        if (!text_equal(name, units[i].name)) continue;
        if (!text_to_number(text_slice(word, 0, digits), INT64_MAX / units[i].worth, &number)) return false;
        *out = number * units[i].worth;
        return true;
    }
    return false;
}

static void units_print(uint64_t value, const struct unit units[UNIT_COUNT], struct buffer *out)
{
    size_t i = 0;
    while (i < UNIT_COUNT - 1 && value % units[i].worth != 0) i++;
    buffer_printf(out, "%" PRIu64 "%s", value / units[i].worth, units[i].name.at);
}

bool units_size_parse(struct text word, uint64_t *out_bytes)
{
    return units_parse(word, size_units, out_bytes);
}

bool units_time_parse(struct text word, uint64_t *out_ms)
{
    return units_parse(word, time_units, out_ms) || text_to_number(word, 0, out_ms);
}

void units_size_print(uint64_t bytes, struct buffer *out)
{
    if (bytes == 0)
        buffer_add_char(out, '0');
    else
        units_print(bytes, size_units, out);
}

void units_time_print(uint64_t ms, struct buffer *out)
{
    if (ms == 0)
        buffer_add_char(out, '0');
    else
        units_print(ms, time_units, out);
}

bool units_points_parse(struct text word, double *out_points)
{
    static const uint64_t most = 999999999;
    size_t point = text_find_char(word, '.');
    uint64_t whole, part = 0;
    if (text_equal(word, TEXT("never"))) {
        *out_points = (double)INFINITY;
        return true;
    }
    if (!text_to_number(text_slice(word, 0, point), most, &whole)) return false;
    struct text digits = text_slice(word, point + 1, word.length);
    if (point < word.length && (digits.length > 9 || !text_to_number(digits, most, &part))) return false;
    double scale = 1;
    for (size_t i = 0; i < digits.length; i++) scale *= 10;
    *out_points = ((double)whole * scale + (double)part) / scale;
    return true;
}

void units_points_print(double points, struct buffer *out)
{
    if (isinf(points))
        buffer_printf(out, "never");
    else
        buffer_printf(out, "%.15g", points);
}

bool units_clock_parse(struct text word, uint64_t *out_minutes)
{
    uint64_t hours, minutes;
    if (word.length != 5 || word.at[2] != ':') return false;
    if (!text_to_number(text_slice(word, 0, 2), 23, &hours)) return false;
    if (!text_to_number(text_slice(word, 3, 5), 59, &minutes)) return false;
    *out_minutes = hours * 60 + minutes;
    return true;
}

void units_clock_print(uint64_t minutes, struct buffer *out)
{
    buffer_printf(out, "%02u:%02u", (unsigned)(minutes / 60 % 24), (unsigned)(minutes % 60));
}
