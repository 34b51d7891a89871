/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Both configurations become sorted lists of words and values, which are merged. Called by master and
   report. */
#include "config/difference.h"

#include <stdlib.h>

#include "base/arena.h"
#include "config/bundle.h"
#include "config/dump.h"
#include "config/engines.h"
#include "config/value.h"
#include "config/visit.h"

struct entry {
    struct text words, value;
    bool is_default, is_file;
};

struct entries {
    struct arena *arena;
    const struct config *config;
    struct entry *items;
    size_t count;
    struct text prefix; /* of the block under way, with a blank behind it */
    struct text parent; /* the prefix around it */
};

static void entry_add(struct entries *entries, struct entry entry)
{
    entries->items = value_list_grow(entries->arena, entries->items, entries->count, sizeof entry);
    entries->items[entries->count++] = entry;
}

static void block_open(void *context, const struct visit_opening *opening)
{
    struct entries *entries = context;
    struct buffer value = { 0 };
    if (opening->listener) value_endpoint_print(&opening->listener->endpoint, 0, &value);
    if (opening->hosted) value_word_print(opening->hosted->name, &value);
    if (opening->wish) value_word_print(opening->wish->address, &value);
    if (opening->engine) engines_print(opening->engine, &value);
    if (opening->list) value_word_print(opening->list->name, &value);
    if (opening->domain) dump_targets(entries->config, opening->domain, &value);
    struct text said = arena_text(entries->arena, buffer_text(&value));
    buffer_free(&value);
    if (visit_is_item(opening)) {
        struct text words =
            arena_printf(entries->arena, "%.*s%.*s", TEXT_ARG(entries->prefix), TEXT_ARG(opening->title));
        if (!opening->domain)
            words = arena_printf(entries->arena, "%.*s %.*s", TEXT_ARG(words), TEXT_ARG(said));
        entry_add(entries, (struct entry){ .words = words,
                                           .value = opening->domain ? said : TEXT_NONE,
                                           .is_default = opening->is_default });
        entries->parent = entries->prefix;
        entries->prefix = arena_printf(entries->arena, "%.*s ", TEXT_ARG(words));
        return;
    }
    entries->prefix = arena_printf(entries->arena, "%.*s ", TEXT_ARG(opening->title));
}

static void block_close(void *context, const struct visit_opening *opening)
{
    struct entries *entries = context;
    entries->prefix = visit_is_item(opening) ? entries->parent : TEXT_NONE;
}

static void value_add(void *context, const struct visit_value *value)
{
    struct entries *entries = context;
    entry_add(
        entries,
        (struct entry){
            .words = arena_printf(entries->arena, "%.*s%s", TEXT_ARG(entries->prefix), value->words),
            .value = arena_text(entries->arena, value->value),
            .is_default = value->row->fallback && text_equal(value->value, text_of(value->row->fallback)) });
}

static void file_add(void *context, const struct file_content *file)
{
    struct entries *entries = context;
    entry_add(entries,
              (struct entry){ .words = file->path,
                              .value = arena_printf(entries->arena, "%016llx",
                                                    (unsigned long long)text_checksum(file->content)),
                              .is_file = true });
}

static int by_words(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->is_file != y->is_file) return x->is_file ? 1 : -1;
    return text_compare(x->words, y->words);
}

static struct entries entries_of(const struct config *config, struct arena *arena)
{
    static const struct visit_events events = { block_open, value_add, block_close };
    struct entries entries = { .arena = arena, .config = config };
    visit_config(config, VISIT_ALL, &events, &entries);
    config_bundle_files(config, file_add, &entries);
    if (entries.count > 1) qsort(entries.items, entries.count, sizeof *entries.items, by_words);
    return entries;
}

static void line_print(char sign, const struct entry *entry, struct buffer *out)
{
    buffer_printf(out, "%c %.*s%s%.*s\n", sign, TEXT_ARG(entry->words), entry->value.length ? " " : "",
                  TEXT_ARG(entry->value));
}

/* One side may be NULL. What is a default, on one side only or on both, is no news. */
static size_t pair_print(const struct entry *old, const struct entry *new, struct buffer *out)
{
    const struct entry *only = !old ? new : !new ? old : NULL;
    bool is_in_both = old && new;
    if (only && (only->is_default || only->is_file)) return 0;
    if (is_in_both && (text_equal(old->value, new->value) || (old->is_default && new->is_default))) return 0;
    if (is_in_both && old->is_file) {
        buffer_printf(out, "~ %.*s: its content has changed\n", TEXT_ARG(old->words));
        return 1;
    }
    if (old) line_print('-', old, out);
    if (new) line_print('+', new, out);
    return 1;
}

static size_t merge(const struct entries *before, const struct entries *after, struct buffer *out)
{
    size_t i = 0, k = 0, count = 0;
    while (i < before->count || k < after->count) {
        int order = i == before->count  ? 1
                    : k == after->count ? -1
                                        : by_words(&before->items[i], &after->items[k]);
        const struct entry *was = order <= 0 ? &before->items[i++] : NULL;
        const struct entry *is = order >= 0 ? &after->items[k++] : NULL;
        count += pair_print(was, is, out);
    }
    return count;
}

size_t config_difference(const struct config *old, const struct config *new, struct buffer *out)
{
    struct arena *arena = arena_new(65536);
    struct entries before = entries_of(old, arena), after = entries_of(new, arena);
    size_t count = merge(&before, &after, out);
    arena_free(arena);
    return count;
}

/* --- statements that were written down --- */

enum { SAID = '=', DEFAULT = '-' };

void difference_statements(const struct config *config, struct buffer *out)
{
    struct arena *arena = arena_new(65536);
    struct entries entries = entries_of(config, arena);
    for (size_t i = 0; i < entries.count && !entries.items[i].is_file; i++)
        buffer_printf(out, "%c%.*s\t%.*s\n", entries.items[i].is_default ? DEFAULT : SAID,
                      TEXT_ARG(entries.items[i].words), TEXT_ARG(entries.items[i].value));
    arena_free(arena);
}

/* False: a line is no such statement. */
static bool statements_read(struct text statements, struct arena *arena, struct entries *out)
{
    struct text line;
    *out = (struct entries){ .arena = arena };
    while (text_next_line(&statements, &line)) {
        size_t tab = text_find_char(line, '\t');
        if (tab == line.length || (line.at[0] != SAID && line.at[0] != DEFAULT)) return false;
        entry_add(out, (struct entry){ .words = text_slice(line, 1, tab),
                                       .value = text_slice(line, tab + 1, line.length),
                                       .is_default = line.at[0] == DEFAULT });
    }
    if (out->count > 1) qsort(out->items, out->count, sizeof *out->items, by_words);
    return true;
}

bool difference_of_statements(struct text old, struct text new, struct buffer *out)
{
    struct arena *arena = arena_new(65536);
    struct entries before, after;
    bool can_compare = statements_read(old, arena, &before) && statements_read(new, arena, &after);
    if (can_compare) merge(&before, &after, out);
    arena_free(arena);
    return can_compare;
}
