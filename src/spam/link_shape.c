/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/link_shape.h"

enum { RUN_LEAST = 16, RUN_MOST = 400 };

/* "a@b.cd" and longer, printable to its end; what stands around it may be anything printable. */
static bool has_address(struct text decoded)
{
    size_t at = text_find_char(decoded, '@');
    for (size_t i = 0; i < decoded.length; i++)
        if (decoded.at[i] <= ' ' || decoded.at[i] > '~') return false;
    if (at == 0 || at + 4 >= decoded.length ||
        (!char_is_alpha(decoded.at[at - 1]) && !char_is_digit(decoded.at[at - 1])))
        return false;
    size_t dot = at + 1 + text_find_char(text_slice(decoded, at + 1, decoded.length), '.');
    return dot + 2 < decoded.length && char_is_alpha(decoded.at[dot + 1]) &&
           char_is_alpha(decoded.at[dot + 2]);
}

static bool is_hex_address(struct text run)
{
    char out[RUN_MOST / 2];
    size_t length = 0;
    for (size_t i = 0; i + 1 < run.length; i += 2) {
        int high = char_hex_value(run.at[i]), low = char_hex_value(run.at[i + 1]);
        if (high < 0 || low < 0) return false;
        out[length++] = (char)(high << 4 | low);
    }
    return has_address(text_from(out, length));
}

/* RFC 4648 sections 4 and 5; -1: none of it. */
static int sextet_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (char_is_digit(c)) return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '_' ? 63 : -1;
}

static bool is_base64_address(struct text run)
{
    char out[RUN_MOST];
    size_t length = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < run.length; i++) {
        bits = bits << 6 | (uint32_t)sextet_of(run.at[i]);
        if (i % 4 > 0) out[length++] = (char)(bits >> (6 - i % 4 * 2) & 0xFF);
    }
    return has_address(text_from(out, length));
}

bool link_has_coded_address(struct text path)
{
    path = text_slice(path, 0, LINK_SHAPE_MOST);
    for (size_t at = 0; at < path.length;) {
        size_t end = at;
        while (end < path.length && end - at < RUN_MOST && sextet_of(path.at[end]) >= 0) end++;
        struct text run = text_slice(path, at, end);
        if (run.length >= RUN_LEAST && (is_hex_address(run) || is_base64_address(run))) return true;
        at = end > at ? end : at + 1;
    }
    return false;
}
