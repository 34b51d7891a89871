/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes addresses in UTF-8 as utf-8-addr-xtext. */
#include "mail/orcpt.h"

#include "base/utf8.h"

/* The code point of the well-formed sequence at the front. */
static uint32_t code_point(struct text text, size_t length)
{
    uint32_t value = length > 1 ? (uint8_t)text.at[0] & (0x7fu >> length) : (uint8_t)text.at[0];
    for (size_t i = 1; i < length; i++) value = value << 6 | ((uint8_t)text.at[i] & 0x3f);
    return value;
}

/* `keeps_backslash`: what stands escaped already stays so. */
static void put(struct text address, bool keeps_backslash, struct buffer *out)
{
    while (address.length) {
        size_t length = utf8_sequence(address);
        if (length == 0) length = 1;
        uint32_t value = code_point(address, length);
        bool is_escaped = value > '~' || value <= ' ' || value == '+' || value == '=' ||
                          (value == '\\' && !keeps_backslash);
        if (is_escaped)
            buffer_printf(out, "\\x{%X}", value);
        else
            buffer_add_char(out, (char)value);
        address = text_slice(address, length, address.length);
    }
}

void orcpt_put_utf8(struct text address, struct buffer *out)
{
    put(address, false, out);
}

struct text orcpt_to_ascii(struct arena *arena, struct text orcpt)
{
    size_t semicolon = text_find_char(orcpt, ';');
    struct text address = text_slice(orcpt, semicolon + 1, orcpt.length);
    if (semicolon == orcpt.length || text_is_ascii(address) || !utf8_is_valid(address)) return orcpt;
    struct buffer out = { 0 };
    buffer_add_text(&out, TEXT("utf-8;"));
    put(address, text_equal_nocase(text_slice(orcpt, 0, semicolon), TEXT("utf-8")), &out);
    struct text ascii = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return ascii;
}
