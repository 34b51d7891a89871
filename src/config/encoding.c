/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte order marks and zero bytes tell UTF-16 and UTF-32; escapes ISO-2022-JP; else the charset decides in
   which all bytes make characters, and the most of them kana. Called by parse.c and crosscheck.c. */
#include "config/encoding.h"

#include "base/utf8.h"

enum { SJIS, EUC_JP, LATIN_1, ISO_2022_JP, UTF_16_LE, UTF_16_BE, UTF_32 };
static const struct encoding encodings[] = {
    [SJIS] = { "Shift_JIS", "CP932" },
    [EUC_JP] = { "EUC-JP", "EUC-JP" },
    [LATIN_1] = { "ISO-8859-1 or Windows-1252", "WINDOWS-1252" },
    [ISO_2022_JP] = { "ISO-2022-JP", "ISO-2022-JP" },
    [UTF_16_LE] = { "UTF-16, little-endian", "UTF-16LE" },
    [UTF_16_BE] = { "UTF-16, big-endian", "UTF-16BE" },
    [UTF_32] = { "UTF-32", "UTF-32" },
};

static bool is_between(struct text text, size_t at, unsigned low, unsigned high)
{
    unsigned byte = at < text.length ? (unsigned char)text.at[at] : 0x100u;
    return byte >= low && byte <= high;
}

/* Bytes of the character at the front, 0 where there is none; *is_kana: of hiragana or katakana, full width.
 */
static size_t sjis_take(struct text rest, bool *is_kana)
{
    *is_kana = (is_between(rest, 0, 0x82, 0x82) && is_between(rest, 1, 0x9F, 0xF1)) ||
               (is_between(rest, 0, 0x83, 0x83) && is_between(rest, 1, 0x40, 0x96));
    if (is_between(rest, 0, 0, 0x7F) || is_between(rest, 0, 0xA1, 0xDF)) return 1;
    bool is_lead = is_between(rest, 0, 0x81, 0x9F) || is_between(rest, 0, 0xE0, 0xFC);
    return is_lead && (is_between(rest, 1, 0x40, 0x7E) || is_between(rest, 1, 0x80, 0xFC)) ? 2 : 0;
}

static size_t euc_take(struct text rest, bool *is_kana)
{
    *is_kana = is_between(rest, 0, 0xA4, 0xA5) && is_between(rest, 1, 0xA1, 0xF6);
    if (is_between(rest, 0, 0, 0x7F)) return 1;
    if (is_between(rest, 0, 0x8E, 0x8E)) return is_between(rest, 1, 0xA1, 0xDF) ? 2 : 0;
    bool is_long = is_between(rest, 0, 0x8F, 0x8F);
    if (!is_long && !is_between(rest, 0, 0xA1, 0xFE)) return 0;
    if (!is_between(rest, 1, 0xA1, 0xFE)) return 0;
    return !is_long ? 2 : is_between(rest, 2, 0xA1, 0xFE) ? 3 : 0;
}

/* How many characters are kana; -1: some bytes are no character of the charset. */
static long kana_count(struct text content, size_t (*take)(struct text rest, bool *is_kana))
{
    long count = 0;
    while (content.length > 0) {
        bool is_kana;
        size_t length = take(content, &is_kana);
        if (length == 0) return -1;
        count += is_kana;
        content = text_slice(content, length, content.length);
    }
    return count;
}

/* In EUC-JP every byte of a character has its eighth bit; read as Shift_JIS that is half-width kana, which
   hardly anybody writes in a configuration. */
static const struct encoding *japanese_guess(struct text content)
{
    long sjis = kana_count(content, sjis_take), euc = kana_count(content, euc_take);
    if (sjis < 0 && euc < 0) return &encodings[LATIN_1];
    return &encodings[euc >= sjis ? EUC_JP : SJIS];
}

/* UTF-16 without its mark: half of the bytes of ASCII are zero. */
static const struct encoding *zeros_guess(struct text content)
{
    size_t zeros[2] = { 0 }, most = content.length < 4096 ? content.length : 4096;
    for (size_t i = 0; i < most; i++) zeros[i % 2] += content.at[i] == '\0';
    if (zeros[1] > most / 8 && zeros[0] < zeros[1] / 4) return &encodings[UTF_16_LE];
    if (zeros[0] > most / 8 && zeros[1] < zeros[0] / 4) return &encodings[UTF_16_BE];
    return NULL;
}

static const struct encoding *mark_guess(struct text content)
{
    if (text_starts(content, text_from("\xFF\xFE\0\0", 4))) return &encodings[UTF_32];
    if (text_starts(content, text_from("\0\0\xFE\xFF", 4))) return &encodings[UTF_32];
    if (text_starts(content, TEXT("\xFF\xFE"))) return &encodings[UTF_16_LE];
    return text_starts(content, TEXT("\xFE\xFF")) ? &encodings[UTF_16_BE] : zeros_guess(content);
}

/* Where the first byte is that is no UTF-8; content.length: nowhere. More of them than characters of UTF-8
   beyond ASCII, or nearly so: it was never meant to be. */
static size_t first_wrong(struct text content, bool *is_foreign)
{
    size_t good = 0, bad = 0, first = content.length;
    for (size_t i = 0; i < content.length;) {
        size_t length = utf8_sequence(text_slice(content, i, content.length));
        if (length == 0 && bad++ == 0) first = i;
        good += length > 1;
        i += length ? length : 1;
    }
    *is_foreign = 2 * bad > good;
    return first;
}

const struct encoding *encoding_guess(struct text content, size_t *out_offset)
{
    static const struct text escapes[] = { TEXT("\x1B$B"), TEXT("\x1B$@"), TEXT("\x1B(J") };
    bool is_foreign;
    *out_offset = 0;
    const struct encoding *marked = mark_guess(content);
    if (marked) return marked;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        *out_offset = text_find(content, escapes[i]);
        if (*out_offset < content.length) return &encodings[ISO_2022_JP];
    }
    *out_offset = first_wrong(content, &is_foreign);
    return *out_offset < content.length && is_foreign ? japanese_guess(content) : NULL;
}
