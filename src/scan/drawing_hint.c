/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The smallest code has 21 lines of 21 modules, some half of them dark. A glance at all bytes says no to most
   texts; what is left is looked at as the reader will (open/block_drawing.c, open/table_drawing.c): what says
   no here, it would not draw either. */
#include "scan/drawing_hint.h"

#include "mail/html_tags.h"

enum {
    DARK_LEAST = 60,
    CELLS_LEAST = 100, /* of one table, those of tables in it not counted */
    BACKGROUNDS_LEAST = 60,
    LINES_LEAST = 10, /* of a drawing, each with some dark characters */
    DARK_IN_LINE = 4,
    DEPTH_MOST = 32 /* tables in tables */
};

static bool is_at(struct text text, size_t at, struct text wanted)
{
    return text_starts_nocase(text_slice(text, at, at + wanted.length), wanted);
}

static unsigned char byte_at(struct text text, size_t at)
{
    return at < text.length ? (unsigned char)text.at[at] : 0;
}

/* U+2580 to U+25BF, U+25CF, U+25FC, U+25FE, U+2B1B, "##". */
static bool is_dark_at(struct text text, size_t at)
{
    unsigned char second = byte_at(text, at + 1), third = byte_at(text, at + 2);
    if (text.at[at] == '#') return second == '#';
    if (byte_at(text, at) != 0xE2) return false;
    return second == 0x96 || second == 0xAC ||
           (second == 0x97 && (third == 0x8F || third == 0xBC || third == 0xBE));
}

/* A number may have zeros before it; "&#039;" is an apostrophe, and often there. */
static bool is_dark_entity_at(struct text html, size_t at)
{
    return is_at(html, at, TEXT("&#9")) || is_at(html, at, TEXT("&#09")) || is_at(html, at, TEXT("&#00")) ||
           is_at(html, at, TEXT("&#x2")) || is_at(html, at, TEXT("&#x0")) ||
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

/* All that the reader could take for dark, and more: "#" alone too, U+2580 to U+25FF, U+2B00 to U+2B3F. */
static bool is_line_of_drawing(struct text line)
{
    uint32_t dark = 0;
    for (size_t at = 0; at < line.length && dark < DARK_IN_LINE; at++) {
        unsigned char second = byte_at(line, at + 1);
        bool is_block = line.at[at] == '\xE2' && (second == 0x96 || second == 0x97 || second == 0xAC);
        dark += line.at[at] == '#' || is_block;
    }
    return dark >= DARK_IN_LINE;
}

/* A line with a no-break or an ideographic space at its start may be. */
static bool may_be_blank(struct text line)
{
    return text_trim(line).length == 0 || text_starts(line, TEXT("\xC2\xA0")) ||
           text_starts(line, TEXT("\xE3\x80\x80"));
}

/* Blank lines do not end it. */
static bool has_lines_of_drawing(struct text text)
{
    uint32_t lines = 0;
    struct text line;
    while (lines < LINES_LEAST && text_next_line(&text, &line))
        if (is_line_of_drawing(line))
            lines++;
        else if (!may_be_blank(line))
            lines = 0;
    return lines == LINES_LEAST;
}

bool drawing_hint_of_text(struct text text)
{
    return dark_in(text) >= DARK_LEAST && has_lines_of_drawing(text);
}

/* A code has as many cells in one table: a row of it changes its colour ten times. */
static bool has_table_of_cells(struct text html)
{
    uint32_t cells[DEPTH_MOST + 1] = { 0 }, depth = 0; /* at 0: outside of all tables */
    struct html_piece tag;
    while (html_next(&html, &tag)) {
        if (html_is(&tag, TEXT("table")) && tag.is_end) {
            if (depth > 0) depth--;
        } else if (html_is(&tag, TEXT("table"))) {
            if (depth == DEPTH_MOST) return true;
            cells[++depth] = 0;
        } else if (!tag.is_end && (html_is(&tag, TEXT("td")) || html_is(&tag, TEXT("th")))) {
            if (depth > 0 && ++cells[depth] == CELLS_LEAST) return true;
        }
    }
    return false;
}

bool drawing_hint_of_html(struct text html)
{
    if (count(html, '<', is_drawing_at, 1) || count(html, ':', is_data_at, 1)) return true;
    if (dark_in(html) + count(html, '&', is_dark_entity_at, DARK_LEAST) >= DARK_LEAST) return true;
    return count(html, '<', is_cell_at, CELLS_LEAST) == CELLS_LEAST &&
           backgrounds_in(html) >= BACKGROUNDS_LEAST && has_table_of_cells(html);
}
