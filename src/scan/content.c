/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lines and bytes of a message as the wire sees them. */
#include "scan/content.h"

#include "ipc/ask_queue.h"

enum { LINE_MOST = 998 }; /* RFC 5322 section 2.1.1 */

static bool has_8bit(struct text bytes)
{
    const char *at = bytes.at, *end = bytes.at + bytes.length;
    uint64_t seen = 0;
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; at < end; at++) seen |= (uint8_t)*at;
    return (seen & 0x8080808080808080) != 0;
}

uint16_t content_flags(struct text message, size_t body_offset)
{
    unsigned flags = 0;
    bool is_lines = message.length == 0 || !memchr(message.at, '\0', message.length);
    struct text body = text_slice(message, body_offset, message.length);
    if (has_8bit(text_slice(message, 0, body_offset))) flags |= CONTENT_HEADER_8BIT;
    if (has_8bit(body)) flags |= CONTENT_BODY_8BIT;
    for (size_t start = 0; start < message.length;) {
        if (text_starts(text_slice(message, start, message.length), TEXT("\r\n"))) {
            start += 2;
            continue;
        }
        const char *end = char_find_near(message.at + start, '\n', message.length - start);
        size_t next = end ? (size_t)(end - message.at) + 1 : message.length;
        size_t length = next - start;
        if (length >= 2 && message.at[next - 1] == '\n' && message.at[next - 2] == '\r')
            length -= 2;
        else if (end)
            is_lines = false;
        if (char_find_near(message.at + start, '\r', length)) is_lines = false;
        if (length > LINE_MOST) flags |= CONTENT_LONG_LINE;
        if (message.at[start] == '.') flags |= CONTENT_LEADING_DOT;
        start = next;
    }
    if (message.length > 0 && !text_ends(message, TEXT("\r\n"))) flags |= CONTENT_NO_END_OF_LINE;
    if (is_lines) flags |= CONTENT_IS_LINES;
    return (uint16_t)flags;
}
