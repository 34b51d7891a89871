/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The list of problems of one load. Owns copies of all texts. */
#include "config/problem.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/plain.h"
#include "base/printable.h"
#include "base/utf8.h"

void problem_list_start(struct problem_list *list)
{
    *list = (struct problem_list){ .arena = arena_new(0) };
}

void problem_list_free(struct problem_list *list)
{
    free(list->items);
    arena_free(list->arena);
    *list = (struct problem_list){ 0 };
}

const char *problem_say(const struct problem_list *list, const char *english)
{
    return list->say ? list->say(english) : english;
}

void problem_add(struct problem_list *list, const struct problem *problem)
{
    if (problem->is_warning)
        list->warnings++;
    else
        list->errors++;
    if (list->count == PROBLEMS_MOST) return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items = memory_grow(list->items, list->capacity * sizeof *list->items);
    }
    struct problem *copy = &list->items[list->count++];
    *copy = *problem;
    copy->file = arena_text(list->arena, problem->file);
    copy->message = arena_text(list->arena, problem->message);
    copy->allowed = arena_text(list->arena, problem->allowed);
    copy->hint = arena_text(list->arena, problem->hint);
    copy->source = arena_text(list->arena, problem->source);
}

void problem_print(const struct problem *problem, struct buffer *out)
{
    buffer_add_text(out, problem->file);
    if (problem->line > 0) buffer_printf(out, ":%" PRIu32 ":%" PRIu32, problem->line, problem->column);
    buffer_printf(out, ": %s: ", problem->is_warning ? "warning" : "error");
    buffer_add_text(out, problem->message);
    if (problem->allowed.length > 0) buffer_printf(out, "; allowed: %.*s", TEXT_ARG(problem->allowed));
    if (problem->hint.length > 0) buffer_printf(out, "; did you mean \"%.*s\"?", TEXT_ARG(problem->hint));
}

/* Of the character at the front, 1 or more; what cannot be shown becomes one column of `shown`. */
static size_t character_take(struct text *rest, struct text *shown)
{
    size_t length = printable_length(*rest), bytes = length ? length : utf8_sequence(*rest);
    *shown = length ? text_slice(*rest, 0, length) : rest->at[0] == '\t' ? TEXT(" ") : TEXT("\xEF\xBF\xBD");
    *rest = text_slice(*rest, bytes ? bytes : 1, rest->length);
    return length > 1 ? plain_width(*shown) : 1;
}

enum { BEFORE_MOST = 100, SHOWN_BEFORE = 60, SHOWN_BEHIND = 60 };

/* Characters from `first` on, and the columns of those before the caret. */
static size_t source_print(const struct problem *problem, struct buffer *out)
{
    struct text rest = problem->source, shown;
    uint32_t first = problem->column > BEFORE_MOST ? problem->column - SHOWN_BEFORE : 1;
    size_t columns = first > 1;
    if (first > 1) buffer_add_text(out, TEXT("\xE2\x80\xA6"));
    for (uint32_t i = 1; rest.length > 0 && i < problem->column + SHOWN_BEHIND; i++) {
        size_t width = character_take(&rest, &shown);
        if (i < first) continue;
        buffer_add_text(out, shown);
        if (i < problem->column) columns += width;
    }
    if (rest.length > 0) buffer_add_text(out, TEXT("\xE2\x80\xA6"));
    return columns;
}

void problem_show(const struct problem *problem, struct buffer *out)
{
    problem_print(problem, out);
    buffer_add_char(out, '\n');
    if (problem->line == 0 || problem->source.length == 0) return;
    buffer_printf(out, "%5" PRIu32 " | ", problem->line);
    size_t columns = source_print(problem, out);
    buffer_printf(out, "\n      | %*s^\n", (int)columns, "");
}
