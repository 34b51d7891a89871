/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One memchr a tag; names are compared pair by pair, which TAG_LIST_MOST bounds. */
#include "auth/tag_list.h"

#include <sys/types.h>

/* RFC 6376 section 3.2: tag-name = ALPHA *ALNUMPUNC. */
static bool is_name(struct text name)
{
    if (name.length == 0 || !char_is_alpha(name.at[0])) return false;
    for (size_t i = 1; i < name.length; i++)
        if (!char_is_alpha(name.at[i]) && !char_is_digit(name.at[i]) && name.at[i] != '_') return false;
    return true;
}

/* Printable ASCII and folds (tval, VALCHAR); UTF-8 for internationalised mail (RFC 8616). A bare CR is none.
 */
static bool is_value(struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < ' ' && !char_is_white((char)c)) || c == 0x7f) return false;
        if (c == '\r' && (i + 1 == value.length || value.at[i + 1] != '\n')) return false;
    }
    return true;
}

static bool add(struct tag_list *list, struct text item)
{
    size_t equals = text_find_char(item, '=');
    if (equals == item.length || list->count == TAG_LIST_MOST) return false;
    struct tag_value tag = { text_trim(text_slice(item, 0, equals)),
                             text_trim(text_slice(item, equals + 1, item.length)) };
    if (!is_name(tag.name) || !is_value(tag.value)) return false;
    for (uint32_t i = 0; i < list->count; i++)
        if (text_equal(list->tags[i].name, tag.name)) return false;
    list->tags[list->count++] = tag;
    return true;
}

bool tag_list_parse(struct text text, struct tag_list *out)
{
    out->count = 0;
    text = text_trim(text);
    while (text.length > 0) {
        size_t semicolon = text_find_char(text, ';');
        if (!add(out, text_slice(text, 0, semicolon))) return false;
        text = text_trim(text_slice(text, semicolon + 1, text.length));
    }
    return true;
}

const struct text *tag_list_find(const struct tag_list *list, const char *name)
{
    struct text wanted = text_of(name);
    for (uint32_t i = 0; i < list->count; i++)
        if (text_equal(list->tags[i].name, wanted)) return &list->tags[i].value;
    return NULL;
}

bool tag_list_next_word(struct text *rest, struct text *out_word)
{
    if (!rest->at) return false;
    size_t colon = text_find_char(*rest, ':');
    *out_word = text_trim(text_slice(*rest, 0, colon));
    *rest = colon == rest->length ? TEXT_NONE : text_slice(*rest, colon + 1, rest->length);
    return true;
}

bool tag_list_has_word(struct text value, struct text word)
{
    struct text here;
    while (tag_list_next_word(&value, &here))
        if (text_equal_nocase(here, word)) return true;
    return false;
}

/* --- base64 --- */

/* RFC 4648 section 4: each character's six bits and one more; white space may stand anywhere. 0: none. */
enum { PAD = 65, SPACE = 66 };
/* clang-format off */
static const uint8_t sextets[256] = {
    [' '] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, ['\n'] = SPACE, ['='] = PAD,
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* Four characters to three bytes, as far as there is nothing else between them and room for it. Returns how
   many characters those were. */
static size_t decode_whole(struct text value, uint8_t *out, size_t room)
{
    size_t at = 0;
    for (; at + 4 <= value.length && room >= 3; at += 4, out += 3, room -= 3) {
        uint8_t a = sextets[(unsigned char)value.at[at]], b = sextets[(unsigned char)value.at[at + 1]];
        uint8_t c = sextets[(unsigned char)value.at[at + 2]], d = sextets[(unsigned char)value.at[at + 3]];
        if ((uint8_t)(a - 1) > 63 || (uint8_t)(b - 1) > 63 || (uint8_t)(c - 1) > 63 || (uint8_t)(d - 1) > 63)
            break;
        uint32_t bits =
            (uint32_t)(a - 1) << 18 | (uint32_t)(b - 1) << 12 | (uint32_t)(c - 1) << 6 | (uint32_t)(d - 1);
        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
    }
    return at;
}

/* -1: not base64, or over `room`. Missing padding is taken: signers leave it off. */
static ssize_t decode(struct text value, uint8_t *out, size_t room)
{
    size_t characters = decode_whole(value, out, room), pads = 0, length = characters / 4 * 3;
    uint32_t bits = 0;
    for (size_t i = characters; i < value.length; i++) {
        uint8_t sextet = sextets[(unsigned char)value.at[i]];
        if (sextet == SPACE) continue;
        if (sextet == PAD && ++pads <= 2) continue;
        if (sextet == 0 || sextet > 64 || pads > 0) return -1;
        bits = bits << 6 | (uint32_t)(sextet - 1);
        size_t place = characters++ % 4;
        if (place == 0) continue;
        if (length == room) return -1;
        out[length++] = (uint8_t)(bits >> (6 - 2 * place)); /* what is left is of the next byte */
    }
    if (characters % 4 == 1 || (pads && (characters + pads) % 4 != 0)) return -1;
    return (ssize_t)length;
}

bool tag_list_base64(struct arena *arena, struct text value, size_t most, struct text *out)
{
    size_t room = value.length / 4 * 3 + 3;
    if (room > most) room = most;
    uint8_t *bytes = arena_alloc(arena, room);
    ssize_t length = decode(value, bytes, room);
    *out = text_from((const char *)bytes, length > 0 ? (size_t)length : 0);
    return length > 0;
}

bool tag_list_base64_exact(struct text value, uint8_t *out, size_t size)
{
    return decode(value, out, size) == (ssize_t)size;
}

struct text tag_list_squeeze(struct arena *arena, struct text value)
{
    size_t first = 0, length = 0;
    while (first < value.length && !char_is_white(value.at[first])) first++;
    if (first == value.length) return value;
    char *plain = arena_alloc(arena, value.length);
    for (size_t i = 0; i < value.length; i++)
        if (!char_is_white(value.at[i])) plain[length++] = value.at[i];
    return text_from(plain, length);
}
