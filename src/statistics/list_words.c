/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A reason is a text of ours, or one with a place before it or an address in brackets behind it. */
#include "statistics/list_words.h"

#include <stdio.h>
#include <string.h>

#include "statistics/words.h"

enum { WORDS_MOST = 256 };

/* False: it has none; nothing is appended. */
static bool said_add(struct buffer *out, enum language language, struct text english)
{
    char room[WORDS_MOST];
    if (english.length >= sizeof room) return false;
    snprintf(room, sizeof room, "%.*s", TEXT_ARG(english));
    const char *said = words_say(language, room);
    if (said == room) return false;
    buffer_add_text(out, text_of(said));
    return true;
}

/* `"WORD" is no domain name`. */
static bool quoted_add(struct buffer *out, enum language language, struct text why)
{
    size_t end = why.length;
    for (size_t i = 0; i + 1 < why.length; i++)
        if (why.at[i] == '"' && why.at[i + 1] == ' ') end = i + 2;
    if (end == why.length) return false;
    struct text says = text_slice(why, end, why.length);
    buffer_add_text(out, text_slice(why, 0, end));
    if (!said_add(out, language, says)) buffer_add_text(out, says);
    return true;
}

/* "WHY (192.0.2.1)". */
static bool bracketed_add(struct buffer *out, enum language language, struct text why)
{
    size_t bracket = text_find(why, TEXT(" ("));
    if (bracket == why.length || !said_add(out, language, text_slice(why, 0, bracket))) return false;
    buffer_add_text(out, text_slice(why, bracket, why.length));
    return true;
}

void list_words_add(struct buffer *out, enum language language, struct text why)
{
    size_t colon = text_find(why, TEXT(": "));
    struct text head = text_slice(why, 0, colon + 2), tail = text_slice(why, colon + 2, why.length);
    if (said_add(out, language, why)) return;
    bool is_known = tail.length > 0 && said_add(out, language, head);
    if (is_known) {
        list_words_add(out, language, tail);
    } else if (quoted_add(out, language, why) || bracketed_add(out, language, why)) {
        return;
    } else if (tail.length > 0) {
        buffer_add_text(out, head);
        list_words_add(out, language, tail);
    } else {
        buffer_add_text(out, why);
    }
}
