/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by worker.c, before it decides. */
#include "scan/trace_fields.h"

enum { PREFIX_MOST = 16 * 1024 };

static bool is_named(struct text line)
{
    static const struct text names[] = {
        { "Received:", 9 }, { "X-Sekimori-Id:", 14 }, { "Message-ID:", 11 }, { "Date:", 5 }
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(line, names[i])) return true;
    return false;
}

/* A tab may begin a line, and stands for a blank. */
static bool is_printable(struct text line)
{
    bool has_word = false;
    for (size_t i = 0; i < line.length; i++) {
        if (line.at[i] != '\t' && !char_is_printable(line.at[i])) return false;
        if (line.at[i] > ' ') has_word = true;
    }
    return has_word;
}

bool trace_fields_are_ours(struct text prefix)
{
    bool has_field = false;
    if (prefix.length > PREFIX_MOST || (prefix.length > 0 && !text_ends(prefix, TEXT("\r\n")))) return false;
    for (struct text rest = prefix; rest.length > 0;) {
        size_t end = text_find_char(rest, '\n');
        if (end == 0 || end == rest.length || rest.at[end - 1] != '\r') return false;
        struct text line = text_slice(rest, 0, end - 1);
        bool is_folded = has_field && (text_starts(line, TEXT("\t")) || text_starts(line, TEXT(" ")));
        if (!is_printable(line) || (!is_folded && !is_named(line))) return false;
        has_field = true;
        rest = text_slice(rest, end + 1, rest.length);
    }
    return true;
}
