/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes JSON strings. */
#include "base/json_text.h"

#include "base/utf8.h"

void json_text_add(struct buffer *out, struct text text)
{
    buffer_add_char(out, '"');
    while (text.length > 0) {
        size_t length = utf8_sequence(text);
        uint8_t c = (uint8_t)text.at[0];
        if (length == 0)
            buffer_add_text(out, TEXT("\\ufffd"));
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_add(out, text.at, length);
        text = text_slice(text, length ? length : 1, text.length);
    }
    buffer_add_char(out, '"');
}
