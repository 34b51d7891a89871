/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Of each pattern a literal is looked for, in all lines in one pass; where it stands, the pattern is tried on
   that line. */
#include "scan/entry_patterns.h"

#include <stdlib.h>

#include "base/codec.h"
#include "mail/encoded_word.h"
#include "rules/literal_table.h"
#include "spam/text_fold.h"

enum {
    STAR = '\x01', /* in a folded pattern; no pattern has it, and no line that is looked at */
    LINE_MOST = 4096,
    TRY_BYTES = 256, /* of a line count as another try */
    SUBJECTS_MOST = 8,
    FILES_MOST = 1000, /* bounds what a message of many parts costs */
    STARTS = 4096,
    CONFIGURED = 0x80 /* in the byte of features */
};

struct pattern {
    struct text folded; /* in the arena */
    uint32_t owner;     /* index of its entry */
    uint8_t feature;
    uint32_t tried; /* the line it was tried on last */
};

struct patterned {
    uint32_t number, check;
    bool is_configured;
    uint8_t hits;
};

struct entry_patterns {
    struct arena *arena;
    uint64_t page_sum, configured_sum;
    struct literal_table *table; /* of values below `count` */
    struct pattern *items;
    struct patterned *entries;
    uint32_t count, entry_count;
    uint32_t *unsure, unsure_count; /* patterns without a literal: they are tried on every line */
    unsigned features;
    uint32_t line; /* number of the line, never 0 */
    uint32_t tries;
    uint16_t starts[STARTS]; /* how many literals begin alike */
};

/* --- one pattern --- */

static struct text without_scheme(struct text url)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts_nocase(url, text_of(schemes[i])))
            return text_slice(url, strlen(schemes[i]), url.length);
    return url;
}

void entry_pattern_fold(struct text pattern, enum entry_feature feature, struct buffer *out)
{
    struct buffer plain = { 0 };
    if (feature == ENTRY_LINK) pattern = without_scheme(pattern);
    for (size_t i = 0; i < pattern.length; i++) {
        bool is_escape = pattern.at[i] == '\\' && i + 1 < pattern.length;
        if (is_escape) i++;
        buffer_add_char(&plain, !is_escape && pattern.at[i] == '*' ? STAR : pattern.at[i]);
    }
    text_fold(text_trim(buffer_text(&plain)), out, NULL);
    buffer_free(&plain);
}

/* Greedy: what stands between two stars is taken where it comes first, which never loses a match. */
bool entry_pattern_matches(struct text pattern, struct text text)
{
    size_t star = text_find_char(pattern, STAR);
    if (star == pattern.length) return text_equal(pattern, text);
    if (!text_starts(text, text_slice(pattern, 0, star))) return false;
    for (text = text_slice(text, star, text.length);;) {
        pattern = text_slice(pattern, star + 1, pattern.length);
        star = text_find_char(pattern, STAR);
        if (star == pattern.length) return text_ends(text, pattern);
        struct text piece = text_slice(pattern, 0, star);
        size_t at = piece.length ? text_find(text, piece) : 0;
        if (piece.length && at == text.length) return false;
        text = text_slice(text, at + piece.length, text.length);
    }
}

/* --- compiling --- */

static uint16_t *start_of(struct entry_patterns *patterns, const char *at)
{
    return &patterns->starts[text_checksum(text_from(at, LITERAL_LEAST)) % STARTS];
}

/* The end of a piece between stars behind the place where the fewest others begin: so no place of a text asks
   for many. Empty: all pieces are too short. */
static struct text literal_of(struct entry_patterns *patterns, struct text folded)
{
    struct text best = TEXT_NONE;
    while (folded.length) {
        struct text piece = text_slice(folded, 0, text_find_char(folded, STAR));
        for (size_t i = 0; i + LITERAL_LEAST <= piece.length; i++)
            if (!best.length || *start_of(patterns, piece.at + i) < *start_of(patterns, best.at))
                best = text_slice(piece, i, piece.length);
        folded = text_slice(folded, piece.length + 1, folded.length);
    }
    return best;
}

static void literal_add(struct entry_patterns *patterns, struct text literal, uint32_t value)
{
    uint16_t *start = start_of(patterns, literal.at);
    if (*start < UINT16_MAX) ++*start;
    literal_table_add(patterns->table, literal, value);
}

