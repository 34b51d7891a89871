/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by main.c and runs.c. */
#include "engine/command_set.h"

#include "base/arena.h"
#include "base/log.h"
#include "config/engines.h"
#include "engine/command_paths.h"

/* Its scratch folder is the current one of whoever enters the jail. */
static const char *const scratch[] = { ".", NULL };

static char **arguments_of(struct arena *arena, const struct text_list *words)
{
    char **arguments = arena_alloc_array(arena, words->count + 1, sizeof *arguments);
    for (size_t i = 0; i < words->count; i++) arguments[i] = (char *)arena_text(arena, words->items[i]).at;
    return arguments;
}

static void command_make(struct command *out, const struct config *config,
                         const struct outside_engine *engine, struct arena *arena)
{
    char why[120];
    *out = (struct command){ .engine = engine,
                             .arguments = arguments_of(arena, &engine->command),
                             .paths = command_paths(config, engine, arena) };
    out->paths.folders = scratch;
    out->has_pattern =
        engine->pattern.length > 0 && config_engine_pattern(engine, &out->pattern, why, sizeof why);
    if (engine->pattern.length > 0 && !out->has_pattern) /* the configuration was checked */
        log_error("engine %.*s: name: %s", TEXT_ARG(engine->name), why);
}

void command_set_make(struct command_set *out, const struct config *config)
{
    *out = (struct command_set){ .arena = arena_new(0) };
    for (size_t i = 0; i < config->engine_count; i++)
        if (config->engines[i].kind == ENGINE_COMMAND)
            command_make(&out->items[out->count++], config, &config->engines[i], out->arena);
}

void command_set_free(struct command_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].has_pattern) regfree(&set->items[i].pattern);
    arena_free(set->arena);
    *set = (struct command_set){ 0 };
}

bool command_set_keep(struct command_set *set, const struct config *config)
{
    const struct outside_engine *now[CONFIG_ENGINES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < config->engine_count; i++)
        if (config->engines[i].kind == ENGINE_COMMAND) now[count++] = &config->engines[i];
    bool is_same = count == set->count;
    for (size_t i = 0; is_same && i < count; i++)
        is_same = config_engines_are_same(now[i], set->items[i].engine);
    for (size_t i = 0; is_same && i < count; i++) set->items[i].engine = now[i];
    return is_same;
}

struct command *command_set_find(struct command_set *set, struct text name)
{
    for (size_t i = 0; i < set->count; i++)
        if (text_equal(set->items[i].engine->name, name)) return &set->items[i];
    return NULL;
}

uint32_t command_set_places(const struct command_set *set)
{
    uint32_t places = 0;
    for (size_t i = 0; i < set->count; i++) places += set->items[i].engine->connections;
    return places;
}
