/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ASCII, kana and han are copied; characters of two bytes have a table, made by ICU at the first use; ICU is
   asked for all others. */
#include "spam/text_fold.h"

#include "base/utf8.h"
#include "mail/charset_table.h"

enum { SMALL_FROM = 0x80, SMALL_END = 0x800, SMALL_BYTES = 7 };

/* What a character of two bytes becomes; a length of ASK: it may join the one before it. */
struct small {
    uint8_t length;
    char bytes[SMALL_BYTES];
};
enum { ASK = 255 };

static struct {
    bool is_made;
    char ascii[SMALL_FROM]; /* small letters; blanks for white space */
    struct small small[SMALL_END - SMALL_FROM];
} tables;

struct fold {
    struct text text;
    size_t at;
    size_t before;      /* where the character before `at` begins */
    size_t before_out;  /* and how long `out` was in front of it */
    size_t begin;       /* how long `out` was in the beginning */
    bool is_other_seen; /* Greek or Cyrillic */
    struct buffer *out;
    struct fold_counts counts;
};

static void tables_make(void)
{
    for (int c = 0; c < SMALL_FROM; c++) tables.ascii[c] = char_is_white((char)c) ? ' ' : char_lower((char)c);
    for (uint32_t point = SMALL_FROM; point < SMALL_END; point++) {
        char bytes[4], room[64];
        struct small *small = &tables.small[point - SMALL_FROM];
        size_t length = charset_table_fold(text_from(bytes, utf8_write(point, bytes)), room, sizeof room);
        bool is_alone = charset_table_stands_alone(point) && length <= SMALL_BYTES;
        small->length = is_alone ? (uint8_t)length : ASK;
        if (is_alone) memcpy(small->bytes, room, length);
    }
    tables.is_made = true;
}

static void blank_add(struct fold *fold)
{
    struct text all = buffer_text(fold->out);
    if (all.length > fold->begin && all.at[all.length - 1] != ' ') buffer_add_char(fold->out, ' ');
}

static void put(struct fold *fold, struct text bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.at[i] == ' ')
            blank_add(fold);
        else
            buffer_add_char(fold->out, bytes.at[i]);
}

/* --- ASCII --- */

static void ascii_take(struct fold *fold)
{
    const char *from = fold->text.at + fold->at;
    size_t left = fold->text.length - fold->at, length = 0, taken = 0;
    char *to = buffer_reserve(fold->out, left);
    struct text all = buffer_text(fold->out);
    char last = all.length > fold->begin ? all.at[all.length - 1] : ' ';
    size_t before = 0;
    for (; taken < left && (unsigned char)from[taken] < 0x80; taken++) {
        char c = tables.ascii[(uint8_t)from[taken]];
        before = length;
        to[length] = c; /* no branch: where words end cannot be foretold */
        length += (c != ' ') | (last != ' ');
        last = c;
    }
    fold->before = fold->at + taken - 1;
    fold->before_out = buffer_length(fold->out) + before;
    buffer_commit(fold->out, length);
    fold->at += taken;
}

/* --- other characters --- */

static bool is_voice_mark(const uint8_t *at, size_t left)
{
    return left > 2 && at[0] == 0xE3 && at[1] == 0x82 && (at[2] == 0x99 || at[2] == 0x9A);
}

