/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Bytes that are ASCII or UTF-8 need no table; the rest is tried in the declared charset first, and in the
   likeliest one when that does not fit. */
#include "mail/charset.h"

#include <limits.h>

#include "base/utf8.h"
#include "mail/charset_guess.h"
#include "mail/charset_table.h"
#include "mail/improbability.h"
#include "mail/japanese.h"

/* How a charset name is treated. */
enum manner {
    BY_ICU,
    BY_ICU_PAIRS, /* the second byte of a character may look like ASCII */
    AS_UTF8,
    AS_ASCII,
    AS_LATIN, /* windows-1252, but look for UTF-8 and JIS in it */
    AS_JIS,   /* ISO-2022-JP by way of CP932 */
    AS_EUC,   /* EUC-JP by way of CP932 */
    AS_CP932,
    NO_ASCII /* ICU too, and ASCII bytes mean something else in it */
};

static const struct {
    struct text name; /* a trailing "*" matches any ending */
    enum manner manner;
    const char *icu; /* a wider table than the name's own, as the writing programs used; NULL: by its name */
} manners[] = {
    { { "utf-8", 5 }, AS_UTF8 },
    { { "utf8", 4 }, AS_UTF8 },
    { { "us-ascii", 8 }, AS_ASCII },
    { { "ascii", 5 }, AS_ASCII },
    { { "iso-2022-jp*", 12 }, AS_JIS },
    { { "x-windows-iso2022jp", 19 }, AS_JIS },
    { { "cp5022*", 7 }, AS_JIS },
    { { "csiso2022jp", 11 }, AS_JIS },
    { { "shift_jis*", 10 }, AS_CP932 },
    { { "shift-jis", 9 }, AS_CP932 },
    { { "sjis", 4 }, AS_CP932 },
    { { "x-sjis", 6 }, AS_CP932 },
    { { "ms_kanji", 8 }, AS_CP932 },
    { { "windows-31j", 11 }, AS_CP932 },
    { { "cp932", 5 }, AS_CP932 },
    { { "euc-jp*", 7 }, AS_EUC },
    { { "eucjp*", 6 }, AS_EUC },
    { { "x-euc-jp", 8 }, AS_EUC },
    { { "iso-8859-1", 10 }, AS_LATIN },
    { { "latin1", 6 }, AS_LATIN },
    { { "windows-1252", 12 }, AS_LATIN },
    { { "cp1252", 6 }, AS_LATIN },
    { { "utf-16*", 7 }, NO_ASCII },
    { { "utf-32*", 7 }, NO_ASCII },
    { { "utf-7*", 6 }, NO_ASCII },
    { { "unicode-1-1-utf-7", 17 }, NO_ASCII },
    { { "ucs-*", 5 }, NO_ASCII },
    { { "iso-10646*", 10 }, NO_ASCII },
    { { "hz*", 3 }, NO_ASCII },
    { { "iso-2022-*", 10 }, NO_ASCII },
    { { "ibm*", 4 }, NO_ASCII },
    { { "cp037", 5 }, NO_ASCII },
    { { "ebcdic*", 7 }, NO_ASCII },
    { { "gb2312", 6 }, BY_ICU_PAIRS, "gb18030" },
    { { "gb18030", 7 }, BY_ICU_PAIRS, "gb18030" },
    { { "gbk", 3 }, BY_ICU_PAIRS, "gb18030" },
    { { "x-gbk", 5 }, BY_ICU_PAIRS, "gb18030" },
    { { "cp936", 5 }, BY_ICU_PAIRS, "gb18030" },
    { { "euc-cn", 6 }, BY_ICU_PAIRS, "gb18030" },
    { { "euc-kr", 6 }, BY_ICU, "windows-949" },
    { { "ks_c_5601*", 10 }, BY_ICU, "windows-949" },
    { { "ksc5601*", 8 }, BY_ICU, "windows-949" },
    { { "cp949", 5 }, BY_ICU, "windows-949" },
    { { "uhc", 3 }, BY_ICU, "windows-949" },
    { { "big5*", 5 }, BY_ICU_PAIRS, "ibm-1375_P100-2008" },
    { { "cp950", 5 }, BY_ICU_PAIRS, "ibm-1375_P100-2008" },
};

