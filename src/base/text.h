/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A text is a borrowed slice of bytes: a start and a length, never NUL-dependent. */
#ifndef SEKIMORI_BASE_TEXT_H
#define SEKIMORI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *at;
    size_t length;
};

/* A slice of a string literal, usable as an initialiser. */
#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
#define TEXT_NONE ((struct text){ NULL, 0 })
/* For printf: "%.*s", TEXT_ARG(text). */
#define TEXT_ARG(text) (int)(text).length, (text).at ? (text).at : ""

static inline struct text text_of(const char *string)
{
    return (struct text){ string, string ? strlen(string) : 0 };
}

static inline struct text text_from(const char *at, size_t length)
{
    return (struct text){ at, length };
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* The slice [from, to); both are clamped to the length. */
static inline struct text text_slice(struct text text, size_t from, size_t to)
{
    if (to > text.length) to = text.length;
    if (from > to) from = to;
    return (struct text){ text.at ? text.at + from : NULL, to - from };
}

/* Comparisons that fold ASCII case only. */
bool text_equal_nocase(struct text a, struct text b);
bool text_starts_nocase(struct text text, struct text prefix);
bool text_ends_nocase(struct text text, struct text suffix);
int text_compare(struct text a, struct text b); /* by bytes: below, at or above 0 */

/* By bytes; an empty `prefix` or `suffix` is in every text. */
bool text_starts(struct text text, struct text prefix);
bool text_ends(struct text text, struct text suffix);

/* No byte has its eighth bit set; control characters and NUL are ASCII. */
bool text_is_ascii(struct text text);
/* How many bytes stand before the first that has it set. */
size_t text_ascii_length(struct text text);

/* Printable ASCII, blanks included: every byte is. An empty text is. */
bool text_is_printable(struct text text);
/* Copies it with a NUL into `size` bytes, at least 1, cut to what fits; what is not printable ASCII becomes
   "?". Returns the length. */
size_t text_copy_printable(struct text text, char *out, size_t size);

/* Lower-case hexadecimal and a NUL, into 2 * bytes.length + 1 bytes. Returns room. */
char *text_print_hex(struct text bytes, char *room);

/* Index of the first match, or text.length when there is none. */
size_t text_find(struct text text, struct text needle);
size_t text_find_nocase(struct text text, struct text needle);
size_t text_find_char(struct text text, char wanted);
size_t text_find_last_char(struct text text, char wanted);

/* Without leading and trailing SP, HT, CR and LF. */
struct text text_trim(struct text text);

/* Cuts the next line (CRLF or LF ended; the end is not part of it) off *rest.
   False when *rest is empty. */
bool text_next_line(struct text *rest, struct text *out_line);
/* Takes empty lines off the front, many at once: an even number of them, and some may be left. For who looks
   at lines and does with an empty one what he did with the one before. */
void text_skip_empty_lines(struct text *rest);

/* Cuts the next word (separated by SP and HT) off *rest. False when there is none. */
bool text_next_word(struct text *rest, struct text *out_word);

/* Decimal digits only, the whole text, at most `most`. */
bool text_to_number(struct text text, uint64_t most, uint64_t *out_number);

/* 64-bit FNV-1a, the same everywhere and for ever: tells a record that was damaged. For tables there is
   base/hash.h, since anybody can make texts that are alike in this. */
uint64_t text_checksum(struct text text);
uint64_t text_checksum_on(uint64_t before, struct text text); /* goes on from another's */

static inline char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* SP, HT, CR and LF: white space and line ends of mail. */
static inline bool char_is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* As memchr, for what mostly is near, such as the end of a very short line. */
static inline const char *char_find_near(const char *at, char wanted, size_t length)
{
    enum { NEAR = 4 };
    size_t near = length < NEAR ? length : NEAR;
    for (size_t i = 0; i < near; i++)
        if (at[i] == wanted) return at + i;
    return length > near ? memchr(at + near, wanted, length - near) : NULL;
}

/* ASCII that shows something, or the blank. */
static inline bool char_is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* 0-15, or -1. */
static inline int char_hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The word for a count: "1 recipient", "2 recipients", "0 recipients". */
static inline const char *text_word_for(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/* Marks an English text for xgettext; it is translated where it is used. */
#define N_(english) english

#endif
