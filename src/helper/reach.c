/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The system's programs with what they read, /tmp, the program's own folder and those that the configuration
   says. What is ours is hidden from each program alone, at its start: in the jail of helper, which lasts, a
   file beside it that is put in the place of another would be missing. */
#include "helper/reach.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Programs, what they are made of, and the machine's settings. */
static const char *const executable[] = { "/usr",   "/bin",   "/sbin",   "/lib",
                                          "/lib32", "/lib64", "/libx32", "/etc" };

/* A process finds itself below /proc; of others it sees there what everybody may. What /etc/resolv.conf leads
   to lies below /run. */
static const char *const readable[] = { "/proc",
                                        "/sys/devices/system/cpu",
                                        "/dev/random",
                                        "/dev/urandom",
                                        "/run/systemd/resolve",
                                        "/run/resolvconf",
                                        "/run/NetworkManager/resolv.conf",
                                        NULL };
static const char *const writable[] = { "/tmp", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty" };

enum {
    EXECUTABLE_FIXED = sizeof executable / sizeof *executable,
    WRITABLE_FIXED = sizeof writable / sizeof *writable,
    PROGRAM_FOLDERS_MOST = 2 * 4 /* hook, freshclam, the second set's command, scan */
};

static const char *string_in(struct arena *arena, struct text text)
{
    char *copy = arena_alloc(arena, text.length + 1);
    memcpy(copy, text.at, text.length);
    return copy;
}

static const char **list_in(struct arena *arena, const char *const *fixed, size_t count, size_t more)
{
    const char **list = arena_alloc_array(arena, count + more + 1, sizeof *list);
    memcpy(list, fixed, count * sizeof *list);
    return list;
}

/* Of a program in the root folder, itself. */
static struct text folder_of(struct text program)
{
    size_t slash = text_find_last_char(program, '/');
    return slash == 0 ? program : text_slice(program, 0, slash);
}

/* Its folder, and that of what it leads to where it is a link. Returns the new end of the list. */
static const char **program_add(struct arena *arena, struct text program, const char **out)
{
    char real[PATH_MAX];
    *out++ = string_in(arena, folder_of(program));
    if (realpath(string_in(arena, program), real)) *out++ = string_in(arena, folder_of(text_of(real)));
    return out;
}

static const char *const *secrets_of(struct arena *arena, const struct config *config)
{
    const char **list = arena_alloc_array(arena, config->listener_count + 3, sizeof *list);
    size_t count = 0;
    list[count++] = string_in(arena, config->state);
    if (config->node.key.path.length) list[count++] = string_in(arena, config->node.key.path);
    for (size_t i = 0; i < config->listener_count; i++)
        if (config->listeners[i].key.path.length)
            list[count++] = string_in(arena, config->listeners[i].key.path);
    return list;
}

static const char *const *folder_in(struct arena *arena, const struct config *config, const char *below)
{
    const char **list = arena_alloc_array(arena, 2, sizeof *list);
    list[0] = arena_printf(arena, "%.*s/signatures%s", TEXT_ARG(config->state), below).at;
    return list;
}

void reach_make(const struct config *config, const char *scan, struct reach *out)
{
    const struct text_list *more = &config->alarm.hook_writes;
    const struct text_list *const commands[] = { &config->alarm.hook, &config->virus.also_command };
    struct arena *arena = arena_new(0);
    const char **programs = list_in(arena, executable, EXECUTABLE_FIXED, PROGRAM_FOLDERS_MOST);
    const char **rooms = list_in(arena, writable, WRITABLE_FIXED, more->count);
    const char **end = &programs[EXECUTABLE_FIXED];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i]->count) end = program_add(arena, commands[i]->items[0], end);
    if (config->virus.updates_self) end = program_add(arena, config->virus.update_with, end);
    if (config->virus.also_command.count) program_add(arena, text_of(scan), end);
    for (size_t i = 0; i < more->count; i++) rooms[WRITABLE_FIXED + i] = string_in(arena, more->items[i]);
    struct jail_paths paths = { .readable = readable, .writable = rooms, .executable = programs };
    *out = (struct reach){ .arena = arena, .own = paths, .program = paths };
    out->own.folders = folder_in(arena, config, "");
    out->program.hidden = secrets_of(arena, config);
    out->fetches = out->second = out->program;
    out->fetches.folders = folder_in(arena, config, "");
    out->second.folders = folder_in(arena, config, "/also.new");
}

void reach_free(struct reach *reach)
{
    arena_free(reach->arena);
    reach->arena = NULL;
}

static bool list_has(const char *const *list, const char *path)
{
    for (; *list; list++)
        if (strcmp(*list, path) == 0) return true;
    return false;
}

static bool list_is_within(const char *const *now, const char *const *before)
{
    for (; *now; now++)
        if (!list_has(before, *now)) return false;
    return true;
}

bool reach_is_within(const struct reach *now, const struct reach *before)
{
    return list_is_within(now->own.executable, before->own.executable) &&
           list_is_within(now->own.writable, before->own.writable);
}