static int row_of(struct text charset)
{
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        struct text name = manners[i].name;
        bool open = name.at[name.length - 1] == '*';
        if (open ? text_starts_nocase(charset, text_slice(name, 0, name.length - 1))
                 : text_equal_nocase(charset, name))
            return (int)i;
    }
    return -1;
}

static enum manner manner_of(struct text charset)
{
    int row = row_of(charset);
    return row < 0 ? BY_ICU : manners[row].manner;
}

bool charset_is_utf8(struct text bytes)
{
    return text_is_ascii(bytes) || utf8_is_valid(bytes);
}

/* Returns how many bytes had to be replaced. */
static size_t add_repaired_utf8(struct text bytes, struct buffer *out)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < bytes.length;) {
        struct text rest = text_slice(bytes, i, bytes.length);
        size_t length = at[i] < 0x80 ? text_ascii_length(rest) : utf8_sequence(rest);
        if (length == 0) {
            buffer_add(out, at + good, i - good);
            buffer_add(out, "\xef\xbf\xbd", 3);
            good = i + 1;
            bad++;
        }
        i += length ? length : 1;
    }
    buffer_add(out, at + good, bytes.length - good);
    return bad;
}

/* The table that the charset is read by. */
static struct text table_of(struct text charset)
{
    int row = row_of(charset);
    return row >= 0 && manners[row].icu ? text_of(manners[row].icu) : charset;
}

static bool by_cp932(bool good, struct buffer *cp932, size_t most_bad, struct buffer *out)
{
    bool done = (good || most_bad > 0) &&
                charset_table_to_utf8(TEXT("windows-31j"), buffer_text(cp932), most_bad, out);
    buffer_free(cp932);
    return done;
}

static bool by_utf8(struct text bytes, size_t most_bad, struct buffer *out)
{
    size_t before = buffer_length(out);
    if (add_repaired_utf8(bytes, out) <= most_bad) return true;
    buffer_truncate(out, before);
    return false;
}

/* Byte order marks, of which each word may have its own, are no text. Always true. */
static bool drop_marks(struct buffer *out, size_t before)
{
    struct text mark = TEXT("\xef\xbb\xbf");
    char *to = out->memory + out->start + before;
    for (struct text rest = text_slice(buffer_text(out), before, buffer_length(out)); rest.length > 0;) {
        size_t length = text_find(rest, mark);
        memmove(to, rest.at, length);
        to += length;
        rest = text_slice(rest, length + mark.length, rest.length);
    }
    out->end = (size_t)(to - out->memory);
    return true;
}

static bool by_manner(enum manner manner, struct text charset, struct text bytes, size_t most_bad,
                      struct buffer *out)
{
    struct buffer cp932 = { 0 };
    size_t before = buffer_length(out);
    switch (manner) {
    case AS_UTF8:
    case AS_ASCII:
        return by_utf8(bytes, most_bad, out);
    case AS_LATIN:
        return charset_table_to_utf8(TEXT("windows-1252"), bytes, most_bad, out);
    case AS_JIS:
        if (japanese_from_jis(bytes, &cp932)) return by_cp932(true, &cp932, most_bad, out);
        if (charset_table_to_utf8(TEXT("ISO-2022-JP-2"), bytes, 0, out)) { /* has JIS X 0212 */
            buffer_free(&cp932);
            return true;
        }
        return by_cp932(false, &cp932, most_bad, out);
    case AS_EUC:
        if (japanese_from_euc(bytes, &cp932)) return by_cp932(true, &cp932, most_bad, out);
        buffer_free(&cp932);
        return charset_table_to_utf8(TEXT("EUC-JP"), bytes, most_bad, out);
    case AS_CP932:
        return charset_table_to_utf8(TEXT("windows-31j"), bytes, most_bad, out);
    case BY_ICU:
    case BY_ICU_PAIRS:
        return charset_table_to_utf8(table_of(charset), bytes, most_bad, out);
    case NO_ASCII:
        return charset_table_to_utf8(table_of(charset), bytes, most_bad, out) && drop_marks(out, before);
    }
    return false;
}

static void note(struct finding_set *findings, enum finding finding)
{
    if (findings) finding_add(findings, finding);
}

/* --- bytes without a label --- */

/* Of what is UTF-8: would Japanese bytes hardly make it by chance? It has two or more characters of three
   bytes, none of two (half-width kana look like those). */
