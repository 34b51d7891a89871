/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads a value from left to right, gathering the bytes of neighbouring words until charset changes, a
   character ends or plain text comes between; only then are they converted. Linear: "?=" is never searched
   twice. */
#include "mail/encoded_word.h"

#include "base/die.h"
#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/decode.h"

enum {
    CHARSET_MOST = 64,
    WORD_MOST = 75,
    LABEL_MOST = 50
}; /* a word of a longer label has no room for text */

/* Where the next "?=" stands; kept, so that many openings share one search. */
struct closing {
    size_t at;
    bool valid;
};

static size_t find_closing(struct text text, size_t from, struct closing *memo)
{
    if (!memo->valid || memo->at < from) {
        memo->at = from + text_find(text_slice(text, from, text.length), TEXT("?="));
        memo->valid = true;
    }
    return memo->at;
}

/* `text` has "=?" at `start`. Sizes are checked before anything is searched far. */
static bool word_from(struct text text, size_t start, struct closing *memo, struct word *out)
{
    struct text head = text_slice(text, start + 2, start + 2 + CHARSET_MOST + 3);
    size_t mark = text_find_char(head, '?');
    if (mark == 0 || mark + 2 >= head.length || head.at[mark + 2] != '?') return false;
    for (size_t i = 0; i < mark; i++)
        if ((unsigned char)head.at[i] <= ' ' || head.at[i] == '=') return false;
    char encoding = (char)(char_lower(head.at[mark + 1]) - 32);
    if (encoding != 'B' && encoding != 'Q') return false;
    size_t encoded = start + 2 + mark + 3;
    size_t end = find_closing(text, encoded, memo);
    if (end >= text.length) return false;
    out->charset = text_slice(head, 0, mark);
    out->charset.length = text_find_char(out->charset, '*');
    out->encoding = encoding;
    out->encoded = text_slice(text, encoded, end);
    out->length = end + 2 - start;
    return true;
}

bool word_at(struct text text, struct word *out)
{
    struct closing memo = { 0 };
    return text_starts(text, TEXT("=?")) && word_from(text, 0, &memo, out);
}

/* Bytes of one charset that wait for conversion. */
struct pending {
    struct text charset;
    struct buffer bytes;
    bool any;
};

static void flush(struct pending *pending, struct buffer *out, struct finding_set *findings)
{
    if (pending->any) charset_to_utf8(pending->charset, buffer_text(&pending->bytes), out, findings);
    buffer_clear(&pending->bytes);
    pending->any = false;
}

/* Longer bytes without the end of a character are not looked at again for each word that follows: about two
 * words. */
enum { WHOLE_MOST = 128 };

/* Is the word to be converted together with those before it? Not where a good one would share the fate of a
   bad one. */
static bool is_continued(const struct pending *pending, const struct word *word)
{
    if (!text_equal_nocase(pending->charset, word->charset)) return false;
    if (text_starts_nocase(word->charset, TEXT("hz"))) return false; /* ends as it began: RFC 1843 */
    if (buffer_length(&pending->bytes) > WHOLE_MOST) return true;
    return !charset_is_whole(pending->charset, buffer_text(&pending->bytes));
}

static void add_word(struct pending *pending, const struct word *word, struct buffer *out,
                     struct finding_set *findings)
{
    if (pending->any && !is_continued(pending, word)) flush(pending, out, findings);
    bool joined = pending->any && buffer_length(&pending->bytes) > 0;
    if (joined && text_equal_nocase(word->charset, TEXT("utf-8")) &&
        !charset_is_utf8(buffer_text(&pending->bytes)) && findings)
        finding_add(findings, FINDING_WORD_SPLIT);
    char *room = buffer_reserve(&pending->bytes, decode_room(word->encoded.length));
    size_t length = word->encoding == 'B' ? decode_base64(word->encoded, DECODE_RESTART, room, NULL)
                                          : decode_word_quoted(word->encoded, room);
    buffer_commit(&pending->bytes, length);
    pending->charset = word->charset;
    pending->any = true;
}

static bool is_blank_text(struct text text)
{
    return text_trim(text).length == 0;
}

/* Plain text: folds made single spaces, raw bytes made UTF-8. */
static void add_plain(struct text plain, struct text declared, struct buffer *out,
                      struct finding_set *findings)
{
    struct buffer flat = { 0 };
    struct text line;
    bool first = true, ended = text_ends(plain, TEXT("\n"));
    while (text_next_line(&plain, &line)) {
        if (!first) {
            while (line.length > 0 && char_is_blank(line.at[0])) line = text_slice(line, 1, line.length);
            while (buffer_length(&flat) > 0 && char_is_blank(flat.memory[flat.end - 1])) flat.end--;
            buffer_add_char(&flat, ' ');
        }
        buffer_add_text(&flat, line);
        first = false;
    }
    if (ended) buffer_add_char(&flat, ' ');
    charset_raw_to_utf8(declared, buffer_text(&flat), out, findings);
    buffer_free(&flat);
}

