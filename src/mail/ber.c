/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tags of one byte; lengths short, long and indefinite. Called by signed.c and by open. */
#include "mail/ber.h"

bool ber_read(struct text text, struct ber_element *out)
{
    if (text.length < 2) return false;
    uint8_t first = (uint8_t)text.at[1];
    uint64_t length = first;
    *out = (struct ber_element){ .tag = (uint8_t)text.at[0], .is_open = first == 0x80, .header = 2 };
    if (first > 0x80) {
        out->header += first & 0x7F;
        if (out->header > 2 + sizeof length || out->header > text.length) return false;
        length = 0;
        for (size_t i = 2; i < out->header; i++) length = length << 8 | (uint8_t)text.at[i];
    }
    out->content = text_slice(text, out->header, text.length);
    if (!out->is_open && length < out->content.length) out->content.length = (size_t)length;
    return true;
}
