/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a foreign text looks like in tables, mail and pages. */
#include "base/shown.h"

#include <stdint.h>
#include <stdio.h>

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/* Controls, what is invisible, what changes the direction, and what is no character. */
static const struct range hidden[] = {
    { 0x00, 0x1f },     { 0x7f, 0xa0 },     { 0xad, 0xad },     { 0x61c, 0x61c },   { 0x115f, 0x1160 },
    { 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
    { 0xe000, 0xf8ff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff },
};
static const struct range wide[] = {
    { 0x1100, 0x115e },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },   { 0xac00, 0xd7a3 },
    { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
    { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};
static const struct range marks[] = {
    { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },
    { 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

static bool is_among(uint32_t character, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last) return true;
    return false;
}
#define IS_AMONG(character, ranges) is_among(character, ranges, sizeof ranges / sizeof *ranges)

static uint32_t character_of(const char *at, size_t length)
{
    uint32_t value = (unsigned char)at[0];
    if (length > 1) value &= 0x7fu >> length;
    for (size_t i = 1; i < length; i++) value = value << 6 | ((unsigned char)at[i] & 0x3f);
    return value;
}

static size_t columns_of(uint32_t character)
{
    if (IS_AMONG(character, marks)) return 0;
    return IS_AMONG(character, wide) ? 2 : 1;
}

/* One character or byte at the front of `text` as it is shown; returns how many bytes it took. */
static size_t piece_make(struct text text, char room[16], size_t *out_length, size_t *out_columns)
{
    size_t length = utf8_sequence(text);
    uint32_t character = length ? character_of(text.at, length) : (unsigned char)text.at[0];
    if (length && character != '\\' && !IS_AMONG(character, hidden)) {
        memcpy(room, text.at, length);
        *out_length = length;
        *out_columns = columns_of(character);
        return length;
    }
    const char *format = character == '\\' ? "\\\\" : !length || character < 0x80 ? "\\x%02x" : "\\u{%x}";
    *out_length = *out_columns = (size_t)snprintf(room, 16, format, character);
    return length ? length : 1;
}

void shown_add(struct buffer *out, struct text text, size_t most)
{
    size_t columns = 0, cut_at = buffer_length(out);
    while (text.length > 0) {
        char piece[16];
        size_t length, wide_by, taken = piece_make(text, piece, &length, &wide_by);
        if (columns + wide_by > most) {
            out->end = out->start + cut_at;
            if (most > 0) buffer_add_text(out, TEXT("…"));
            return;
        }
        buffer_add(out, piece, length);
        columns += wide_by;
        if (columns < most) cut_at = buffer_length(out); /* the ellipsis still fits behind this */
        text = text_slice(text, taken, text.length);
    }
}

size_t shown_width(struct text text)
{
    size_t columns = 0;
    while (text.length > 0) {
        size_t length = utf8_sequence(text);
        columns += length ? columns_of(character_of(text.at, length)) : 1;
        text = text_slice(text, length ? length : 1, text.length);
    }
    return columns;
}