static void pattern_add(struct entry_patterns *patterns, enum entry_feature feature, struct text pattern)
{
    struct buffer folded = { 0 };
    entry_pattern_fold(pattern, feature, &folded);
    struct pattern *item = &patterns->items[patterns->count];
    *item = (struct pattern){ .folded = arena_text(patterns->arena, buffer_text(&folded)),
                              .owner = patterns->entry_count,
                              .feature = (uint8_t)feature };
    struct text literal = literal_of(patterns, item->folded);
    if (literal.length)
        literal_add(patterns, literal, patterns->count);
    else
        patterns->unsure[patterns->unsure_count++] = patterns->count;
    patterns->features |= 1U << feature;
    patterns->count++;
    buffer_free(&folded);
}

static void image_add(struct entry_patterns *patterns, struct text image)
{
    struct sender_entry entry;
    for (size_t at = 0; entry_image_next_patterned(image, &at, &entry); patterns->entry_count++) {
        patterns->entries[patterns->entry_count] =
            (struct patterned){ entry.number, sender_entry_pattern_check(&entry), entry.is_configured, 0 };
        for (int i = 0; i < ENTRY_FEATURES; i++)
            if (entry.patterns[i].length) pattern_add(patterns, (enum entry_feature)i, entry.patterns[i]);
    }
}

static size_t count_of(struct text image)
{
    struct sender_entry entry;
    size_t count = 0;
    for (size_t at = 0; entry_image_next_patterned(image, &at, &entry);) count++;
    return count < ENTRIES_MOST ? count : ENTRIES_MOST;
}

static void clear(struct entry_patterns *patterns)
{
    arena_free(patterns->arena);
    literal_table_free(patterns->table);
    free(patterns->items);
    free(patterns->entries);
    free(patterns->unsure);
    *patterns = (struct entry_patterns){ 0 };
}

struct entry_patterns *entry_patterns_new(void)
{
    return memory_alloc(sizeof(struct entry_patterns));
}

void entry_patterns_free(struct entry_patterns *patterns)
{
    if (!patterns) return;
    clear(patterns);
    free(patterns);
}

/* The page may change under it: it is copied first. */
static void compile(struct entry_patterns *patterns, struct text page, struct text configured)
{
    patterns->arena = arena_new(0);
    page = arena_text(patterns->arena, page);
    size_t room = count_of(page) + count_of(configured) + 1;
    patterns->table = literal_table_new();
    patterns->entries = memory_alloc(room * sizeof *patterns->entries);
    patterns->items = memory_alloc(room * ENTRY_FEATURES * sizeof *patterns->items);
    patterns->unsure = memory_alloc(room * ENTRY_FEATURES * sizeof *patterns->unsure);
    image_add(patterns, page);
    image_add(patterns, configured);
}

unsigned entry_patterns_load(struct entry_patterns *patterns, struct text page, struct text configured)
{
    uint64_t page_sum = entry_image_pattern_sum(page), configured_sum = entry_image_pattern_sum(configured);
    if (patterns->page_sum == page_sum && patterns->configured_sum == configured_sum)
        return patterns->features;
    clear(patterns);
    patterns->page_sum = page_sum;
    patterns->configured_sum = configured_sum;
    if (page_sum || configured_sum)
        compile(patterns, page_sum ? page : TEXT_NONE, configured_sum ? configured : TEXT_NONE);
    return patterns->features;
}

/* --- matching --- */

static void pattern_try(struct entry_patterns *patterns, uint32_t value, enum entry_feature feature,
                        struct text line)
{
    struct pattern *pattern = &patterns->items[value];
    struct patterned *entry = &patterns->entries[pattern->owner];
    bool is_done = pattern->tried == patterns->line || entry->hits >> feature & 1;
    if (pattern->feature != feature || is_done || patterns->tries >= ENTRY_TRIES_MOST) return;
    pattern->tried = patterns->line;
    patterns->tries += 1 + (uint32_t)(line.length / TRY_BYTES);
    if (entry_pattern_matches(pattern->folded, line)) entry->hits |= (uint8_t)(1U << feature);
}

/* One line, folded. */
static void line_look(struct entry_patterns *patterns, enum entry_feature feature, struct text line)
{
    line = text_trim(text_slice(line, 0, LINE_MOST));
    if (line.length == 0) return;
    patterns->line++;
    struct literal_walk walk = { .table = patterns->table, .text = line };
    while (patterns->tries < ENTRY_TRIES_MOST && literal_table_next(&walk))
        pattern_try(patterns, walk.value, feature, line);
    for (uint32_t i = 0; i < patterns->unsure_count; i++)
        pattern_try(patterns, patterns->unsure[i], feature, line);
}

