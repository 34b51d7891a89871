/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table of scripts with what a character of each costs, and a few rules of spelling: accented letters stand
   beside letters, half-width kana in runs. Japanese is the cheapest: this is a gateway of Japan. */
#include "mail/improbability.h"

#include "base/printable.h"
#include "base/utf8.h"
#include "mail/kanji.h"

enum script {
    SCRIPT_NONE, /* before the first and behind the last character */
    SCRIPT_BLANK,
    SCRIPT_ASCII_SMALL,
    SCRIPT_ASCII_CAPITAL,
    SCRIPT_ASCII_OTHER,
    SCRIPT_LATIN, /* letters beyond ASCII */
    SCRIPT_SIGN,  /* what else ISO-8859-1 has beyond ASCII */
    SCRIPT_HALF_KANA,
    SCRIPT_HALF_SOUND, /* half-width voice marks, the long mark and small kana: never the first of a word */
    SCRIPT_JAPANESE,   /* kana, kanji and what else is a wide character of Japanese text */
    SCRIPT_OTHER
};

struct character {
    uint32_t code;
    enum script script;
    unsigned cost;
};

/* By code, the first row that reaches it. Kanji are looked up instead. */
static const struct range {
    uint32_t last;
    enum script script;
    unsigned cost;
} ranges[] = {
    { 0x08, SCRIPT_OTHER, 25 },       { 0x0d, SCRIPT_BLANK, 3 },         { 0x1f, SCRIPT_OTHER, 25 },
    { 0x20, SCRIPT_BLANK, 3 },        { 0x2f, SCRIPT_ASCII_OTHER, 8 },   { 0x39, SCRIPT_ASCII_OTHER, 5 },
    { 0x40, SCRIPT_ASCII_OTHER, 8 },  { 0x5a, SCRIPT_ASCII_CAPITAL, 6 }, { 0x60, SCRIPT_ASCII_OTHER, 9 },
    { 0x7a, SCRIPT_ASCII_SMALL, 4 },  { 0x7e, SCRIPT_ASCII_OTHER, 10 },  { 0x9f, SCRIPT_OTHER, 30 },
    { 0xbf, SCRIPT_SIGN, 9 },         { 0xff, SCRIPT_LATIN, 8 },         { 0x17f, SCRIPT_LATIN, 10 },
    { 0x24f, SCRIPT_LATIN, 11 },      { 0x385, SCRIPT_OTHER, 16 },       { 0x3ff, SCRIPT_OTHER, 8 },
    { 0x44f, SCRIPT_OTHER, 5 },       { 0x52f, SCRIPT_OTHER, 9 },        { 0x58f, SCRIPT_OTHER, 9 },
    { 0x6ff, SCRIPT_OTHER, 6 },       { 0xdff, SCRIPT_OTHER, 12 },       { 0xe7f, SCRIPT_OTHER, 6 },
    { 0x1eff, SCRIPT_OTHER, 12 },     { 0x1fff, SCRIPT_OTHER, 14 },      { 0x206f, SCRIPT_OTHER, 9 },
    { 0x2bff, SCRIPT_JAPANESE, 10 },  { 0x2fff, SCRIPT_OTHER, 16 },      { 0x3003, SCRIPT_JAPANESE, 6 },
    { 0x3040, SCRIPT_JAPANESE, 8 },   { 0x309f, SCRIPT_JAPANESE, 6 },    { 0x30ff, SCRIPT_JAPANESE, 7 },
    { 0x33ff, SCRIPT_JAPANESE, 12 },  { 0x4dff, SCRIPT_OTHER, 20 },      { 0x9fff, SCRIPT_JAPANESE, 14 },
    { 0xabff, SCRIPT_OTHER, 16 },     { 0xd7ff, SCRIPT_OTHER, 10 },      { 0xf8ff, SCRIPT_OTHER, 30 },
    { 0xfaff, SCRIPT_JAPANESE, 16 },  { 0xfeff, SCRIPT_OTHER, 25 },      { 0xff0f, SCRIPT_JAPANESE, 7 },
    { 0xff5e, SCRIPT_JAPANESE, 8 },   { 0xff60, SCRIPT_OTHER, 16 },      { 0xff66, SCRIPT_HALF_KANA, 12 },
    { 0xff70, SCRIPT_HALF_SOUND, 6 }, { 0xff9d, SCRIPT_HALF_KANA, 6 },   { 0xff9f, SCRIPT_HALF_SOUND, 6 },
    { 0xfffc, SCRIPT_OTHER, 16 },     { 0xfffd, SCRIPT_OTHER, 25 },      { 0x1f2ff, SCRIPT_OTHER, 20 },
    { 0x1faff, SCRIPT_JAPANESE, 10 }, { UINT32_MAX, SCRIPT_OTHER, 20 },
};

