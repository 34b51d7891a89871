/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The Maildir of the sink. */
#include "cli/testtools/sink_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { PATH_SIZE = SINK_NAME_SIZE + 8 };

bool sink_store_open(struct sink_store *store, const char *path, bool sync)
{
    static const char *const parts[] = { "tmp", "new", "cur" };
    *store = (struct sink_store){ .folder = -1, .sync = sync };
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (mkdirat(folder, parts[i], 0700) == 0 || errno == EEXIST) continue;
        close(folder);
        return false;
    }
    store->folder = folder;
    return true;
}

bool sink_store_keep(struct sink_store *store, struct text header, struct text content,
                     char name[SINK_NAME_SIZE])
{
    char tmp[PATH_SIZE], kept[PATH_SIZE];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, SINK_NAME_SIZE, "%lld.M%06ldP%dQ%lu.sink", (long long)now.tv_sec, now.tv_nsec / 1000,
             (int)getpid(), ++store->made);
    snprintf(tmp, sizeof tmp, "tmp/%s", name);
    snprintf(kept, sizeof kept, "new/%s", name);
    int fd = openat(store->folder, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool good =
        file_write_all(fd, header) && file_write_all(fd, content) && (!store->sync || fdatasync(fd) == 0);
    int error = errno;
    good = close(fd) == 0 && good;
    good = good && renameat(store->folder, tmp, store->folder, kept) == 0;
    if (!good) {
        error = error ? error : errno;
        unlinkat(store->folder, tmp, 0);
        errno = error;
    }
    return good && (!store->sync || file_sync_folder(store->folder, "new"));
}
