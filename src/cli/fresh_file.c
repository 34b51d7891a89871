/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A file is written beside its place under another name, synced, and then given its name: by link(), which
   refuses a name that is taken, or by rename(), which replaces. */
#include "cli/fresh_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

static bool folder_sync(const char *path)
{
    char *copy = memory_string(text_of(path));
    bool good = file_sync_folder(AT_FDCWD, dirname(copy));
    free(copy);
    return good;
}

bool fresh_file_write(const char *path, struct text bytes, mode_t mode, bool replace, char *error,
                      size_t size)
{
    char beside[4200];
    snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    int fd = mkostemp(beside, O_CLOEXEC); /* 0600 from the start */
    bool good = fd >= 0 && file_write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    good = good && (replace ? rename(beside, path) : link(beside, path)) == 0 && folder_sync(path);
    if (!good) snprintf(error, size, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    if (fd >= 0) unlink(beside); /* gone already after rename() */
    return good;
}

bool fresh_folder_make(const char *path, char *error, size_t size)
{
    char *copy = memory_string(text_of(path));
    bool good = true;
    for (char *slash = copy; good && slash;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        good = mkdir(copy, 0700) == 0 || errno == EEXIST;
        if (!good) snprintf(error, size, "%s: %s", copy, strerror(errno));
        if (slash) *slash = '/';
    }
    free(copy);
    return good;
}
