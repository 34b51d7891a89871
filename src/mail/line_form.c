/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One memchr a line. */
#include "mail/line_form.h"

size_t line_form_write(struct text in, enum line_form form, char *out)
{
    size_t written = 0, at = 0;
    while (at < in.length) {
        const char *feed = memchr(in.at + at, '\n', in.length - at);
        size_t next = feed ? (size_t)(feed + 1 - in.at) : in.length, end = feed ? next - 1 : next;
        bool has_return = feed && end > at && in.at[end - 1] == '\r';
        if (has_return) end--;
        if (feed && form != LINE_FORM_FED)
            while (end > at && char_is_blank(in.at[end - 1])) end--;
        memcpy(out + written, in.at + at, end - at);
        written += end - at;
        if (has_return && form == LINE_FORM_TRIMMED) out[written++] = '\r';
        if (feed) out[written++] = '\n';
        at = next;
    }
    return written;
}
