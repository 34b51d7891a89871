/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lies in a folder of the folder is moved up before that folder is removed, so that no depth takes
   descriptors, stack or long paths. Called by keeper.c. */
#include "engine/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A stream of its own on the folder. NULL with errno. */
static DIR *folder_list(int above, const char *name)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list && fd >= 0) close(fd);
    return list;
}

static struct dirent *entry_next(DIR *list)
{
    struct dirent *entry = readdir(list);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
        entry = readdir(list);
    return entry;
}

/* Under a name that nothing in the root has: ".N" of a number that counts on. */
static bool entry_move_up(int folder, const char *name, int root, unsigned long *number)
{
    char to[32];
    do snprintf(to, sizeof to, ".%lu", ++*number);
    while (faccessat(root, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    return renameat(folder, name, root, to) == 0;
}

/* A folder that is not empty: what it has lies in the root afterwards. A folder that is moved has to be
   writable itself, since its ".." changes. */
static bool folder_empty(int root, const char *name, unsigned long *number)
{
    bool is_good = fchmodat(root, name, 0700, 0) == 0;
    DIR *list = is_good ? folder_list(root, name) : NULL;
    if (!list) return false;
    for (struct dirent *entry; is_good && (entry = entry_next(list));) {
        if (unlinkat(dirfd(list), entry->d_name, 0) == 0) continue;
        is_good = fchmodat(dirfd(list), entry->d_name, 0700, 0) == 0 &&
                  entry_move_up(dirfd(list), entry->d_name, root, number);
    }
    closedir(list);
    return is_good;
}

static bool entry_remove(int root, const char *name, unsigned long *number)
{
    if (unlinkat(root, name, 0) == 0 || unlinkat(root, name, AT_REMOVEDIR) == 0) return true;
    return folder_empty(root, name, number) && unlinkat(root, name, AT_REMOVEDIR) == 0;
}

/* Again from the start as long as something came up. */
bool scratch_clear(int folder)
{
    unsigned long number = 0;
    bool is_good = true, is_empty = false;
    while (is_good && !is_empty) {
        DIR *list = folder_list(folder, ".");
        if (!list) return false;
        is_empty = true;
        for (struct dirent *entry; is_good && (entry = entry_next(list)); is_empty = false)
            is_good = entry_remove(folder, entry->d_name, &number);
        closedir(list);
    }
    return is_good;
}
