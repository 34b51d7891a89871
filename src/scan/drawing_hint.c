/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The smallest code has 21 lines of 21 modules, some half of them dark. */
#include "scan/drawing_hint.h"

enum { DARK_LEAST = 60, CELLS_LEAST = 100, BACKGROUNDS_LEAST = 60 };

static bool is_at(struct text text, size_t at, struct text wanted)
{
    return text_starts_nocase(text_slice(text, at, at + wanted.length), wanted);
}

/* U+2580 to U+25BF, U+2B1B, "##". */
static bool is_dark_at(struct text text, size_t at)
{
    unsigned char second = at + 1 < text.length ? (unsigned char)text.at[at + 1] : 0;
    if (text.at[at] == '#') return second == '#';
    return (unsigned char)text.at[at] == 0xE2 && (second == 0x96 || second == 0xAC);
}

static bool is_dark_entity_at(struct text html, size_t at)
{
    return is_at(html, at, TEXT("&#9")) || is_at(html, at, TEXT("&#x2")) ||
           is_at(html, at, TEXT("&block;")) || is_at(html, at, TEXT("&uhblk;")) ||
           is_at(html, at, TEXT("&lhblk;"));
}

static bool is_cell_at(struct text html, size_t at)
{
    return is_at(html, at, TEXT("<td")) || is_at(html, at, TEXT("<th"));
}

static bool is_drawing_at(struct text html, size_t at)
{
    return is_at(html, at, TEXT("<svg"));
}

/* At the colon of "data:image/". */
static bool is_data_at(struct text html, size_t at)
{
    enum { SCHEME = 4 };
    return at >= SCHEME && is_at(html, at - SCHEME, TEXT("data:image/"));
}

static bool is_background_at(struct text html, size_t at)
{
    return is_at(html, at, TEXT("bgcolor")) || is_at(html, at, TEXT("background"));
}

/* Of the places that begin with a byte those of which `is_wanted`, up to `most`. */
static uint32_t count(struct text text, char byte, bool (*is_wanted)(struct text text, size_t at),
                      uint32_t most)
{
    uint32_t found = 0;
    const char *at = text.at, *end = text.at + text.length;
    for (; found < most && at < end && (at = memchr(at, byte, (size_t)(end - at))); at++)
        found += is_wanted(text, (size_t)(at - text.at));
    return found;
}

static uint32_t dark_in(struct text text)
{
    return count(text, '#', is_dark_at, DARK_LEAST) + count(text, '\xE2', is_dark_at, DARK_LEAST);
}

static uint32_t backgrounds_in(struct text html)
{
    return count(html, 'b', is_background_at, BACKGROUNDS_LEAST) +
           count(html, 'B', is_background_at, BACKGROUNDS_LEAST);
}

bool drawing_hint_of_text(struct text text)
{
    return dark_in(text) >= DARK_LEAST;
}

bool drawing_hint_of_html(struct text html)
{
    if (count(html, '<', is_drawing_at, 1) || count(html, ':', is_data_at, 1)) return true;
    if (dark_in(html) + count(html, '&', is_dark_entity_at, DARK_LEAST) >= DARK_LEAST) return true;
    return count(html, '<', is_cell_at, CELLS_LEAST) == CELLS_LEAST &&
           backgrounds_in(html) >= BACKGROUNDS_LEAST;
}
