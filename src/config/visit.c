/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The visit: global rows by section, then listeners, clouds and domains, each in the place where the schema
 * has them. */
#include "config/visit.h"

#include "config/value.h"

struct visit {
    const struct config *config;
    const struct visit_events *events;
    void *context;
    enum visit_extent extent;
    struct buffer value;
};

static struct place place_find(const struct visit *walk, const struct schema_row *row, size_t index)
{
    return walk->config->sources ? source_find(walk->config->sources, row, index) : (struct place){ 0 };
}

static struct place item_place(const struct visit *walk, enum schema_scope scope, size_t index)
{
    const struct config_sources *sources = walk->config->sources;
    return sources && index < sources->item_count[scope] ? sources->items[scope][index].self
                                                         : (struct place){ 0 };
}

/* Prints the value; false when it is not to be shown: a domain's mode that was not said, a choice without
   a word, or a default where only the rest is wanted. */
static bool value_show(struct visit *walk, const struct schema_row *row, const void *base, size_t index,
                       enum visit_extent extent, struct visit_value *out)
{
    bool is_unsaid = row->flag && !*((const bool *)base + row->flag - 1);
    if (is_unsaid) return false;
    buffer_clear(&walk->value);
    value_print(row, base, &walk->value);
    *out = (struct visit_value){ .row = row, .words = row->words, .value = buffer_text(&walk->value) };
    if (out->value.length == 0) return false;
    out->place = place_find(walk, row, index);
    bool is_fallback = row->fallback && text_equal(out->value, text_of(row->fallback));
    out->is_default = walk->config->sources ? out->place.line == 0 : is_fallback;
    return extent == VISIT_ALL || !is_fallback;
}

static bool has_values(struct visit *walk, enum schema_scope scope, const void *base,
                       enum visit_extent extent)
{
    struct visit_value value;
    for (size_t i = 0; i < schema_row_count; i++)
        if (schema_rows[i].scope == scope && value_show(walk, &schema_rows[i], base, 0, extent, &value))
            return true;
    return false;
}

static void rows_visit(struct visit *walk, enum schema_scope scope, const void *base, size_t index,
                       enum visit_extent extent)
{
    struct visit_value value;
    for (size_t i = 0; i < schema_row_count; i++)
        if (schema_rows[i].scope == scope && value_show(walk, &schema_rows[i], base, index, extent, &value))
            walk->events->value(walk->context, &value);
}

