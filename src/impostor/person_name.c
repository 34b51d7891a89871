/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/person_name.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "spam/text_fold.h"

enum { WORDS_MOST = 12, WIDE_FROM = 0xE3 };

struct name_words {
    struct text words[WORDS_MOST];
    uint32_t count;
};

void person_name_fold(struct text name, struct buffer *out)
{
    text_fold(text_slice(name, 0, PERSON_NAME_MOST), out, NULL);
}

/* --- parts --- */

static const struct text wide_marks[] = { { "\u3010", 3 }, { "\u3011", 3 }, { "\u300C", 3 },
                                          { "\u300D", 3 }, { "\u3014", 3 }, { "\u3015", 3 } };

/* Bytes of the bracket, slash or bar at the front; 0: there is none. */
static size_t mark_length(struct text text)
{
    if (memchr("/|()[]<>;:", text.at[0], 10)) return 1;
    for (size_t i = 0; i < sizeof wide_marks / sizeof *wide_marks; i++)
        if (text_starts(text, wide_marks[i])) return wide_marks[i].length;
    return 0;
}

bool person_name_part(struct text *rest, struct text *out_part)
{
    size_t end = 0, mark = 0;
    while (rest->length > 0 && (mark = mark_length(*rest)) > 0) *rest = text_slice(*rest, mark, rest->length);
    while (end < rest->length && mark_length(text_slice(*rest, end, rest->length)) == 0) end++;
    *out_part = text_slice(*rest, 0, end);
    *rest = text_slice(*rest, end, rest->length);
    return out_part->length > 0;
}

/* --- words --- */

/* Bytes of what stands between two words: ASCII that is no letter or digit, an ideographic blank, a middle
 * dot. */
static size_t gap_length(struct text text)
{
    char c = text.at[0];
    if ((unsigned char)c < 0x80) return !char_is_alpha(c) && !char_is_digit(c);
    if (text_starts(text, TEXT("\u3000")) || text_starts(text, TEXT("\u30FB"))) return 3;
    if (text_starts(text, TEXT("\uFF65"))) return 3;
    return text_starts(text, TEXT("\u00B7")) ? 2 : 0;
}

static bool is_wide(struct text word)
{
    return (unsigned char)word.at[0] >= WIDE_FROM;
}

static size_t characters_of(struct text word)
{
    size_t count = 0;
    for (size_t i = 0; i < word.length; i++) count += ((unsigned char)word.at[i] & 0xC0) != 0x80;
    return count;
}

static bool is_title(struct text word)
{
    static const char *const titles[] = { "dr",  "prof", "professor", "mr",        "mrs", "ms",
                                          "phd", "md",   "sensei",    "president", "dean" };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (text_equal(word, text_of(titles[i]))) return true;
    return false;
}

static void words_read(struct text part, enum person_script script, struct name_words *out)
{
    out->count = 0;
    for (size_t at = 0, gap; at < part.length && out->count < WORDS_MOST;) {
        size_t end = at;
        while (end < part.length && gap_length(text_slice(part, end, part.length)) == 0) end++;
        struct text word = text_slice(part, at, end);
        gap = end < part.length ? gap_length(text_slice(part, end, part.length)) : 0;
        at = end + gap;
        if (word.length == 0 || is_wide(word) != (script == PERSON_WIDE)) continue;
        if (script == PERSON_LATIN && (characters_of(word) < 2 || is_title(word))) continue;
        out->words[out->count++] = word;
    }
}

/* --- keys --- */

static int by_text(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static size_t words_join(const struct name_words *words, const char *between, bool is_turned, char *room)
{
    size_t length = 0;
    for (uint32_t i = 0; i < words->count; i++) {
        struct text word = words->words[is_turned ? words->count - 1 - i : i];
        if (length + word.length + 1 > PERSON_KEY_MOST) return 0;
        if (i > 0 && *between) room[length++] = *between;
        memcpy(room + length, word.at, word.length);
        length += word.length;
    }
    return length;
}

/* What people are called behind their names. */
static struct text without_title(struct text name)
{
    static const char *const titles[] = { "様",   "さん", "氏",   "先生", "准教授",
                                          "教授", "学長", "部長", "課長", "室長" };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        struct text title = text_of(titles[i]);
        if (text_ends(name, title) && characters_of(name) >= 3 + characters_of(title))
            return text_slice(name, 0, name.length - title.length);
    }
    return name;
}

size_t person_name_key(struct text part, enum person_script script, bool is_turned,
                       char room[PERSON_KEY_MOST])
{
    struct name_words words;
    words_read(part, script, &words);
    if (script == PERSON_WIDE) {
        struct text name = text_from(room, words_join(&words, "", is_turned, room));
        name = without_title(name);
        return characters_of(name) >= 3 ? name.length : 0;
    }
    if (words.count < 2) return 0;
    qsort(words.words, words.count, sizeof *words.words, by_text);
    return words_join(&words, " ", false, room);
}

size_t person_name_key_in(struct text part, int way, char room[PERSON_KEY_MOST])
{
    static const struct {
        enum person_script script;
        bool is_turned;
    } ways[PERSON_WAYS] = { { PERSON_LATIN, false }, { PERSON_WIDE, false }, { PERSON_WIDE, true } };
    return person_name_key(part, ways[way].script, ways[way].is_turned, room);
}