static bool is_odd(const struct word *word)
{
    return word->length > WORD_MOST || text_find_char(word->encoded, ' ') < word->encoded.length;
}

bool word_find(struct text value, struct word *out)
{
    struct closing memo = { 0 };
    for (size_t at = 0; at < value.length; at += 2) {
        at += text_find(text_slice(value, at, value.length), TEXT("=?"));
        if (at < value.length && word_from(value, at, &memo, out)) return true;
    }
    return false;
}

void word_decode(struct text value, struct text declared, struct buffer *out, struct finding_set *findings)
{
    struct pending pending = { 0 };
    struct closing memo = { 0 };
    struct word first;
    size_t plain = 0;
    value = text_trim(value);
    if (!text_is_ascii(value) && word_find(value, &first) && charset_tells_raw(first.charset))
        declared = first.charset;
    for (size_t at = 0; at < value.length;) {
        struct word word;
        size_t hit = at + text_find(text_slice(value, at, value.length), TEXT("=?"));
        if (hit >= value.length) break;
        at = hit + 2;
        if (!word_from(value, hit, &memo, &word)) {
            if (findings) finding_add(findings, FINDING_WORD_SYNTAX);
            continue;
        }
        struct text between = text_slice(value, plain, hit);
        if (!is_blank_text(between) || (!pending.any && between.length)) {
            flush(&pending, out, findings);
            add_plain(between, declared, out, findings);
        }
        if (is_odd(&word) && findings) finding_add(findings, FINDING_WORD_SYNTAX);
        add_word(&pending, &word, out, findings);
        at = plain = hit + word.length;
    }
    flush(&pending, out, findings);
    buffer_free(&pending.bytes);
    if (plain < value.length) add_plain(text_slice(value, plain, value.length), declared, out, findings);
}

struct text word_decode_in(struct arena *arena, struct text value, struct text declared,
                           struct finding_set *findings)
{
    struct buffer decoded = { 0 };
    word_decode(value, declared, &decoded, findings);
    struct text text = arena_text(arena, buffer_text(&decoded));
    buffer_free(&decoded);
    return text;
}

static void add_quoted(struct text bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.at[i];
        if (c == ' ')
            buffer_add_char(out, '_');
        else if (char_is_alpha(c) || char_is_digit(c))
            buffer_add_char(out, c);
        else
            buffer_printf(out, "=%02X", (unsigned)(uint8_t)c);
    }
}

/* One word of as many characters as fit into `room` bytes; returns how many bytes of utf8 it holds, 0: none
   fits. */
static size_t one_word(struct text charset, char encoding, struct text utf8, size_t room, struct buffer *out)
{
    struct buffer word = { 0 }, bytes = { 0 };
    size_t take = utf8.length < 45 ? utf8.length : 45;
    for (; take > 0; take--) {
        if (take < utf8.length && (utf8.at[take] & 0xc0) == 0x80) continue;
        buffer_clear(&word);
        buffer_clear(&bytes);
        if (!charset_from_utf8(charset, text_slice(utf8, 0, take), &bytes))
            bug("word_encode: a part of what fits does not");
        buffer_printf(&word, "=?%.*s?%c?", TEXT_ARG(charset), encoding);
        if (encoding == 'B')
            base64_add(&word, buffer_text(&bytes));
        else
            add_quoted(buffer_text(&bytes), &word);
        buffer_add(&word, "?=", 2);
        if (buffer_length(&word) <= room) break;
    }
    if (take > 0) buffer_add_text(out, buffer_text(&word));
    buffer_free(&word);
    buffer_free(&bytes);
    return take;
}

void word_encode(struct text charset, char encoding, struct text utf8, size_t column, struct buffer *out)
{
    struct buffer probe = { 0 };
    bool fits =
        charset.length > 0 && charset.length <= LABEL_MOST && charset_from_utf8(charset, utf8, &probe);
    buffer_free(&probe);
    if (!fits) charset = TEXT("UTF-8");
    while (utf8.length > 0) {
        size_t room = column < WORD_LINE_MOST ? WORD_LINE_MOST - column : 0;
        size_t taken = one_word(charset, encoding, utf8, room < WORD_MOST ? room : WORD_MOST, out);
        if (taken == 0 && column == 1) return;
        utf8 = text_slice(utf8, taken, utf8.length);
        if (utf8.length > 0) buffer_add_text(out, TEXT("\r\n "));
        column = 1;
    }
}
