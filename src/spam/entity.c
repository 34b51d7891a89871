/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/entity.h"

#include <stdlib.h>

#include "base/utf8.h"

struct entity {
    const char *name;
    uint32_t point;
    bool is_old; /* its semicolon may be missing */
};

/* Those met in mail, in the order of strcmp. */
static const struct entity entities[] = {
    { "AMP", '&', true },
    { "Aacute", 0xC1, true },
    { "Agrave", 0xC0, true },
    { "Auml", 0xC4, true },
    { "COPY", 0xA9, true },
    { "Ccedil", 0xC7, true },
    { "Eacute", 0xC9, true },
    { "GT", '>', true },
    { "LT", '<', true },
    { "Ntilde", 0xD1, true },
    { "Oacute", 0xD3, true },
    { "Ouml", 0xD6, true },
    { "QUOT", '"', true },
    { "REG", 0xAE, true },
    { "Uacute", 0xDA, true },
    { "Uuml", 0xDC, true },
    { "ZeroWidthSpace", 0x200B, false },
    { "aacute", 0xE1, true },
    { "acirc", 0xE2, true },
    { "acute", 0xB4, true },
    { "aelig", 0xE6, true },
    { "agrave", 0xE0, true },
    { "amp", '&', true },
    { "apos", '\'', false },
    { "aring", 0xE5, true },
    { "atilde", 0xE3, true },
    { "auml", 0xE4, true },
    { "bdquo", 0x201E, false },
    { "bull", 0x2022, false },
    { "ccedil", 0xE7, true },
    { "cent", 0xA2, true },
    { "check", 0x2713, false },
    { "colon", ':', false },
    { "comma", ',', false },
    { "commat", '@', false },
    { "copy", 0xA9, true },
    { "darr", 0x2193, false },
    { "deg", 0xB0, true },
    { "dollar", '$', false },
    { "eacute", 0xE9, true },
    { "ecirc", 0xEA, true },
    { "egrave", 0xE8, true },
    { "emsp", 0x2003, false },
    { "ensp", 0x2002, false },
    { "euml", 0xEB, true },
    { "euro", 0x20AC, false },
    { "excl", '!', false },
    { "frac12", 0xBD, true },
    { "gt", '>', true },
    { "hearts", 0x2665, false },
    { "hellip", 0x2026, false },
    { "iacute", 0xED, true },
    { "icirc", 0xEE, true },
    { "iexcl", 0xA1, true },
    { "igrave", 0xEC, true },
    { "iuml", 0xEF, true },
    { "laquo", 0xAB, true },
    { "larr", 0x2190, false },
    { "ldquo", 0x201C, false },
    { "lsquo", 0x2018, false },
    { "lt", '<', true },
    { "mdash", 0x2014, false },
    { "middot", 0xB7, true },
    { "nbsp", 0xA0, true },
    { "ndash", 0x2013, false },
    { "not", 0xAC, true },
    { "ntilde", 0xF1, true },
    { "num", '#', false },
    { "oacute", 0xF3, true },
    { "ocirc", 0xF4, true },
    { "ograve", 0xF2, true },
    { "oslash", 0xF8, true },
    { "otilde", 0xF5, true },
    { "ouml", 0xF6, true },
    { "para", 0xB6, true },
    { "percnt", '%', false },
    { "period", '.', false },
    { "plus", '+', false },
    { "pound", 0xA3, true },
    { "quest", '?', false },
    { "quot", '"', true },
    { "raquo", 0xBB, true },
    { "rarr", 0x2192, false },
    { "rdquo", 0x201D, false },
    { "reg", 0xAE, true },
    { "rsquo", 0x2019, false },
    { "sbquo", 0x201A, false },
    { "sect", 0xA7, true },
    { "shy", 0xAD, true },
    { "sol", '/', false },
    { "star", 0x2606, false },
    { "szlig", 0xDF, true },
    { "thinsp", 0x2009, false },
    { "times", 0xD7, true },
    { "trade", 0x2122, false },
    { "uacute", 0xFA, true },
    { "uarr", 0x2191, false },
    { "ucirc", 0xFB, true },
    { "ugrave", 0xF9, true },
    { "uuml", 0xFC, true },
    { "yen", 0xA5, true },
    { "zwj", 0x200D, false },
    { "zwnj", 0x200C, false },
};

static void character_add(uint32_t point, struct buffer *out)
{
    char bytes[4];
    size_t length = utf8_write(point, bytes);
    buffer_add_text(out, length ? text_from(bytes, length) : TEXT("\uFFFD"));
}

/* Numbers from 128 to 159 mean windows-1252 there; the dashes, quotes and marks of it that are met. */
static uint32_t point_of_number(uint32_t number)
{
    static const uint16_t upper[32] = { 0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                        0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178 };
    return number >= 0x80 && number < 0xA0 ? upper[number - 0x80] : number;
}

/* `text` begins with "&#". */
static size_t number_read(struct text text, struct buffer *out)
{
    bool is_hex = text.length > 2 && (text.at[2] == 'x' || text.at[2] == 'X');
    size_t at = is_hex ? 3 : 2, first = at;
    uint32_t number = 0;
    for (; at < text.length && at < ENTITY_BYTES_MOST; at++) {
        int digit = char_hex_value(text.at[at]);
        if (digit < 0 || (!is_hex && digit > 9)) break;
        number = number * (is_hex ? 16 : 10) + (uint32_t)digit;
        if (number > 0x110000) number = 0x110000;
    }
    if (at == first) return 0;
    character_add(point_of_number(number), out);
    return at < text.length && text.at[at] == ';' ? at + 1 : at;
}

struct name {
    const char *at;
    size_t length;
};

static int name_compare(const void *key, const void *row)
{
    const struct name *name = key;
    const struct entity *entity = row;
    int order = strncmp(name->at, entity->name, name->length);
    return order ? order : -(entity->name[name->length] != '\0');
}

size_t entity_read(struct text text, struct buffer *out)
{
    size_t end = 1;
    if (text.length < 3) return 0;
    if (text.at[1] == '#') return number_read(text, out);
    while (end < text.length && end < ENTITY_BYTES_MOST &&
           (char_is_alpha(text.at[end]) || char_is_digit(text.at[end])))
        end++;
    const struct name name = { text.at + 1, end - 1 };
    const struct entity *entity =
        bsearch(&name, entities, sizeof entities / sizeof *entities, sizeof *entities, name_compare);
    bool is_ended = end < text.length && text.at[end] == ';';
    if (name.length == 0 || !entity || (!is_ended && !entity->is_old)) return 0;
    character_add(entity->point, out);
    return is_ended ? end + 1 : end;
}