static void listeners_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->listener_count; i++) {
        const struct listener *listener = &walk->config->listeners[i];
        struct visit_opening opening = { .block = WALK_LISTENER,
                                         .title = TEXT("listen"),
                                         .listener = listener,
                                         .place = item_place(walk, SCHEMA_LISTENER, i) };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_LISTENER, listener, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

static void hosted_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->hosted_count; i++) {
        const struct hosted *hosted = &walk->config->hosted[i];
        struct visit_opening opening = { .block = WALK_HOSTED,
                                         .title = TEXT("hosted"),
                                         .hosted = hosted,
                                         .place = item_place(walk, SCHEMA_HOSTED, i) };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_HOSTED, hosted, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

static void lists_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->list_count; i++) {
        const struct list_setting *list = &walk->config->lists[i];
        struct visit_opening opening = {
            .block = WALK_LIST, .title = TEXT("list"), .list = list, .place = item_place(walk, SCHEMA_LIST, i)
        };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_LIST, list, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

/* Within the section, which is open. */
static void engines_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->engine_count; i++) {
        const struct outside_engine *engine = &walk->config->engines[i];
        struct visit_opening opening = { .block = WALK_ENGINE,
                                         .title = TEXT("engine"),
                                         .engine = engine,
                                         .place = item_place(walk, SCHEMA_ENGINE, i) };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_ENGINE, engine, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

static void opinions_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->opinion_count; i++) {
        const struct outside_engine *opinion = &walk->config->opinions[i];
        struct visit_opening opening = { .block = WALK_OPINION,
                                         .title = TEXT("opinion"),
                                         .engine = opinion,
                                         .place = item_place(walk, SCHEMA_OPINION, i) };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_OPINION, opinion, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

/* The row's statement has a block, and may stand several times within its section. */
static bool has_items(const struct schema_row *row)
{
    return row->type == SCHEMA_ENGINES || row->type == SCHEMA_OPINIONS;
}

static size_t item_count(const struct config *config, const struct schema_row *row)
{
    return row->type == SCHEMA_ENGINES ? config->engine_count : config->opinion_count;
}

static void items_visit(struct visit *walk, const struct schema_row *row)
{
    if (row->type == SCHEMA_ENGINES)
        engines_visit(walk);
    else
        opinions_visit(walk);
}

static void domains_visit(struct visit *walk)
{
    struct visit_opening block = { .block = WALK_DOMAINS, .title = TEXT("domains") };
    enum visit_extent extent = walk->config->domain_count > WALK_DOMAINS_FULL ? VISIT_SAID : walk->extent;
    walk->events->open(walk->context, &block);
    for (size_t i = 0; i < walk->config->domain_count; i++) {
        const struct domain *domain = &walk->config->domains[i];
        struct visit_opening opening = { .block = WALK_DOMAIN,
                                         .title = domain->name,
                                         .domain = domain,
                                         .is_empty = !has_values(walk, SCHEMA_DOMAIN, domain, extent),
                                         .place = item_place(walk, SCHEMA_DOMAIN, i) };
        opening.is_default = walk->config->sources && opening.place.line == 0;
        walk->events->open(walk->context, &opening);
        if (!opening.is_empty) rows_visit(walk, SCHEMA_DOMAIN, domain, i, extent);
        walk->events->close(walk->context, &opening);
    }
    walk->events->close(walk->context, &block);
}

static void wishes_visit(struct visit *walk)
{
    for (size_t i = 0; i < walk->config->wish_count; i++) {
        const struct recipient_wish *wish = &walk->config->wishes[i];
        struct visit_opening opening = { .block = WALK_WISH,
                                         .title = TEXT("recipient"),
                                         .wish = wish,
                                         .place = item_place(walk, SCHEMA_WISH, i) };
        walk->events->open(walk->context, &opening);
        rows_visit(walk, SCHEMA_WISH, wish, i, walk->extent);
        walk->events->close(walk->context, &opening);
    }
}

/* The row's first word is the section's when it has more than one word. */
static struct text section_of(const struct schema_row *row)
{
    struct text words = text_of(row->words);
    size_t blank = text_find_char(words, ' ');
    return blank < words.length ? text_slice(words, 0, blank) : TEXT_NONE;
}

/* One run of rows with the same section; returns the row behind it. */
static const struct schema_row *section_visit(struct visit *walk, const struct schema_row *row)
{
    const struct schema_row *end = schema_rows + schema_row_count;
    struct visit_opening opening = { .block = WALK_SECTION, .title = section_of(row) };
    struct visit_value value;
    bool is_open = false;
    for (; row < end && row->scope == SCHEMA_GLOBAL && text_equal(section_of(row), opening.title); row++) {
        bool is_shown = has_items(row) ? item_count(walk->config, row) > 0
                                       : value_show(walk, row, walk->config, 0, walk->extent, &value);
        if (!is_shown) continue;
        if (!is_open) walk->events->open(walk->context, &opening);
        is_open = true;
        if (has_items(row)) {
            items_visit(walk, row);
            continue;
        }
        value.words += opening.title.length + 1;
        walk->events->value(walk->context, &value);
    }
    if (is_open) walk->events->close(walk->context, &opening);
    return row;
}

static void single_visit(struct visit *walk, const struct schema_row *row)
{
    struct visit_value value;
    if (row->type == SCHEMA_LISTEN)
        listeners_visit(walk);
    else if (row->type == SCHEMA_CLOUD)
        hosted_visit(walk);
    else if (row->type == SCHEMA_LISTED)
        lists_visit(walk);
    else if (row->type == SCHEMA_WHOM)
        wishes_visit(walk);
    else if (row->type == SCHEMA_DOMAINS)
        domains_visit(walk);
    else if (value_show(walk, row, walk->config, 0, walk->extent, &value))
        walk->events->value(walk->context, &value);
}

bool visit_is_item(const struct visit_opening *opening)
{
    return opening->block != WALK_SECTION && opening->block != WALK_DOMAINS;
}

void visit_config(const struct config *config, enum visit_extent extent, const struct visit_events *events,
                  void *context)
{
    struct visit walk = { .config = config, .events = events, .context = context, .extent = extent };
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count;) {
        if (row->scope != SCHEMA_GLOBAL)
            row++;
        else if (section_of(row).length > 0)
            row = section_visit(&walk, row);
        else
            single_visit(&walk, row++);
    }
    buffer_free(&walk.value);
}