static bool is_surely_utf8(struct text bytes)
{
    size_t three = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if (c >= 0xc2 && c <= 0xdf) return false;
        three += c >= 0xe0;
    }
    return three >= 2;
}

/* More than this is not looked at. A guess must not cost more than the conversion that follows. */
enum { LOOK_MOST = 4096 };

/* What speaks for a charset beside the text that it gives, in the bits of improbability.h. */
enum {
    FOR_DECLARED = 12,
    FOR_DECLARED_LATIN = 6, /* many programs say so of anything, and no byte is wrong in it */
    FOR_UTF8 = 3,
    AGAINST_GUESSED = 6, /* the statistics know little of short texts: one less for four bytes over 127 */
    AGAINST_LATIN = 3
};

/* Cut between two words where there is a blank, so that no character is cut. */
static struct text head_of(struct text bytes)
{
    if (bytes.length <= LOOK_MOST) return bytes;
    size_t end = LOOK_MOST;
    while (end > 0 && (unsigned char)bytes.at[end - 1] > ' ') end--;
    return text_slice(bytes, 0, end ? end : LOOK_MOST);
}

static size_t count_high(struct text bytes)
{
    size_t high = 0;
    for (size_t i = 0; i < bytes.length; i++) high += (uint8_t)bytes.at[i] >> 7;
    return high;
}

/* So many bad characters do not yet speak against a charset: one in ten. */
static size_t few_of(struct text bytes)
{
    return count_high(bytes) / 20;
}

/* The best of what was tried. */
struct guess {
    struct text charset;
    int cost;
};

/* `utf8`: what the bytes are in that charset. `handicap`: what speaks against it, negative: for it. The first
   of equals stays. */
static void weigh(struct guess *best, struct text charset, struct text utf8, int handicap)
{
    bool is_first = best->charset.length == 0;
    int most = is_first ? INT_MAX : best->cost - handicap;
    unsigned cost = most > 0 ? improbability_of(utf8, (unsigned)most) : 0;
    if (is_first || (int)cost < most) *best = (struct guess){ charset, (int)cost + handicap };
}

/* One character may be bad in a short text too: it was cut. */
static void try_charset(struct guess *best, struct text charset, struct text bytes, int handicap)
{
    struct buffer utf8 = { 0 };
    if (by_manner(manner_of(charset), charset, bytes, few_of(bytes) + 1, &utf8))
        weigh(best, charset, buffer_text(&utf8), handicap);
    buffer_free(&utf8);
}

/* What the statistics say, under a name that lives as long as the process. */
static struct text guessed_charset(struct text bytes)
{
    char name[GUESS_NAME_SIZE];
    const char *standard = guess_charset(bytes, name) ? charset_table_standard_name(name) : NULL;
    return standard ? text_of(standard) : TEXT_NONE;
}

bool charset_is_whole(struct text charset, struct text bytes)
{
    enum manner manner = manner_of(charset);
    if (manner == AS_UTF8) return charset_is_utf8(bytes);
    struct buffer whole = { 0 };
    bool is_told = manner == AS_CP932 || manner == AS_EUC || manner == BY_ICU_PAIRS;
    bool is_whole = is_told && by_manner(manner, charset, bytes, 0, &whole);
    buffer_free(&whole);
    return is_whole;
}

bool charset_tells_raw(struct text charset)
{
    enum manner manner = manner_of(charset);
    return manner == AS_CP932 || manner == AS_EUC || manner == AS_LATIN || manner == BY_ICU_PAIRS ||
           (manner == BY_ICU && charset_is_known(charset));
}

/* It counts where the bytes are whole in it: then true. */
static bool try_declared(struct guess *best, struct text declared, struct text bytes)
{
    struct buffer whole = { 0 };
    enum manner manner = manner_of(declared);
    bool is_whole = charset_tells_raw(declared) && by_manner(manner, declared, bytes, 0, &whole);
    if (is_whole)
        weigh(best, declared, buffer_text(&whole), manner == AS_LATIN ? -FOR_DECLARED_LATIN : -FOR_DECLARED);
    buffer_free(&whole);
    return is_whole;
}

/* What the statistics say counts the more, the longer the text is. `is_latin`: that was tried already, and so
   were the Japanese ones: read by the same table they cost the same. */
