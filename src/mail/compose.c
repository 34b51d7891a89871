/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Dates, base64 and plain text for the mails we write. */
#include "mail/compose.h"

#include <stdio.h>
#include <time.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *compose_date(uint64_t ms, char room[COMPOSE_DATE_SIZE])
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(room, COMPOSE_DATE_SIZE, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return room;
}

void compose_base64(struct buffer *out, struct text bytes, size_t line)
{
    size_t column = 0;
    for (size_t i = 0; i < bytes.length; i += 3) {
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (i + k < bytes.length ? (unsigned char)bytes.at[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            buffer_add_char(out, i + k > bytes.length ? '=' : digits[word >> (18 - 6 * k) & 63]);
        column += 4;
        if (line == 0 || (column < line && i + 3 < bytes.length)) continue;
        buffer_add_text(out, TEXT("\r\n"));
        column = 0;
    }
}

void compose_plain(struct buffer *out, struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        buffer_add_char(out, c >= 0x20 && c < 0x7f                 ? (char)c
                             : c == '\r' || c == '\n' || c == '\t' ? ' '
                                                                   : '?');
    }
}
