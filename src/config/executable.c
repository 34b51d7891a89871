/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at the program that a command names. */
#include "config/executable.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/source.h"

/* Who may write to a folder may put another program there; in a sticky one only the file's owner may. */
static bool is_replaceable(const char *path)
{
    char folder[PATH_MAX];
    struct stat facts;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
        if (stat(folder, &facts) != 0) return true;
        if (facts.st_mode & S_IWOTH && !(facts.st_mode & S_ISVTX)) return true;
    }
    return false;
}

static const char *path_trouble(const char *path)
{
    char real[PATH_MAX];
    struct stat facts;
    if (stat(path, &facts) != 0 || !realpath(path, real)) return strerror(errno);
    if (!S_ISREG(facts.st_mode)) return "is not a file";
    if (facts.st_mode & S_IWOTH) return "everybody may write to it: it is not run";
    if (is_replaceable(path) || is_replaceable(real))
        return "everybody may write to its folder: it is not run";
    if (access(path, X_OK) != 0) return "may not be executed";
    return NULL;
}

const char *executable_trouble(const struct text_list *command)
{
    char *path = memory_string(command->items[0]);
    const char *why = path_trouble(path);
    free(path);
    return why;
}

static const char *folder_trouble(struct text folder)
{
    char *path = memory_string(folder);
    struct stat facts;
    const char *why = stat(path, &facts) != 0 ? strerror(errno) : NULL;
    if (!why && !S_ISDIR(facts.st_mode)) why = "is no folder";
    free(path);
    return why;
}

static void trouble_add(const struct config *config, struct place place, struct problem_list *problems,
                        const char *words, struct text path, const char *why)
{
    if (!why) return;
    source_complain(config->sources, place, problems, SEVERITY_ERROR, "%s: %.*s: %s", words, TEXT_ARG(path),
                    why);
}

static void folders_check(const struct config *config, struct place place, const char *words,
                          const struct text_list *folders, struct problem_list *problems)
{
    for (size_t i = 0; i < folders->count; i++)
        trouble_add(config, place, problems, words, folders->items[i], folder_trouble(folders->items[i]));
}

static void engine_check(const struct config *config, size_t index, struct problem_list *problems)
{
    const struct outside_engine *engine = &config->engines[index];
    struct place place = config->sources->items[SCHEMA_ENGINE][index].self;
    char words[300];
    snprintf(words, sizeof words, "virus engine %.*s", TEXT_ARG(engine->name));
    if (engine->kind != ENGINE_COMMAND) return;
    trouble_add(config, place, problems, words, engine->command.items[0],
                executable_trouble(&engine->command));
    folders_check(config, place, words, &engine->reads, problems);
}

void executable_check(const struct config *config, struct problem_list *problems)
{
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        const struct text_list *list = (const void *)((const char *)config + row->offset);
        struct place place = source_find(config->sources, row, 0);
        if (row->scope != SCHEMA_GLOBAL) continue;
        if (row->type == SCHEMA_FOLDERS) folders_check(config, place, row->words, list, problems);
        if (row->type == SCHEMA_COMMAND && list->count > 0)
            trouble_add(config, place, problems, row->words, list->items[0], executable_trouble(list));
    }
    for (size_t i = 0; i < config->engine_count; i++) engine_check(config, i, problems);
}
