/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One memchr a line. */
#include "mail/line_form.h"

size_t line_form_write(struct text in, enum line_form form, char *out)
{
    size_t written = 0, at = 0;
    while (at < in.length) {
        const char *feed = char_find_near(in.at + at, '\n', in.length - at);
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

/* The first such CR at or behind `from`; the length when there is none. */
static size_t next_return(struct text in, size_t from)
{
    while (from < in.length) {
        const char *hit = memchr(in.at + from, '\r', in.length - from);
        if (!hit) break;
        from = (size_t)(hit - in.at);
        if (from + 1 == in.length || hit[1] != '\n') return from;
        struct text rest = text_slice(in, from + 2, in.length);
        text_skip_empty_lines(&rest);
        from = in.length - rest.length;
    }
    return in.length;
}

bool line_form_has_return(struct text in)
{
    return next_return(in, 0) < in.length;
}

size_t line_form_write_returns(struct text in, bool is_end, char *out)
{
    size_t written = 0;
    for (size_t at = 0; at < in.length;) {
        size_t hit = next_return(in, at);
        memcpy(out + written, in.at + at, hit - at);
        written += hit - at;
        at = hit + 1;
        if (hit == in.length || !is_end) continue;
        memcpy(out + written, "\r\n", 2);
        written += 2;
    }
    return written;
}
