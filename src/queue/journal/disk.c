/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The real disk behind the journal. */
#include "queue/journal/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int real_create(void *context, int folder, const char *name)
{
    return openat(folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Where the file system has no such call, the C library writes to each block. */
static int real_allocate(void *context, int fd, uint64_t length)
{
    errno = posix_fallocate(fd, 0, (off_t)length);
    return errno ? -1 : 0;
}

static ssize_t real_write(void *context, int fd, const struct iovec *pieces, int count, uint64_t offset)
{
    return pwritev(fd, pieces, count, (off_t)offset);
}

/* What has no name any more, since somebody removed the folder, is gone with this process. */
static int real_sync(void *context, int fd)
{
    struct stat facts;
    if (fdatasync(fd) != 0 || fstat(fd, &facts) != 0) return -1;
    if (facts.st_nlink == 0) return errno = ENOENT, -1;
    return 0;
}

static int real_rename(void *context, int folder, const char *from, const char *to)
{
    return renameat(folder, from, folder, to);
}

static int real_remove(void *context, int folder, const char *name)
{
    return unlinkat(folder, name, 0);
}

static int real_sync_folder(void *context, int folder)
{
    return fsync(folder);
}

static int64_t real_free_bytes(void *context, int folder)
{
    struct statvfs facts;
    if (fstatvfs(folder, &facts) != 0) return -1;
    return (int64_t)(facts.f_bavail * facts.f_frsize);
}

const struct disk disk_real = {
    .create = real_create,
    .allocate = real_allocate,
    .write = real_write,
    .sync = real_sync,
    .rename = real_rename,
    .remove = real_remove,
    .sync_folder = real_sync_folder,
    .free_bytes = real_free_bytes,
};

bool disk_write_all(const struct disk *disk, int fd, struct iovec *pieces, int count, uint64_t offset)
{
    while (count > 0) {
        ssize_t written = disk->write(disk->context, fd, pieces, count < IOV_MAX ? count : IOV_MAX, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        if (written == 0) return errno = ENOSPC, false;
        offset += (uint64_t)written;
        size_t left = (size_t)written;
        while (count > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            pieces++;
            count--;
        }
        if (left > 0) {
            pieces->iov_base = (char *)pieces->iov_base + left;
            pieces->iov_len -= left;
        }
    }
    return true;
}