enum { KANJI_COMMON = 9, WORD_APART = 4, SPELLING = 8 };

static const struct range *range_of(uint32_t code)
{
    const struct range *range = ranges;
    while (code > range->last) range++;
    return range;
}

/* Of each character of ASCII; made at the first use. */
static const struct character *ascii_characters(void)
{
    static struct character all[128];
    for (uint32_t code = 0; all['~'].cost == 0 && code < 128; code++)
        all[code] = (struct character){ code, range_of(code)->script, range_of(code)->cost };
    return all;
}

static struct character character_of(struct text sequence)
{
    struct character out = { .code = printable_code(sequence, sequence.length) };
    const struct range *range = range_of(out.code);
    out.script = range->script;
    out.cost = range->cost;
    if (out.code >= 0x4e00 && out.code <= 0x9fff && kanji_is_common(sequence)) out.cost = KANJI_COMMON;
    return out;
}

static bool is_letter(enum script script)
{
    return script == SCRIPT_ASCII_SMALL || script == SCRIPT_ASCII_CAPITAL || script == SCRIPT_LATIN;
}

static bool is_half(enum script script)
{
    return script == SCRIPT_HALF_KANA || script == SCRIPT_HALF_SOUND;
}

/* What the neighbours add to the cost of the one in the middle. */
static unsigned spelling(enum script before, struct character middle, enum script after)
{
    bool is_inside = before == SCRIPT_ASCII_SMALL && after == SCRIPT_ASCII_SMALL;
    switch (middle.script) {
    case SCRIPT_LATIN:
        if (before == SCRIPT_LATIN && after == SCRIPT_LATIN) return WORD_APART;
        return is_letter(before) || is_letter(after) ? 0 : WORD_APART;
    case SCRIPT_SIGN:
        return before == SCRIPT_SIGN || after == SCRIPT_SIGN ? WORD_APART : 0;
    case SCRIPT_HALF_KANA:
        return (is_half(before) ? 0 : WORD_APART) + (is_letter(before) || is_letter(after) ? SPELLING : 0);
    case SCRIPT_HALF_SOUND:
        return is_half(before) ? 0 : SPELLING;
    case SCRIPT_JAPANESE:
        return is_inside ? SPELLING : 0;
    default:
        return 0;
    }
}

unsigned improbability_of(struct text utf8, unsigned most)
{
    const struct character *ascii = ascii_characters();
    struct character before = { 0 }, middle = { 0 };
    unsigned sum = 0;
    for (size_t i = 0; i < utf8.length && sum < most;) {
        uint8_t byte = (uint8_t)utf8.at[i];
        size_t length = byte < 0x80 ? 1 : utf8_sequence(text_slice(utf8, i, utf8.length));
        if (length == 0) length = 1;
        struct character after = byte < 0x80 ? ascii[byte] : character_of(text_slice(utf8, i, i + length));
        sum += middle.cost + spelling(before.script, middle, after.script);
        before = middle;
        middle = after;
        i += length;
    }
    return sum + middle.cost + spelling(before.script, middle, SCRIPT_NONE);
}