static void try_guessed(struct guess *best, struct text bytes, bool is_latin)
{
    struct text guessed = guessed_charset(bytes);
    enum manner manner = manner_of(guessed);
    bool was_tried = manner == AS_CP932 || manner == AS_EUC || (is_latin && manner == AS_LATIN);
    int against = AGAINST_GUESSED - (int)(count_high(bytes) / 4);
    if (guessed.length && !was_tried) try_charset(best, guessed, bytes, against > 0 ? against : 0);
}

struct text charset_of_bytes(struct text declared, struct text bytes)
{
    struct guess best = { 0 };
    if (japanese_is_jis(bytes)) return TEXT("ISO-2022-JP");
    if (text_is_ascii(bytes)) return TEXT("US-ASCII");
    bool is_utf8 = charset_is_utf8(bytes);
    if (is_utf8 && (bytes.length > LOOK_MOST || is_surely_utf8(bytes))) return TEXT("UTF-8");
    bytes = head_of(bytes);
    bool is_latin = try_declared(&best, declared, bytes) && manner_of(declared) == AS_LATIN;
    if (is_utf8) try_charset(&best, TEXT("UTF-8"), bytes, -FOR_UTF8);
    try_charset(&best, TEXT("Shift_JIS"), bytes, 0);
    try_charset(&best, TEXT("EUC-JP"), bytes, 0);
    try_guessed(&best, bytes, is_latin);
    if (!is_latin) try_charset(&best, TEXT("windows-1252"), bytes, AGAINST_LATIN);
    return best.charset.length ? best.charset : TEXT("UTF-8");
}

void charset_raw_to_utf8(struct text declared, struct text bytes, struct buffer *out,
                         struct finding_set *findings)
{
    struct text charset = charset_of_bytes(declared, bytes);
    if (!charset_is_utf8(bytes)) note(findings, FINDING_WRONG_CHARSET);
    if (!by_manner(manner_of(charset), charset, bytes, SIZE_MAX, out)) add_repaired_utf8(bytes, out);
}

/* --- bytes with a label --- */

/* The label fits, as it fits nearly all bytes: the text must speak for it too. */
static bool fits_anything(enum manner manner, struct text bytes)
{
    if (manner != AS_CP932) return manner == AS_LATIN;
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if ((c >= 0x80 && c <= 0xa0) || c >= 0xe0) return false; /* not half-width kana alone */
    }
    return true;
}

/* Something else is far likelier than what the label says: others write under wrong labels. */
static bool is_mislabelled(enum manner manner, struct text label, struct text bytes)
{
    if (manner == AS_JIS || manner == NO_ASCII || manner == BY_ICU || manner == BY_ICU_PAIRS) return false;
    if (japanese_is_jis(bytes)) return true;
    if (manner == AS_UTF8 || text_is_ascii(bytes)) return false;
    if (manner == AS_ASCII || (charset_is_utf8(bytes) && is_surely_utf8(bytes))) return true;
    return fits_anything(manner, bytes) && !text_equal(charset_of_bytes(label, bytes), label);
}

/* UTF-16 without a byte order mark is big-endian (RFC 2781 section 4.3), as long as it makes sense. */
static struct text byte_order(struct text charset, struct text bytes)
{
    static const struct text unsaid[] = { { "utf-16", 6 }, { "ucs-2", 5 }, { "iso-10646-ucs-2", 15 } };
    struct guess best = { 0 };
    bool is_unsaid = false;
    for (size_t i = 0; i < sizeof unsaid / sizeof *unsaid; i++)
        is_unsaid |= text_equal_nocase(charset, unsaid[i]);
    bool is_marked = text_starts(bytes, TEXT("\xfe\xff")) || text_starts(bytes, TEXT("\xff\xfe"));
    if (!is_unsaid || is_marked) return is_unsaid ? TEXT("UTF-16") : charset;
    try_charset(&best, TEXT("UTF-16BE"), head_of(bytes), 0);
    try_charset(&best, TEXT("UTF-16LE"), head_of(bytes), 0);
    return best.charset.length ? best.charset : charset;
}

