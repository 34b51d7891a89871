/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An ASCII tag that ends in a blank stands as it is before any text: ASCII is part of every charset
   here and the blank separates it from an encoded word. Anything else is written the way the
   Subject itself is written. */
#include "mail/subject_tag.h"

#include "mail/charset.h"
#include "mail/encoded_word.h"

enum { LINE_MOST = 78, NAME_LENGTH = sizeof "Subject:" - 1 };

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t leading_white(struct text value)
{
    size_t white = 0;
    while (white < value.length && is_white(value.at[white])) white++;
    return white;
}

static bool is_plain(struct text prefix)
{
    return text_is_ascii(prefix) && text_find(prefix, TEXT("=?")) == prefix.length;
}

/* Raw bytes in the charset the text is in, without words. False when it lacks a character. */
static bool raw_prefix(struct text text, struct text prefix, struct buffer *out)
{
    struct text charset = charset_of_bytes(TEXT_NONE, text);
    if (text_equal(charset, TEXT("US-ASCII"))) return false;
    return charset_from_utf8(charset, prefix, out);
}

static void encoded_prefix(struct text text, struct text prefix, struct buffer *out)
{
    struct word word;
    if (word_at(text, &word)) {
        word_encode(word.charset, word.encoding, prefix, out);
        buffer_add_char(out, ' ');
    } else if (is_plain(prefix)) {
        buffer_add_text(out, prefix);
    } else if (!raw_prefix(text, prefix, out)) {
        word_encode(TEXT("UTF-8"), 'B', text_trim(prefix), out);
        if (text.length) buffer_add_char(out, ' ');
    }
}

static bool is_tagged(struct text value, struct text prefix)
{
    struct buffer decoded = { 0 };
    word_decode(value, TEXT_NONE, &decoded, NULL);
    bool tagged = text_starts(buffer_text(&decoded), text_trim(prefix));
    buffer_free(&decoded);
    return tagged;
}

/* Does the first line get longer than it should once `insert` stands before the word in `text`? */
static bool must_fold(struct text text, size_t insert)
{
    struct word word;
    if (!word_at(text, &word)) return false;
    return NAME_LENGTH + insert + text_find_char(text, '\n') > LINE_MOST;
}

bool subject_prefix(struct arena *arena, struct text value, struct text prefix, size_t *out_cut,
                    struct text *out_insert)
{
    if (is_tagged(value, prefix)) return false;
    size_t white = leading_white(value);
    struct text text = text_trim(value);
    struct buffer insert = { 0 };
    struct word word;
    bool spaced = prefix.length > 0 && char_is_blank(prefix.at[prefix.length - 1]);
    buffer_add_char(&insert, ' ');
    if (is_plain(prefix) && (spaced || !word_at(text, &word)))
        buffer_add_text(&insert, text.length ? prefix : text_trim(prefix));
    else
        encoded_prefix(text, prefix, &insert);
    if (must_fold(text, buffer_length(&insert))) {
        while (insert.end > insert.start && char_is_blank(insert.memory[insert.end - 1])) insert.end--;
        buffer_add(&insert, "\r\n ", 3);
    }
    *out_cut = white;
    *out_insert = arena_text(arena, buffer_text(&insert));
    buffer_free(&insert);
    return true;
}

struct text subject_of_prefix(struct arena *arena, struct text prefix)
{
    size_t cut;
    struct text insert = TEXT_NONE;
    subject_prefix(arena, TEXT(""), prefix, &cut, &insert);
    return insert;
}
