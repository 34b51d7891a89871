/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one place that knows how UTF-8 is formed. */
#include "base/utf8.h"

size_t utf8_sequence(struct text text)
{
    const uint8_t *at = (const uint8_t *)text.at;
    uint8_t low = 0x80, high = 0xBF;
    size_t length;
    if (text.length == 0) return 0;
    if (at[0] < 0x80) return 1;
    if (at[0] < 0xC2 || at[0] > 0xF4) return 0;
    if (at[0] == 0xE0) low = 0xA0;
    if (at[0] == 0xED) high = 0x9F;
    if (at[0] == 0xF0) low = 0x90;
    if (at[0] == 0xF4) high = 0x8F;
    length = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (text.length < length || at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return length;
}

bool utf8_is_valid(struct text text)
{
    while (text.length > 0) {
        bool is_ascii = (uint8_t)text.at[0] < 0x80;
        size_t length = is_ascii ? text_ascii_length(text) : utf8_sequence(text);
        if (length == 0) return false;
        text = text_slice(text, length, text.length);
    }
    return true;
}

size_t utf8_write(uint32_t point, char out[4])
{
    static const uint8_t leads[] = { 0, 0xC0, 0xE0, 0xF0 };
    if (point == 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return 0;
    unsigned more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    out[0] = (char)(leads[more] | point >> 6 * more);
    for (unsigned i = 1; i <= more; i++) out[i] = (char)(0x80 | (point >> 6 * (more - i) & 0x3F));
    return more + 1;
}
