/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by main.c and command_set.c. */
#include "engine/command_paths.h"

#include <limits.h>
#include <stdlib.h>

#include "config/load.h"

static const char *const executable[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };
static const char *const readable[] = {
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/python3",
    "/etc/perl",
    "/etc/clamav",
};
static const char *const writable[] = { "/dev/null", NULL };

enum {
    EXECUTABLE_FIXED = sizeof executable / sizeof *executable,
    READABLE_FIXED = sizeof readable / sizeof *readable,
    FOLDERS_OF_ONE = 2, /* its own, and that of what it leads to */
};

static const char *string_of(struct arena *arena, struct text text)
{
    return arena_text(arena, text).at;
}

static const char *folder_of(struct arena *arena, struct text program)
{
    return string_of(arena, text_slice(program, 0, text_find_last_char(program, '/')));
}

static size_t reads_of_all(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->engine_count; i++) count += config->engines[i].reads.count;
    return count;
}

/* A program that is not there is no reason to fail: what runs it says so. */
static const char **program_add(struct arena *arena, const struct outside_engine *engine, const char **out)
{
    char real[PATH_MAX];
    struct text program = engine->command.items[0];
    *out++ = folder_of(arena, program);
    if (realpath(string_of(arena, program), real)) *out++ = folder_of(arena, text_of(real));
    return out;
}

struct jail_paths command_paths(const struct config *config, const struct outside_engine *engine,
                                struct arena *arena)
{
    size_t programs = EXECUTABLE_FIXED + FOLDERS_OF_ONE * config->engine_count;
    size_t reads = READABLE_FIXED + reads_of_all(config);
    const char **run = arena_alloc_array(arena, programs + 1, sizeof *run),
               **run_end = run + EXECUTABLE_FIXED;
    const char **read = arena_alloc_array(arena, reads + 1, sizeof *read), **read_end = read + READABLE_FIXED;
    memcpy(run, executable, sizeof executable);
    memcpy(read, readable, sizeof readable);
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *one = &config->engines[i];
        if (one->kind != ENGINE_COMMAND || (engine && engine != one)) continue;
        run_end = program_add(arena, one, run_end);
        for (size_t k = 0; k < one->reads.count; k++) *read_end++ = string_of(arena, one->reads.items[k]);
    }
    return (struct jail_paths){ .readable = read, .executable = run, .writable = writable };
}
