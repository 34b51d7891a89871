/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a character shows and does where it is shown. */
#include "base/printable.h"

#include "base/utf8.h"

uint32_t printable_code(struct text text, size_t length)
{
    static const uint8_t masks[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t code = (uint8_t)text.at[0] & masks[length];
    for (size_t i = 1; i < length; i++) code = code << 6 | ((uint8_t)text.at[i] & 0x3F);
    return code;
}

/* C0, DEL, C1, line and paragraph separators, marks and embeddings of direction, tags, the byte order mark,
   and what takes room or none and shows nothing. */
bool printable_is_active(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0xAD || code == 0x115F ||
           code == 0x1160 || code == 0x180E || code == 0x3164 || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
           (code >= 0xE0000 && code <= 0xE007F);
}

size_t printable_length(struct text text)
{
    if (text.length && char_is_printable(text.at[0]))
        return 1; /* nearly all: each line of the log comes here */
    size_t length = utf8_sequence(text);
    return length && !printable_is_active(printable_code(text, length)) ? length : 0;
}

bool printable_is_whole(struct text text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i += length) {
        length = printable_length(text_slice(text, i, text.length));
        if (length == 0) return false;
    }
    return true;
}
