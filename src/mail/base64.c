/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one writer of base64. */
#include "mail/base64.h"

enum { LINE_BYTES = 57 }; /* 76 characters */

void base64_add(struct buffer *out, struct text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        uint32_t bits = (uint32_t)(uint8_t)bytes.at[i] << 16;
        if (left > 1) bits |= (uint32_t)(uint8_t)bytes.at[i + 1] << 8;
        if (left > 2) bits |= (uint8_t)bytes.at[i + 2];
        const char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
                               left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '=' };
        buffer_add(out, four, sizeof four);
    }
}

void base64_add_lines(struct buffer *out, struct text bytes, bool ends_line)
{
    for (size_t at = 0; at < bytes.length; at += LINE_BYTES) {
        base64_add(out, text_slice(bytes, at, at + LINE_BYTES));
        if (ends_line || at + LINE_BYTES < bytes.length) buffer_add_text(out, TEXT("\r\n"));
    }
}
