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

static void folders_check(const struct config *config, const struct schema_row *row,
                          struct problem_list *problems)
{
    const struct text_list *folders = (const void *)((const char *)config + row->offset);
    for (size_t i = 0; i < folders->count; i++) {
        char *path = memory_string(folders->items[i]);
        struct stat facts;
        const char *why = stat(path, &facts) != 0   ? strerror(errno)
                          : !S_ISDIR(facts.st_mode) ? "is no folder"
                                                    : NULL;
        if (why)
            source_complain(config->sources, source_find(config->sources, row, 0), problems, SEVERITY_ERROR,
                            "%s: %s: %s", row->words, path, why);
        free(path);
    }
}

void executable_check(const struct config *config, struct problem_list *problems)
{
    for (const struct schema_row *row = schema_rows; row < schema_rows + schema_row_count; row++) {
        if (row->type == SCHEMA_FOLDERS) folders_check(config, row, problems);
        if (row->type != SCHEMA_COMMAND) continue;
        const struct text_list *command = (const void *)((const char *)config + row->offset);
        const char *why = command->count ? executable_trouble(command) : NULL;
        if (!why) continue;
        struct place place = source_find(config->sources, row, 0);
        source_complain(config->sources, place, problems, SEVERITY_ERROR, "%s: %.*s: %s", row->words,
                        TEXT_ARG(command->items[0]), why);
    }
}
