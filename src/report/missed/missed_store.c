/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What counts is room on the disk, in which the smallest file takes a block: so their number is bounded too.
 */
#include "report/missed/missed_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"

enum { BLOCK = 512 /* in which st_blocks counts */ };

struct thing {
    struct thing *next;
    struct timespec time;
    uint64_t bytes;
    char *name;
};

struct things {
    struct arena *arena;
    struct thing *first;
    size_t count;
    uint64_t bytes;
};

static void thing_add(struct things *things, int folder, const char *name)
{
    struct stat about;
    if (name[0] == '.' || fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0) return;
    struct thing *thing = arena_alloc(things->arena, sizeof *thing);
    *thing = (struct thing){ .next = things->first,
                             .time = about.st_mtim,
                             .bytes = (uint64_t)about.st_blocks * BLOCK,
                             .name = arena_alloc(things->arena, strlen(name) + 1) };
    memcpy(thing->name, name, strlen(name));
    things->first = thing;
    things->count++;
    things->bytes += thing->bytes;
}

static void things_read(struct things *things, int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (!list) {
        if (copy >= 0) close(copy);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(list));) thing_add(things, folder, entry->d_name);
    closedir(list);
}

static int by_age(const void *left, const void *right)
{
    const struct thing *a = *(struct thing *const *)left, *b = *(struct thing *const *)right;
    if (a->time.tv_sec != b->time.tv_sec) return a->time.tv_sec < b->time.tv_sec ? -1 : 1;
    return (a->time.tv_nsec > b->time.tv_nsec) - (a->time.tv_nsec < b->time.tv_nsec);
}

static void oldest_remove(struct things *things, int folder, uint64_t goal)
{
    struct thing **list = arena_alloc_array(things->arena, things->count + 1, sizeof *list);
    size_t count = 0, gone = 0;
    for (struct thing *thing = things->first; thing; thing = thing->next) list[count++] = thing;
    qsort(list, count, sizeof *list, by_age);
    for (size_t i = 0; i < count && things->bytes > goal && gone < MISSED_STORE_A_LOOK; i++) {
        if (unlinkat(folder, list[i]->name, 0) != 0) {
            log_error("learn/missed/kept/%s cannot be removed: %s", list[i]->name, strerror(errno));
            continue;
        }
        things->bytes -= list[i]->bytes;
        gone++;
    }
    log_info("report missed most: the %zu oldest files of learn/missed/kept are removed", gone);
}

uint64_t missed_store_clear(int folder, uint64_t most)
{
    struct things things = { .arena = arena_new(0) };
    things_read(&things, folder);
    if (things.bytes > most) oldest_remove(&things, folder, most - most / 16);
    arena_free(things.arena);
    return things.bytes;
}
