/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Row and cell of JIS X 0208 to the two bytes of CP932. RFC 1468, JIS X 0208 annex 1. */
#include "mail/japanese.h"

enum jis_set { JIS_ASCII, JIS_KANA, JIS_KANJI, JIS_OTHER };

static bool is_jis_byte(unsigned char c)
{
    return c >= 0x21 && c <= 0x7e;
}

static void add_pair(struct buffer *out, unsigned char row, unsigned char cell)
{
    unsigned lead = (row + 1u) / 2 + (row < 0x5f ? 0x70 : 0xb0);
    unsigned trail = row % 2 ? cell + (cell < 0x60 ? 0x1fu : 0x20u) : cell + 0x7eu;
    char *to = buffer_reserve(out, 2);
    to[0] = (char)lead;
    to[1] = (char)trail;
    buffer_commit(out, 2);
}

/* The set that an escape sequence designates and its length; 0 when it is none that we know. */
static size_t designation(struct text at, enum jis_set *out)
{
    if (at.length >= 3 && at.at[1] == '(') {
        *out = at.at[2] == 'I' ? JIS_KANA : JIS_ASCII;
        return strchr("BJIH", at.at[2]) && at.at[2] ? 3 : 0;
    }
    if (at.length >= 3 && at.at[1] == '$' && (at.at[2] == 'B' || at.at[2] == '@')) {
        *out = JIS_KANJI;
        return 3;
    }
    if (at.length >= 4 && at.at[1] == '$' && at.at[2] == '(') {
        bool kanji = at.at[3] == 'B' || at.at[3] == '@' || at.at[3] == 'O' || at.at[3] == 'Q';
        *out = kanji ? JIS_KANJI : JIS_OTHER;
        return kanji || at.at[3] == 'D' ? 4 : 0;
    }
    if (at.length >= 6 && text_starts(at, TEXT("\x1b&@\x1b$B"))) {
        *out = JIS_KANJI;
        return 6;
    }
    return 0;
}

bool japanese_is_jis(struct text bytes)
{
    for (size_t from = 0; from < bytes.length;) {
        struct text rest = text_slice(bytes, from, bytes.length);
        size_t hit = text_find_char(rest, '\x1b');
        enum jis_set set;
        if (hit == rest.length) return false;
        if (designation(text_slice(rest, hit, rest.length), &set) && set != JIS_ASCII) return true;
        from += hit + 1;
    }
    return false;
}

bool japanese_is_standard(struct text cp932, bool has_kana)
{
    static const unsigned disputed[] = { 0x815f, 0x8160, 0x8161, 0x817c, 0x8191, 0x8192, 0x81ca };
    for (size_t i = 0; i < cp932.length; i++) {
        unsigned lead = (unsigned char)cp932.at[i];
        if (lead < 0x80) continue;
        if (lead >= 0xa1 && lead <= 0xdf) {
            if (!has_kana) return false;
            continue;
        }
        unsigned code = lead << 8 | (i + 1 < cp932.length ? (unsigned char)cp932.at[++i] : 0);
        if ((code > 0x84be && code < 0x889f) || code > 0xeaa4) return false; /* rows 9 to 15, and over 84 */
        for (size_t k = 0; k < sizeof disputed / sizeof *disputed; k++)
            if (code == disputed[k]) return false;
    }
    return true;
}

size_t japanese_jis_run(struct text at)
{
    enum jis_set set;
    size_t length = at.length && at.at[0] == '\x1b' ? designation(at, &set) : 0;
    if (length == 0 || set != JIS_KANJI) return 0;
    while (length + 1 < at.length && is_jis_byte((unsigned char)at.at[length]) &&
           is_jis_byte((unsigned char)at.at[length + 1]))
        length += 2;
    return length < at.length && at.at[length] == '\x1b' ? length : 0;
}

/* One character in the set that holds; returns how many bytes it took, 0 when they fit no set. */
static size_t take_character(struct text at, enum jis_set set, struct buffer *out)
{
    unsigned char c = (unsigned char)at.at[0], next = at.length > 1 ? (unsigned char)at.at[1] : 0;
    if (c >= 0xa1 && c <= 0xdf) {
        buffer_add_char(out, (char)c);
        return 1;
    }
    if (c >= 0x80) return 0;
    if (c <= 0x20 || c == 0x7f || set == JIS_ASCII) {
        buffer_add_char(out, (char)c);
        return 1;
    }
    if (set == JIS_KANA && c <= 0x5f) {
        buffer_add_char(out, (char)(c | 0x80));
        return 1;
    }
    if (set == JIS_KANJI && is_jis_byte(next)) {
        add_pair(out, c, next);
        return 2;
    }
    return 0;
}

bool japanese_from_jis(struct text bytes, struct buffer *out)
{
    enum jis_set set = JIS_ASCII, before_shift = JIS_ASCII;
    bool good = true;
    for (size_t i = 0; i < bytes.length;) {
        struct text rest = text_slice(bytes, i, bytes.length);
        char c = bytes.at[i];
        size_t length = c == '\x1b' ? designation(rest, &set) : 0;
        if (length == 0 && (c == '\x0e' || c == '\x0f')) {
            if (c == '\x0e' && set != JIS_KANA) before_shift = set;
            set = c == '\x0e' ? JIS_KANA : before_shift;
            length = 1;
        }
        if (c == '\n') set = before_shift = JIS_ASCII;
        if (length == 0) length = take_character(rest, set, out);
        if (length == 0) {
            buffer_add_char(out, '?');
            good = false;
            length = 1;
        }
        i += length;
    }
    return good;
}

bool japanese_from_euc(struct text bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        unsigned char next = i + 1 < bytes.length ? (unsigned char)bytes.at[i + 1] : 0;
        if (c < 0x80) {
            buffer_add_char(out, (char)c);
            continue;
        }
        i++;
        if (c == 0x8e && next >= 0xa1 && next <= 0xdf)
            buffer_add_char(out, (char)next);
        else if (c >= 0xa1 && c <= 0xfe && next >= 0xa1 && next <= 0xfe)
            add_pair(out, c & 0x7f, next & 0x7f);
        else
            return false;
    }
    return true;
}
