/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The smallest code has 21 lines of 21 modules, some half of them dark. */
#include "scan/drawing_hint.h"

enum { DARK_LEAST = 60, CELLS_LEAST = 100, BACKGROUNDS_LEAST = 60 };

struct hints {
    uint32_t dark, cells, backgrounds;
    bool has_picture;
};

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

bool drawing_hint_of_text(struct text text)
{
    uint32_t dark = 0;
    for (size_t at = 0; at < text.length && dark < DARK_LEAST; at++) dark += is_dark_at(text, at);
    return dark >= DARK_LEAST;
}

static void byte_look(struct text html, size_t at, struct hints *hints)
{
    switch (html.at[at]) {
    case '#':
    case '\xE2':
        hints->dark += is_dark_at(html, at);
        return;
    case '&':
        hints->dark += is_dark_entity_at(html, at);
        return;
    case '<':
        hints->cells += is_at(html, at, TEXT("<td")) || is_at(html, at, TEXT("<th"));
        hints->has_picture |= is_at(html, at, TEXT("<svg"));
        return;
    case 'b':
    case 'B':
        hints->backgrounds += is_at(html, at, TEXT("bgcolor")) || is_at(html, at, TEXT("background"));
        return;
    case 'd':
    case 'D':
        hints->has_picture |= is_at(html, at, TEXT("data:image/"));
        return;
    default:
        return;
    }
}

bool drawing_hint_of_html(struct text html)
{
    struct hints hints = { 0 };
    for (size_t at = 0; at < html.length && !hints.has_picture && hints.dark < DARK_LEAST; at++)
        byte_look(html, at, &hints);
    return hints.has_picture || hints.dark >= DARK_LEAST ||
           (hints.cells >= CELLS_LEAST && hints.backgrounds >= BACKGROUNDS_LEAST);
}
