/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks texts up in gettext's compiled catalogues: two tables of lengths and offsets, the first one sorted.
 */
#include "statistics/words.h"

#include <string.h>

#include "statistics/calendar.h"
#include "statistics/catalogue_ja.h"

/* catalogue_ja.h is made of po/ja.po by the build. */
enum { MO_MAGIC = 0x950412de, MO_HEADER = 20 };

static uint32_t number_at(struct text catalogue, size_t offset)
{
    uint32_t number = 0;
    if (offset + sizeof number <= catalogue.length) memcpy(&number, catalogue.at + offset, sizeof number);
    return number;
}

/* The `index`th text of the table at `table`; NULL when it does not end inside the catalogue. */
static const char *text_at(struct text catalogue, uint32_t table, uint32_t index)
{
    uint32_t length = number_at(catalogue, table + 8 * (size_t)index);
    uint32_t offset = number_at(catalogue, table + 8 * (size_t)index + 4);
    if ((size_t)offset + length >= catalogue.length || catalogue.at[offset + length] != '\0') return NULL;
    return catalogue.at + offset;
}

const char *catalogue_say(struct text catalogue, const char *english)
{
    if (catalogue.length < MO_HEADER || number_at(catalogue, 0) != MO_MAGIC) return NULL;
    uint32_t low = 0, high = number_at(catalogue, 8);
    uint32_t originals = number_at(catalogue, 12), translations = number_at(catalogue, 16);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *original = text_at(catalogue, originals, middle);
        int order = original ? strcmp(english, original) : 0;
        if (!original) return NULL;
        if (order == 0) return text_at(catalogue, translations, middle);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const char *say_japanese(const char *english)
{
    struct text catalogue = { (const char *)catalogue_ja, sizeof catalogue_ja };
    const char *said = *english ? catalogue_say(catalogue, english) : NULL; /* the empty one is the head */
    return said ? said : english;
}

const struct wording *words_in(enum language language)
{
    static const struct wording english = { NULL }, japanese = { say_japanese };
    return language == LANGUAGE_JA ? &japanese : &english;
}

const char *words_say(enum language language, const char *english)
{
    return wording_say(words_in(language), english);
}

void words_add_day(struct buffer *out, enum language language, uint32_t day)
{
    static const char *const english[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const japanese[] = { "日", "月", "火", "水", "木", "金", "土" };
    unsigned year = calendar_year(day), month = calendar_month(day), date = calendar_date(day);
    enum weekday weekday = calendar_weekday(day);
    if (language == LANGUAGE_JA)
        buffer_printf(out, "%u年%u月%u日（%s）", year, month, date, japanese[weekday]);
    else
        buffer_printf(out, "%u-%02u-%02u (%s)", year, month, date, english[weekday]);
}
