/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The list of problems of one load. Owns copies of all texts. */
#include "config/problem.h"

#include <inttypes.h>
#include <stdlib.h>

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