void charset_to_utf8(struct text charset, struct text bytes, struct buffer *out, struct finding_set *findings)
{
    if (bytes.length == 0) return;
    charset = byte_order(charset, bytes);
    enum manner manner = charset.length ? manner_of(charset) : AS_UTF8;
    bool stateful = manner == AS_JIS || manner == NO_ASCII;
    bool escapes = memchr(bytes.at, '\x1b', bytes.length) || memchr(bytes.at, '\x0e', bytes.length);
    if (manner == BY_ICU && !charset_is_known(charset)) {
        note(findings, FINDING_UNKNOWN_CHARSET);
        manner = AS_UTF8;
    }
    if (text_is_ascii(bytes) && manner != NO_ASCII && !escapes) {
        buffer_add_text(out, bytes);
        return;
    }
    if (charset.length == 0) {
        charset_raw_to_utf8(TEXT_NONE, bytes, out, findings);
        return;
    }
    bool mislabelled = is_mislabelled(manner, charset, bytes);
    if (!mislabelled && by_manner(manner, charset, bytes, 0, out)) return;
    note(findings, FINDING_WRONG_CHARSET);
    if (!mislabelled && by_manner(manner, charset, bytes, few_of(bytes), out)) return;
    if (stateful && !charset_is_utf8(bytes) && by_manner(manner, charset, bytes, SIZE_MAX, out)) return;
    charset_raw_to_utf8(charset, bytes, out, findings);
}

/* --- bytes that look like ASCII and are none --- */

enum charset_shape charset_shape(struct text charset)
{
    switch (manner_of(charset)) {
    case AS_CP932:
        return CHARSET_SHIFT_JIS;
    case BY_ICU_PAIRS:
        return CHARSET_PAIRS;
    case AS_JIS:
        return CHARSET_ESCAPED;
    default:
        return CHARSET_PLAIN;
    }
}

static bool is_pair(enum charset_shape shape, struct text at)
{
    unsigned char lead = (unsigned char)at.at[0], trail = at.length > 1 ? (unsigned char)at.at[1] : 0;
    if (lead <= 0x80 || lead == 0xff || trail < 0x40 || trail == 0x7f || trail == 0xff) return false;
    return shape == CHARSET_PAIRS || (lead != 0xa0 && (lead < 0xa1 || lead > 0xdf) && lead < 0xfd);
}

size_t charset_opaque(enum charset_shape shape, struct text at)
{
    if (shape == CHARSET_PLAIN || at.length == 0) return 0;
    return shape == CHARSET_ESCAPED ? japanese_jis_run(at) : is_pair(shape, at) ? 2 : 0;
}

/* --- the other way --- */

/* What all three Japanese charsets have, and every program reads as the same characters. */
static bool write_japanese(struct text table, bool has_kana, struct text utf8, struct buffer *out)
{
    struct buffer cp932 = { 0 };
    bool is_common = charset_table_from_utf8(TEXT("windows-31j"), utf8, &cp932) &&
                     japanese_is_standard(buffer_text(&cp932), has_kana);
    buffer_free(&cp932);
    return is_common && charset_table_from_utf8(table, utf8, out);
}

bool charset_from_utf8(struct text charset, struct text utf8, struct buffer *out)
{
    enum manner manner = manner_of(charset);
    if (manner != NO_ASCII && text_is_ascii(utf8) && charset_is_known(charset)) {
        buffer_add_text(out, utf8);
        return true;
    }
    switch (manner) {
    case AS_UTF8:
        buffer_add_text(out, utf8);
        return true;
    case AS_CP932:
        return write_japanese(TEXT("windows-31j"), true, utf8, out);
    case AS_EUC:
        return write_japanese(TEXT("EUC-JP"), true, utf8, out);
    case AS_JIS:
        return write_japanese(TEXT("ISO-2022-JP"), false, utf8, out);
    case AS_LATIN:
    case BY_ICU:
        return charset_table_is_single_byte(table_of(charset)) && charset_table_from_utf8(charset, utf8, out);
    case AS_ASCII:
    case BY_ICU_PAIRS:
    case NO_ASCII:
        break;
    }
    return false;
}

bool charset_is_known(struct text charset)
{
    if (charset.length > CHARSET_TABLE_NAME_MOST) return false;
    return row_of(charset) >= 0 || charset_table_is_known(charset);
}

void charset_warm(void)
{
    char room[GUESS_NAME_SIZE];
    charset_table_warm();
    guess_charset(TEXT("\x82\xa0\x82\xa2"), room);
}
