/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Remembers where each setting was said, for `dump`, for "said twice" and for the cross-checks. */
#ifndef SEKIMORI_CONFIG_SOURCE_H
#define SEKIMORI_CONFIG_SOURCE_H

#include "base/arena.h"
#include "config/problem.h"
#include "config/schema.h"

struct place {
    uint32_t line; /* 0: nowhere, a default */
    uint32_t column : 22, file : 10;
};

struct item_sources {
    struct place self;  /* the statement that names the listener or domain */
    struct place *rows; /* by position in the scope; NULL until an option is said */
    bool is_spoiled;    /* a statement in its block was wrong: what is missing may have been meant */
};

struct config_sources {
    struct arena *arena;
    struct text *files;
    struct text *contents; /* of the files, in the same order; borrowed */
    size_t file_count;
    const struct schema_row *first[SCHEMA_SCOPES];
    size_t count[SCHEMA_SCOPES];
    struct place *global;
    bool is_spoiled;                           /* the same for the statements of no block */
    struct item_sources *items[SCHEMA_SCOPES]; /* of listeners and domains, by index */
    size_t item_count[SCHEMA_SCOPES];
};

/* Lives in the arena, as all that is added to it. */
struct config_sources *sources_new(struct arena *arena);
/* Files and items are numbered from 0 in the order they are added. The name is copied; `content` is borrowed
   for as long as the sources live: problems show its lines. */
void sources_file_add(struct config_sources *sources, struct text name, struct text content);
void sources_item_add(struct config_sources *sources, enum schema_scope scope, struct place place);

/* To write to. `index` counts listeners or domains; ignored for global rows. */
struct place *source_slot(struct config_sources *sources, const struct schema_row *row, size_t index);

/* Where the spoiled flag of the scope's struct is. */
bool *source_spoiled(struct config_sources *sources, enum schema_scope scope, size_t index);

/* A place whose line is 0 when the setting was not said. */
struct place source_find(const struct config_sources *sources, const struct schema_row *row, size_t index);

/* A problem of that place with its file, line, column and, while `list` has room to keep it, its source line;
   the rest is left empty. */
struct problem source_problem(const struct config_sources *sources, struct place place,
                              const struct problem_list *list);

/* Adds one with that text, which is copied; the format in the list's language (problem_say). */
void source_complain(const struct config_sources *sources, struct place place, struct problem_list *list,
                     enum severity severity, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