static void raw_look(struct entry_patterns *patterns, enum entry_feature feature, struct text raw)
{
    struct buffer folded = { 0 };
    text_fold(text_slice(raw, 0, LINE_MOST), &folded, NULL);
    line_look(patterns, feature, buffer_text(&folded));
    buffer_free(&folded);
}

static void subjects_look(struct entry_patterns *patterns, struct arena *arena, const struct mime *mime)
{
    const struct header *header = mime->parts[0].header;
    unsigned seen = 0;
    for (size_t i = 0; i < header->count && seen < SUBJECTS_MOST; i++) {
        if (header->fields[i].id != HEADER_SUBJECT) continue;
        struct text value = text_trim(header->fields[i].value);
        raw_look(patterns, ENTRY_SUBJECT, word_decode_in(arena, value, mime->declared, NULL));
        seen++;
    }
}

static void links_look(struct entry_patterns *patterns, const struct entry_texts *texts)
{
    struct text rest = texts->hosts, line;
    while (text_next_line(&rest, &line)) line_look(patterns, ENTRY_LINK, line);
    rest = texts->urls;
    while (text_next_line(&rest, &line)) line_look(patterns, ENTRY_LINK, without_scheme(line));
}

/* Of a path in a container the last name. */
static void files_look(struct entry_patterns *patterns, const struct mime *mime, struct text members)
{
    struct text path;
    for (size_t i = 0; i < mime->count && i < FILES_MOST; i++) {
        const struct mime_part *part = &mime->parts[i];
        if (part->kind == MIME_MULTIPART) continue;
        raw_look(patterns, ENTRY_ATTACHMENT, part->name);
        raw_look(patterns, ENTRY_ATTACHMENT, part->type);
    }
    while (text_next_line(&members, &path)) {
        size_t slash = text_find_last_char(path, '/');
        raw_look(patterns, ENTRY_ATTACHMENT,
                 slash < path.length ? text_slice(path, slash + 1, path.length) : path);
    }
}

/* Takes them off the entries again. */
static struct text hits_take(struct entry_patterns *patterns, struct arena *arena)
{
    struct buffer out = { 0 };
    unsigned count = 0;
    for (uint32_t i = 0; i < patterns->entry_count; i++) {
        struct patterned *entry = &patterns->entries[i];
        if (entry->hits && count++ < ENTRY_HITS_MOST) {
            put_u32(&out, entry->number);
            put_u32(&out, entry->check);
            put_u8(&out, (uint8_t)(entry->hits | (entry->is_configured ? CONFIGURED : 0)));
        }
        entry->hits = 0;
    }
    struct text hits = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return hits;
}

struct text entry_patterns_find(struct entry_patterns *patterns, struct arena *arena, const struct mime *mime,
                                const struct entry_texts *texts)
{
    if (patterns->count == 0) return TEXT_NONE;
    patterns->tries = 0;
    if (patterns->features >> ENTRY_SUBJECT & 1) subjects_look(patterns, arena, mime);
    if (patterns->features >> ENTRY_LINK & 1) links_look(patterns, texts);
    if (patterns->features >> ENTRY_ATTACHMENT & 1) files_look(patterns, mime, texts->members);
    return hits_take(patterns, arena);
}

/* --- hits --- */

bool entry_hits_next(struct text *hits, struct entry_hit *out)
{
    enum { HIT_BYTES = 4 + 4 + 1 };
    if (hits->length < HIT_BYTES) return false;
    struct reader reader = reader_of(text_slice(*hits, 0, HIT_BYTES));
    out->number = get_u32(&reader);
    out->check = get_u32(&reader);
    out->features = get_u8(&reader);
    out->is_configured = out->features & CONFIGURED;
    out->features &= (uint8_t)~CONFIGURED;
    *hits = text_slice(*hits, HIT_BYTES, hits->length);
    return true;
}

static unsigned features_of(const struct sender_entry *entry)
{
    unsigned features = 0;
    for (int i = 0; i < ENTRY_FEATURES; i++) features |= entry->patterns[i].length ? 1U << i : 0;
    return features;
}

bool entry_hits_have(struct text hits, const struct sender_entry *entry)
{
    struct entry_hit hit;
    unsigned wanted = features_of(entry);
    uint32_t check = sender_entry_pattern_check(entry);
    if (!wanted) return true;
    while (entry_hits_next(&hits, &hit))
        if (hit.number == entry->number && hit.is_configured == entry->is_configured && hit.check == check)
            return (hit.features & wanted) == wanted;
    return false;
}
