/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One character at a time; each is measured before it is written, so that a cut never leaves half of one. */
#include "base/plain.h"

#include <stdio.h>

#include "base/printable.h"
#include "base/utf8.h"

enum { PIECE_BYTES = 16 };

struct plain_piece {
    char bytes[PIECE_BYTES];
    size_t length, columns, taken;
};

static bool is_wide(uint32_t code)
{
    return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
           (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF01 && code <= 0xFF60) ||
           (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
           (code >= 0x20000 && code <= 0x3FFFD);
}

static bool is_combining(uint32_t code)
{
    return (code >= 0x0300 && code <= 0x036F) || (code >= 0x3099 && code <= 0x309A) ||
           (code >= 0x20D0 && code <= 0x20FF) || (code >= 0xFE00 && code <= 0xFE0F) ||
           (code >= 0xFE20 && code <= 0xFE2F);
}

static size_t columns_as_is(uint32_t code)
{
    return is_combining(code) ? 0 : is_wide(code) ? 2 : 1;
}

static void escape(struct plain_piece *piece, const char *format, uint32_t code)
{
    piece->length = piece->columns = (size_t)snprintf(piece->bytes, sizeof piece->bytes, format, code);
}

static struct plain_piece piece_next(struct text text)
{
    size_t length = utf8_sequence(text);
    struct plain_piece piece = { .taken = length ? length : 1 };
    uint32_t code = length ? printable_code(text, length) : (uint8_t)text.at[0];
    if (!length)
        escape(&piece, "\\x%02x", code);
    else if (code == '\\')
        escape(&piece, "\\\\", 0);
    else if (code == '\n')
        escape(&piece, "\\n", 0);
    else if (code == '\t')
        escape(&piece, "\\t", 0);
    else if (printable_is_active(code))
        escape(&piece, "\\u{%x}", code);
    else {
        memcpy(piece.bytes, text.at, length);
        piece.length = length;
        piece.columns = columns_as_is(code);
    }
    return piece;
}

static size_t columns_of(struct text text, size_t most)
{
    size_t columns = 0;
    while (text.length && columns <= most) {
        struct plain_piece piece = piece_next(text);
        columns += piece.columns;
        text = text_slice(text, piece.taken, text.length);
    }
    return columns;
}

size_t plain_width(struct text text)
{
    size_t columns = 0;
    while (text.length) {
        size_t length = utf8_sequence(text);
        columns += length ? columns_as_is(printable_code(text, length)) : 1;
        text = text_slice(text, length ? length : 1, text.length);
    }
    return columns;
}

size_t plain_add(struct buffer *out, struct text text, size_t most)
{
    size_t columns = 0, room = most ? most : SIZE_MAX;
    bool is_cut = most && columns_of(text, most) > most;
    if (is_cut) room = most - 1;
    while (text.length) {
        struct plain_piece piece = piece_next(text);
        if (columns + piece.columns > room) break;
        buffer_add(out, piece.bytes, piece.length);
        columns += piece.columns;
        text = text_slice(text, piece.taken, text.length);
    }
    if (is_cut) buffer_add_text(out, TEXT("…"));
    return columns + is_cut;
}
