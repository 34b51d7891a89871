/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Slices of bytes: compare, search, cut. Used by everything; never allocates. */
#include "base/text.h"

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.length != b.length) return false;
    for (size_t i = 0; i < a.length; i++)
        if (char_lower(a.at[i]) != char_lower(b.at[i])) return false;
    return true;
}

bool text_starts(struct text text, struct text prefix)
{
    return text_equal(text_slice(text, 0, prefix.length), prefix);
}

bool text_ends(struct text text, struct text suffix)
{
    return text.length >= suffix.length &&
           text_equal(text_slice(text, text.length - suffix.length, text.length), suffix);
}

bool text_starts_nocase(struct text text, struct text prefix)
{
    return text_equal_nocase(text_slice(text, 0, prefix.length), prefix);
}

bool text_ends_nocase(struct text text, struct text suffix)
{
    return text.length >= suffix.length &&
           text_equal_nocase(text_slice(text, text.length - suffix.length, text.length), suffix);
}

int text_compare(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    if (order != 0) return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

bool text_is_printable(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!char_is_printable(text.at[i])) return false;
    return true;
}

size_t text_copy_printable(struct text text, char *out, size_t size)
{
    text = text_slice(text, 0, size - 1);
    for (size_t i = 0; i < text.length; i++) out[i] = char_is_printable(text.at[i]) ? text.at[i] : '?';
    out[text.length] = '\0';
    return text.length;
}

char *text_print_hex(struct text bytes, char *room)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.length; i++) {
        room[2 * i] = digits[(uint8_t)bytes.at[i] >> 4];
        room[2 * i + 1] = digits[bytes.at[i] & 15];
    }
    room[2 * bytes.length] = '\0';
    return room;
}

size_t text_find(struct text text, struct text needle)
{
    if (needle.length == 0) return 0;
    if (text.length < needle.length) return text.length;
    const char *hit = memmem(text.at, text.length, needle.at, needle.length);
    return hit ? (size_t)(hit - text.at) : text.length;
}

size_t text_find_nocase(struct text text, struct text needle)
{
    if (needle.length == 0) return 0;
    char first = char_lower(needle.at[0]);
    bool is_letter = char_is_alpha(first);
    for (size_t i = 0; i + needle.length <= text.length; i++) {
        if (!is_letter)
            i += text_find_char(text_slice(text, i, text.length), first);
        else if (char_lower(text.at[i]) != first)
            continue;
        if (text_equal_nocase(text_slice(text, i, i + needle.length), needle)) return i;
    }
    return text.length;
}

size_t text_find_char(struct text text, char wanted)
{
    enum { NEAR = 3 }; /* bytes, where a call would cost more than a look: lines may have no more */
    for (size_t i = 0; i < NEAR && i < text.length; i++)
        if (text.at[i] == wanted) return i;
    const char *hit = text.length ? memchr(text.at, wanted, text.length) : NULL;
    return hit ? (size_t)(hit - text.at) : text.length;
}

size_t text_find_last_char(struct text text, char wanted)
{
    const char *hit = text.length ? memrchr(text.at, wanted, text.length) : NULL;
    return hit ? (size_t)(hit - text.at) : text.length;
}

struct text text_trim(struct text text)
{
    while (text.length > 0 && char_is_white(text.at[text.length - 1])) text.length--;
    while (text.length > 0 && char_is_white(text.at[0])) {
        text.at++;
        text.length--;
    }
    return text;
}

bool text_next_line(struct text *rest, struct text *out_line)
{
    if (rest->length == 0) return false;
    const char *feed = char_find_near(rest->at, '\n', rest->length);
    size_t end = feed ? (size_t)(feed - rest->at) : rest->length;
    *out_line = text_slice(*rest, 0, end);
    *rest = text_slice(*rest, end + 1, rest->length);
    if (out_line->length > 0 && out_line->at[out_line->length - 1] == '\r') out_line->length--;
    return true;
}

static void skip_words(struct text *rest, const char pattern[sizeof(uint64_t)])
{
    uint64_t wanted, word;
    memcpy(&wanted, pattern, sizeof wanted);
    while (rest->length >= sizeof word) {
        memcpy(&word, rest->at, sizeof word);
        if (word != wanted) return;
        rest->at += sizeof word;
        rest->length -= sizeof word;
    }
}

void text_skip_empty_lines(struct text *rest)
{
    skip_words(rest, "\r\n\r\n\r\n\r\n");
    skip_words(rest, "\n\n\n\n\n\n\n\n");
}

bool text_next_word(struct text *rest, struct text *out_word)
{
    size_t start = 0;
    while (start < rest->length && char_is_blank(rest->at[start])) start++;
    size_t end = start;
    while (end < rest->length && !char_is_blank(rest->at[end])) end++;
    *out_word = text_slice(*rest, start, end);
    *rest = text_slice(*rest, end, rest->length);
    return out_word->length > 0;
}

bool text_to_number(struct text text, uint64_t most, uint64_t *out_number)
{
    uint64_t number = 0;
    if (text.length == 0) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!char_is_digit(text.at[i])) return false;
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (number > (most - digit) / 10 || digit > most) return false;
        number = number * 10 + digit;
    }
    *out_number = number;
    return true;
}

static const uint64_t FNV_BASIS = 14695981039346656037u;
static const uint64_t FNV_PRIME = 1099511628211u;

uint64_t text_checksum_on(uint64_t before, struct text text)
{
    for (size_t i = 0; i < text.length; i++) before = (before ^ (uint8_t)text.at[i]) * FNV_PRIME;
    return before;
}

uint64_t text_checksum(struct text text)
{
    return text_checksum_on(FNV_BASIS, text);
}

/* Eight bytes at a time. */
bool text_is_ascii(struct text text)
{
    uint64_t all = 0, word;
    size_t i = 0;
    for (; i + sizeof word <= text.length; i += sizeof word) {
        memcpy(&word, text.at + i, sizeof word);
        all |= word;
    }
    for (; i < text.length; i++) all |= (uint8_t)text.at[i];
    return (all & 0x8080808080808080u) == 0;
}

size_t text_ascii_length(struct text text)
{
    uint64_t word = 0;
    size_t i = 0;
    for (; i + sizeof word <= text.length; i += sizeof word) {
        memcpy(&word, text.at + i, sizeof word);
        if (word & 0x8080808080808080u) break;
    }
    while (i < text.length && !((uint8_t)text.at[i] & 0x80)) i++;
    return i;
}