/* Kana and han that are so already and that nothing joins. */
static bool is_plain_three(const uint8_t *at, size_t left)
{
    if (left < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return false;
    if (is_voice_mark(at + 3, left - 3)) return false;
    if (at[0] == 0xE3 && at[1] == 0x82) return at[2] < 0x97 || at[2] > 0x9F;
    if (at[0] == 0xE3 && at[1] == 0x83) return at[2] != 0xBF;
    if (at[0] == 0xE3) return (at[1] == 0x80 && (at[2] == 0x81 || at[2] == 0x82)) || at[1] == 0x81;
    return (at[0] >= 0xE5 && at[0] <= 0xE9) || (at[0] == 0xE4 && at[1] >= 0xB8);
}

static void plain_take(struct fold *fold)
{
    const uint8_t *all = (const uint8_t *)fold->text.at;
    size_t from = fold->at;
    while (is_plain_three(all + fold->at, fold->text.length - fold->at)) fold->at += 3;
    buffer_add(fold->out, all + from, fold->at - from);
    fold->before = fold->at - 3;
    fold->before_out = buffer_length(fold->out) - 3;
}

/* Dashes and quotation marks as ASCII, and what turns the direction of a line, which ICU would leave out. */
static struct text kept_form(struct text character)
{
    if (character.length != 3 || (uint8_t)character.at[0] < 0xE2 || (uint8_t)character.at[0] > 0xE3)
        return TEXT_NONE;

    static const struct {
        const char *from, *to;
    } forms[] = {
        { "\u301C", "~" },      { "\u3030", "~" },      { "\u223C", "~" },      { "\u2212", "-" },
        { "\u2010", "-" },      { "\u2013", "-" },      { "\u2014", "-" },      { "\u2018", "'" },
        { "\u2019", "'" },      { "\u201C", "\"" },     { "\u201D", "\"" },     { "\u202A", "\u202A" },
        { "\u202B", "\u202B" }, { "\u202C", "\u202C" }, { "\u202D", "\u202D" }, { "\u202E", "\u202E" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (text_equal(character, text_of(forms[i].from))) return text_of(forms[i].to);
    return TEXT_NONE;
}

static void counts_add(struct fold_counts *counts, struct text character)
{
    const uint8_t *at = (const uint8_t *)character.at;
    unsigned point =
        character.length == 3 ? (at[0] & 0xFu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu) : 0;
    counts->gaps += text_equal(character, TEXT("\u00AD")) || text_equal(character, TEXT("\u034F")) ||
                    (point >= 0x200B && point <= 0x200F) || point == 0x2060 || point == 0xFEFF;
    counts->wide_forms += point >= 0xFF01 && point <= 0xFF5E;
    counts->look_alikes += character.length == 4 && at[1] == 0x9D && at[2] >= 0x90 && at[2] <= 0x9F;
}

/* A mark of Cyrillic numbers, Hebrew, Arabic or Syriac, which belongs to no Latin letter. */
static bool is_foreign_mark(struct text character)
{
    const uint8_t *at = (const uint8_t *)character.at;
    unsigned point = character.length == 2 ? (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu) : 0;
    return (point >= 0x483 && point <= 0x489) || (point >= 0x591 && point <= 0x5BD) ||
           (point >= 0x610 && point <= 0x61A) || (point >= 0x64B && point <= 0x65F) ||
           (point >= 0x730 && point <= 0x74A);
}

/* Up to the next byte of ASCII or character that stands for itself: with the character before it, which it
   may join. */
static void asked_take(struct fold *fold)
{
    char room[CHARSET_FOLD_MOST * CHARSET_FOLD_GROWTH];
    size_t from = fold->at, end = fold->at;
    const uint8_t *all = (const uint8_t *)fold->text.at;
    while (end < fold->text.length && end - from < CHARSET_FOLD_MOST - 8 && all[end] >= 0x80) {
        struct text rest = text_slice(fold->text, end, fold->text.length);
        size_t length = utf8_sequence(rest);
        struct text character = text_slice(rest, 0, length);
        if (length == 0 || (end > from && (kept_form(character).length ||
                                           is_plain_three(all + end, fold->text.length - end))))
            break;
        counts_add(&fold->counts, character);
        fold->counts.look_alikes +=
            end > 0 && char_is_alpha((char)all[end - 1]) && is_foreign_mark(character);
        fold->is_other_seen |= length == 2;
        end += length;
    }
    bool may_join = fold->before < from && all[fold->before] > ' ';
    struct text asked = text_slice(fold->text, may_join ? fold->before : from, end);
    size_t length = end > from ? charset_table_fold(asked, room, sizeof room) : 0;
    bool is_joined = asked.at < fold->text.at + from;
    fold->at = end > from ? end : end + 1;
    if (end == from) buffer_add(fold->out, all + from, 1);
    if (end > from && is_joined) buffer_truncate(fold->out, fold->before_out);
    put(fold, text_from(room, length));
    fold->before = fold->at;
}

static void small_take(struct fold *fold, unsigned point)
{
    const struct small *small = &tables.small[point - SMALL_FROM];
    fold->is_other_seen |= point >= 0x370 && point < 0x530;
    fold->before = fold->at;
    fold->before_out = buffer_length(fold->out);
    counts_add(&fold->counts, text_slice(fold->text, fold->at, fold->at + 2));
    put(fold, text_from(small->bytes, small->length));
    fold->at += 2;
}

static void other_take(struct fold *fold)
{
    struct text rest = text_slice(fold->text, fold->at, fold->text.length);
    const uint8_t *at = (const uint8_t *)rest.at;
    unsigned point = rest.length > 1 && at[0] >= 0xC2 && at[0] < 0xE0 && (at[1] & 0xC0) == 0x80
                         ? (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu)
                         : 0;
    if (is_plain_three(at, rest.length)) {
        plain_take(fold);
    } else if (point && tables.small[point - SMALL_FROM].length != ASK) {
        small_take(fold, point);
    } else {
        struct text kept = kept_form(text_slice(rest, 0, 3));
        if (kept.length == 0) {
            asked_take(fold);
            return;
        }
        buffer_add_text(fold->out, kept);
        fold->before = fold->at += 3;
    }
}

/* --- letters that look alike --- */

static const struct {
    const char *letter;
    char latin;
} look_alikes[] = {
    { "а", 'a' }, { "в", 'b' }, { "е", 'e' }, { "к", 'k' }, { "м", 'm' }, { "н", 'h' }, { "о", 'o' },
    { "р", 'p' }, { "с", 'c' }, { "т", 't' }, { "у", 'y' }, { "х", 'x' }, { "і", 'i' }, { "ј", 'j' },
    { "ѕ", 's' }, { "һ", 'h' }, { "ԁ", 'd' }, { "ԛ", 'q' }, { "ԝ", 'w' }, { "α", 'a' }, { "β", 'b' },
    { "ε", 'e' }, { "ι", 'i' }, { "κ", 'k' }, { "ν", 'v' }, { "ο", 'o' }, { "ρ", 'p' }, { "τ", 't' },
    { "υ", 'u' }, { "χ", 'x' }, { "ζ", 'z' }, { "η", 'n' },
};

static char latin_of(struct text pair)
{
    for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes; i++)
        if (text_equal(pair, text_of(look_alikes[i].letter))) return look_alikes[i].latin;
    return 0;
}

/* A run of ASCII letters and Greek and Cyrillic ones, the bytes of which it has. */
struct mixed {
    size_t end;
    unsigned latin, others, alike;
};

static struct mixed mixed_read(struct text text, size_t from)
{
    struct mixed word = { .end = from };
    while (word.end < text.length) {
        uint8_t byte = (uint8_t)text.at[word.end];
        bool is_other = byte >= 0xCD && byte <= 0xD4 && word.end + 1 < text.length;
        if (!is_other && !char_is_alpha((char)byte)) break;
        word.latin += !is_other;
        word.others += is_other;
        word.alike += is_other && latin_of(text_slice(text, word.end, word.end + 2));
        word.end += is_other ? 2 : 1;
    }
    return word;
}

/* In words that have two Latin letters and no other letters than such as look so. */
static void look_alikes_fold(struct fold *fold)
{
    char *to = fold->out->memory + fold->out->start;
    struct text all = buffer_text(fold->out);
    size_t length = fold->begin;
    for (size_t at = fold->begin; at < all.length;) {
        struct mixed word = mixed_read(all, at);
        bool is_alike = word.others && word.alike == word.others && word.latin >= 2;
        fold->counts.look_alikes += is_alike ? word.alike : 0;
        if (word.end == at) to[length++] = all.at[at++];
        while (at < word.end) {
            char latin = is_alike && (uint8_t)all.at[at] >= 0x80 ? latin_of(text_slice(all, at, at + 2)) : 0;
            to[length++] = latin ? latin : all.at[at];
            at += latin ? 2 : 1;
        }
    }
    buffer_truncate(fold->out, length);
}

void text_fold(struct text text, struct buffer *out, struct fold_counts *counts)
{
    struct fold fold = { .text = text, .out = out, .begin = buffer_length(out) };
    if (!tables.is_made) tables_make();
    while (fold.at < text.length)
        if ((unsigned char)text.at[fold.at] < 0x80)
            ascii_take(&fold);
        else
            other_take(&fold);
    if (fold.is_other_seen) look_alikes_fold(&fold);
    if (!counts) return;
    counts->gaps += fold.counts.gaps;
    counts->wide_forms += fold.counts.wide_forms;
    counts->look_alikes += fold.counts.look_alikes;
}
