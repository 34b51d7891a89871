/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An ASCII tag that ends in a blank stands as it is before any text: ASCII is part of every charset
   here and the blank separates it from an encoded word. Another one is written the way the Subject itself is
   written; raw bytes without a label become words then, so that every program reads both. */
#include "mail/subject_tag.h"

#include "mail/charset.h"
#include "mail/encoded_word.h"

/* An escape in a word is taken for one of ISO-2022, whatever the word says. */
static const char ESCAPE = '\x1b';

enum { LINE_MOST = 998, NAME_LENGTH = sizeof "Subject:" - 1 }; /* RFC 5322 section 2.1.1 */

static size_t leading_white(struct text value)
{
    size_t white = 0;
    while (white < value.length && char_is_white(value.at[white])) white++;
    return white;
}

static bool is_plain(struct text prefix)
{
    return text_is_ascii(prefix) && text_find(prefix, TEXT("=?")) == prefix.length;
}

static bool is_tagged(const struct subject *subject, struct text prefix)
{
    struct buffer decoded = { 0 };
    word_decode(subject->value, subject->declared, &decoded, NULL);
    bool tagged = text_starts(buffer_text(&decoded), text_trim(prefix));
    buffer_free(&decoded);
    return tagged;
}

/* Has the Subject a word in UTF-16 or the like, which others read in another byte order, or not at all? */
static bool is_unreadable(struct text text)
{
    static const struct text families[] = {
        { "utf-16", 6 }, { "utf-32", 6 }, { "ucs-", 4 }, { "iso-10646", 9 }
    };
    struct word word;
    for (; word_find(text, &word);
         text = text_slice(text, (size_t)(word.encoded.at - text.at) + word.encoded.length, text.length))
        for (size_t i = 0; i < sizeof families / sizeof *families; i++)
            if (text_starts_nocase(word.charset, families[i])) return true;
    return false;
}

/* Raw bytes without words, in a charset that they do not show by themselves. windows-1252 is what is left
   when nothing is known of them. */
static bool is_unlabelled(const struct subject *subject, struct text text, struct text *out_charset)
{
    static const struct text others[] = { { "UTF-8", 5 }, { "US-ASCII", 8 }, { "windows-1252", 12 } };
    struct word word;
    *out_charset = charset_of_bytes(subject->declared, text);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_equal(*out_charset, others[i])) return false;
    return !word_find(text, &word);
}

/* The whole Subject as words, what others cannot be sure to read among them. False: it can stay, or a part of
   it is no text. */
static bool rewrite(const struct subject *subject, struct text text, struct text prefix, struct buffer *out)
{
    struct buffer whole = { 0 };
    struct text charset = TEXT("UTF-8");
    bool is_due = is_unreadable(text) || (!is_plain(prefix) && is_unlabelled(subject, text, &charset));
    if (!is_due) return false;
    buffer_add_text(&whole, prefix);
    word_decode(subject->value, subject->declared, &whole, NULL);
    is_due = text_find(buffer_text(&whole), TEXT("\xef\xbf\xbd")) == buffer_length(&whole) &&
             text_find_char(buffer_text(&whole), ESCAPE) == buffer_length(&whole);
    if (is_due) word_encode(charset, 'B', buffer_text(&whole), subject->column + 1, out);
    buffer_free(&whole);
    return is_due;
}

/* As words before a text that has some: in the charset of the first. A blank between two words is not shown,
   one between a word and anything else is. */
static void add_words(struct text text, struct text prefix, struct word *like, size_t column,
                      struct buffer *out)
{
    bool is_next_to_word = text_starts(text, TEXT("=?")) && word_at(text, &(struct word){ 0 });
    word_encode(like->charset, like->encoding, is_next_to_word ? prefix : text_trim(prefix), column, out);
    if (text.length) buffer_add_char(out, ' ');
}

/* Before a text without words. What is raw UTF-8 goes on so; other raw bytes get a word in their charset. */
static void add_to_raw(const struct subject *subject, struct text text, struct text prefix, size_t column,
                       struct buffer *out)
{
    struct word like = { .charset = charset_of_bytes(subject->declared, text), .encoding = 'B' };
    if (text_equal(like.charset, TEXT("UTF-8")))
        buffer_add_text(out, prefix);
    else
        add_words(text, prefix, &like, column, out);
}

static void add_prefix(const struct subject *subject, struct text text, struct text prefix,
                       struct buffer *out)
{
    struct word first;
    bool is_apart = prefix.length > 0 && char_is_blank(prefix.at[prefix.length - 1]);
    if (is_plain(prefix) && (is_apart || !word_at(text, &first)))
        buffer_add_text(out, text.length ? prefix : text_trim(prefix));
    else if (word_find(text, &first))
        add_words(text, prefix, &first, subject->column + 1, out);
    else
        add_to_raw(subject, text, prefix, subject->column + 1, out);
}

/* A fold between what was inserted and the rest of its line, where that gets longer than it may. */
static void fold(const struct subject *subject, struct text text, struct buffer *insert)
{
    struct word word;
    struct text added = buffer_text(insert), line = text_slice(text, 0, text_find(text, TEXT("\r\n")));
    size_t start = text_find_last_char(added, '\n');
    size_t column = start < added.length ? 0 : subject->column;
    if (start < added.length) added = text_slice(added, start + 1, added.length);
    bool has_word = word_find(added, &word) || word_find(line, &word);
    if (line.length == 0 || column + added.length + line.length <= (has_word ? WORD_LINE_MOST : LINE_MOST))
        return;
    while (insert->end > insert->start && char_is_blank(insert->memory[insert->end - 1])) insert->end--;
    buffer_add_text(insert, TEXT("\r\n "));
}

bool subject_prefix(struct arena *arena, const struct subject *subject, struct text prefix, size_t *out_cut,
                    struct text *out_insert)
{
    if (is_tagged(subject, prefix)) return false;
    struct text text = text_trim(subject->value);
    struct buffer insert = { 0 };
    buffer_add_char(&insert, ' ');
    if (rewrite(subject, text, prefix, &insert)) {
        *out_cut = subject->value.length;
    } else {
        add_prefix(subject, text, prefix, &insert);
        fold(subject, text, &insert);
        *out_cut = leading_white(subject->value);
    }
    *out_insert = arena_text(arena, buffer_text(&insert));
    buffer_free(&insert);
    return true;
}

struct text subject_of_prefix(struct arena *arena, struct text prefix)
{
    size_t cut;
    struct text insert = TEXT_NONE;
    struct subject nothing = { .column = NAME_LENGTH };
    subject_prefix(arena, &nothing, prefix, &cut, &insert);
    return insert;
}
