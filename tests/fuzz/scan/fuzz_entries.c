/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries from foreign bytes. The first byte chooses: L a line of the ledger's file, which is
   written and read again as it was; C words of the configuration; P a pattern and, behind the first line end,
   a text, matched as a matcher does that tries everything; H hits; anything else is the number of 64-byte
   pieces of an image, and behind it stands a mail. */
#include <stdlib.h>

#include "config/kept_entry.h"
#include "scan/entry_patterns.h"
#include "spam/text_fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so)
{
    if (!is_so) abort();
}

static void line(struct arena *arena, struct text bytes)
{
    struct kept_entry kept, again;
    struct kept_uses uses;
    struct buffer out = { 0 }, twice = { 0 };
    uint32_t number;
    kept_entry_read_uses(bytes, &number, &uses);
    if (!kept_entry_read(arena, ENTRY_BLOCK, bytes, &kept)) return;
    kept_entry_write(&kept, &out);
    struct text rest = text_slice(buffer_text(&out), 0, buffer_length(&out) - 1), verb;
    must(text_next_word(&rest, &verb) && text_equal(verb, TEXT("block")));
    must(kept_entry_read(arena, ENTRY_BLOCK, rest, &again));
    must(sender_entry_is_same(&kept.entry, &again.entry));
    kept_entry_write(&again, &twice);
    must(kept.note.length == ENTRY_NOTE_MOST || text_equal(buffer_text(&out), buffer_text(&twice)));
    buffer_free(&out);
    buffer_free(&twice);
}

static void words(struct arena *arena, struct text bytes)
{
    struct sender_entry entry;
    const char *why = NULL;
    for (int verb = 0; verb < ENTRY_VERBS; verb++) {
        bool is_read = sender_entry_read(arena, (enum entry_verb)verb, bytes, &entry, &why);
        must(is_read || why);
        for (int i = 0; is_read && i < ENTRY_FEATURES; i++)
            must(entry.patterns[i].length <= ENTRY_PATTERN_MOST &&
                 !memchr(entry.patterns[i].at ? entry.patterns[i].at : "", '\n', entry.patterns[i].length));
        must(!is_read || verb == ENTRY_BLOCK || entry.kind != ENTRY_ANYBODY || entry.is_unproven);
    }
}

/* In a time that grows with both lengths multiplied. */
static bool matches_slowly(struct text pattern, struct text text)
{
    enum { MOST = 300 };
    static bool reached[MOST + 1][MOST + 1];
    must(pattern.length <= MOST && text.length <= MOST);
    for (size_t p = 0; p <= pattern.length; p++)
        for (size_t t = 0; t <= text.length; t++) {
            bool is_star = p > 0 && pattern.at[p - 1] == 1;
            if (p == 0)
                reached[p][t] = t == 0;
            else if (is_star)
                reached[p][t] = reached[p - 1][t] || (t > 0 && reached[p][t - 1]);
            else
                reached[p][t] = t > 0 && reached[p - 1][t - 1] && pattern.at[p - 1] == text.at[t - 1];
        }
    return reached[pattern.length][text.length];
}

static void pattern(struct arena *arena, struct text bytes)
{
    struct text rest = bytes, first = TEXT_NONE;
    struct sender_entry entry = { .kind = ENTRY_ANYBODY };
    const char *why;
    struct buffer folded = { 0 }, line_folded = { 0 };
    text_next_line(&rest, &first);
    if (!sender_entry_read_pattern(arena, ENTRY_SUBJECT, first, &entry, &why)) return;
    entry_pattern_fold(entry.patterns[0], ENTRY_SUBJECT, &folded);
    text_fold(text_slice(rest, 0, 40), &line_folded, NULL);
    struct text folded_text = text_slice(buffer_text(&folded), 0, 300),
                subject = text_slice(buffer_text(&line_folded), 0, 300);
    must(entry_pattern_matches(folded_text, subject) == matches_slowly(folded_text, subject));
    buffer_free(&folded);
    buffer_free(&line_folded);
}

static void hits(struct text bytes)
{
    struct entry_hit hit;
    const struct sender_entry entry = { .patterns = { [ENTRY_LINK] = TEXT("abc*") } };
    struct text rest = bytes;
    while (entry_hits_next(&rest, &hit)) {
    }
    entry_hits_have(bytes, &entry);
}

static void image(struct arena *arena, struct text bytes)
{
    static struct entry_patterns *patterns;
    size_t length = (size_t)(uint8_t)bytes.at[0] * 64;
    /* Aligned and of exactly that size, as in a page. */
    struct text taken = text_slice(bytes, 1, 1 + length), mail = text_slice(bytes, 1 + length, bytes.length);
    char *exact = malloc(taken.length ? taken.length : 1);
    if (taken.length) memcpy(exact, taken.at, taken.length);
    if (!patterns) patterns = entry_patterns_new();
    entry_patterns_load(patterns, text_from(exact, taken.length), TEXT_NONE);
    free(exact); /* nothing of it is borrowed */
    const struct mime *mime = mime_parse(arena, mail, &mime_limits_default, MIME_FIRST);
    const struct entry_texts texts = { mail, mail, mail };
    struct text found = entry_patterns_find(patterns, arena, mime, &texts);
    must(found.length <= ENTRY_HITS_MOST * 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size);
    if (size == 0) return 0;
    struct arena *arena = arena_new(0);
    struct text rest = text_slice(bytes, 1, size);
    if (data[0] == 'L')
        line(arena, rest);
    else if (data[0] == 'C')
        words(arena, rest);
    else if (data[0] == 'P')
        pattern(arena, rest);
    else if (data[0] == 'H')
        hits(rest);
    else
        image(arena, bytes);
    arena_free(arena);
    return 0;
}
