/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Places by row. Options of a domain cost memory only where one is said. */
#include "config/source.h"

#include "config/value.h"

struct config_sources *sources_new(struct arena *arena)
{
    struct config_sources *sources = arena_alloc(arena, sizeof *sources);
    sources->arena = arena;
    for (size_t i = schema_row_count; i-- > 0;) {
        sources->first[schema_rows[i].scope] = &schema_rows[i];
        sources->count[schema_rows[i].scope]++;
    }
    sources->global = arena_alloc_array(arena, sources->count[SCHEMA_GLOBAL], sizeof *sources->global);
    return sources;
}

void sources_file_add(struct config_sources *sources, struct text name, struct text content)
{
    size_t count = sources->file_count;
    sources->files = value_list_grow(sources->arena, sources->files, count, sizeof *sources->files);
    sources->contents = value_list_grow(sources->arena, sources->contents, count, sizeof *sources->contents);
    sources->files[count] = arena_text(sources->arena, name);
    sources->contents[count] =
        text_starts(content, TEXT("\xEF\xBB\xBF")) ? text_slice(content, 3, content.length) : content;
    sources->file_count++;
}

void sources_item_add(struct config_sources *sources, enum schema_scope scope, struct place place)
{
    struct item_sources **items = &sources->items[scope];
    *items = value_list_grow(sources->arena, *items, sources->item_count[scope], sizeof **items);
    (*items)[sources->item_count[scope]++] = (struct item_sources){ .self = place };
}

struct place *source_slot(struct config_sources *sources, const struct schema_row *row, size_t index)
{
    size_t position = (size_t)(row - sources->first[row->scope]);
    if (row->scope == SCHEMA_GLOBAL) return &sources->global[position];
    struct item_sources *item = &sources->items[row->scope][index];
    if (!item->rows)
        item->rows = arena_alloc_array(sources->arena, sources->count[row->scope], sizeof *item->rows);
    return &item->rows[position];
}

struct place source_find(const struct config_sources *sources, const struct schema_row *row, size_t index)
{
    size_t position = (size_t)(row - sources->first[row->scope]);
    if (row->scope == SCHEMA_GLOBAL) return sources->global[position];
    if (index >= sources->item_count[row->scope] || !sources->items[row->scope][index].rows)
        return (struct place){ 0 };
    return sources->items[row->scope][index].rows[position];
}

bool *source_spoiled(struct config_sources *sources, enum schema_scope scope, size_t index)
{
    return scope == SCHEMA_GLOBAL ? &sources->is_spoiled : &sources->items[scope][index].is_spoiled;
}

static struct text line_of(struct text content, uint32_t number)
{
    struct text line = TEXT_NONE;
    for (uint32_t i = 0; i < number; i++)
        if (!text_next_line(&content, &line)) return TEXT_NONE;
    return line;
}

struct problem source_problem(const struct config_sources *sources, struct place place,
                              const struct problem_list *list)
{
    struct problem problem = { .file = sources->files[place.file],
                               .line = place.line,
                               .column = place.column };
    if (list->count < PROBLEMS_MOST) problem.source = line_of(sources->contents[place.file], place.line);
    return problem;
}

void source_complain(const struct config_sources *sources, struct place place, struct problem_list *list,
                     enum severity severity, const char *format, ...)
{
    struct problem problem = source_problem(sources, place, list);
    struct buffer message = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&message, problem_say(list, format), arguments);
    va_end(arguments);
    problem.is_warning = severity == SEVERITY_WARNING;
    problem.message = buffer_text(&message);
    problem_add(list, &problem);
    buffer_free(&message);
}
