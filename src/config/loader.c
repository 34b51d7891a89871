/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What every step of a load uses: where something was said, and complaining about it. */
#include <stdarg.h>

#include "config/load_private.h"

struct place loader_place(const struct loader *loader, enum schema_scope scope, const char *words,
                          size_t index)
{
    struct place place = source_find(loader->sources, schema_row_of(scope, words), index);
    if (place.line == 0 && index < loader->sources->item_count[scope])
        place = loader->sources->items[scope][index].self;
    return place;
}

void loader_complain(struct loader *loader, enum severity severity, struct place place, const char *format,
                     ...)
{
    struct buffer message = { 0 };
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&message, problem_say(loader->problems, format), arguments);
    va_end(arguments);
    struct problem problem = source_problem(loader->sources, place, loader->problems);
    problem.is_warning = severity == SEVERITY_WARNING;
    problem.message = buffer_text(&message);
    problem_add(loader->problems, &problem);
    buffer_free(&message);
}

void loader_complain_fully(struct loader *loader, struct place place, struct text message,
                           struct text allowed, struct text hint)
{
    struct problem problem = source_problem(loader->sources, place, loader->problems);
    problem.message = message;
    problem.allowed = allowed;
    problem.hint = hint;
    problem_add(loader->problems, &problem);
}
