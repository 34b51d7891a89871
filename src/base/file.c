/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whole files: every process writes its small files by these. The queue's journal has its own `struct disk`,
   which tests take the power from. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_SIZE = 256 };

/* What one call wrote is cut off *bytes. False with errno. */
static bool step(ssize_t written, struct text *bytes)
{
    if (written < 0) return errno == EINTR;
    if (written == 0) return errno = ENOSPC, false;
    *bytes = text_slice(*bytes, (size_t)written, bytes->length);
    return true;
}

bool file_write_all(int fd, struct text bytes)
{
    while (bytes.length > 0)
        if (!step(write(fd, bytes.at, bytes.length), &bytes)) return false;
    return true;
}

bool file_write_at(int fd, struct text bytes, uint64_t offset)
{
    uint64_t end = offset + bytes.length;
    while (bytes.length > 0)
        if (!step(pwrite(fd, bytes.at, bytes.length, (off_t)(end - bytes.length)), &bytes)) return false;
    return true;
}

static bool close_keeping_errno(int fd, bool is_good)
{
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return is_good;
}

bool file_sync_folder(int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return close_keeping_errno(fd, fd >= 0 && fsync(fd) == 0);
}

bool file_path_of(int fd, char *out_path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out_path, size);
    if (length == (ssize_t)size) return errno = ENAMETOOLONG, false;
    if (length < 0) return false;
    out_path[length] = '\0';
    return length > 0;
}

int file_begin(int folder, const char *made, mode_t mode)
{
    return openat(folder, made, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
}

bool file_finish(int fd, bool is_good, int folder, const char *made, const char *name)
{
    return file_close_as(fd, is_good && fd >= 0 && fsync(fd) == 0, folder, made, name);
}

bool file_close_as(int fd, bool is_good, int folder, const char *made, const char *name)
{
    if (fd < 0) return false;
    is_good = close_keeping_errno(fd, is_good);
    if (is_good && renameat(folder, made, folder, name) == 0) return true;
    int error = errno;
    unlinkat(folder, made, 0);
    errno = error;
    return false;
}

bool file_read_at(int folder, const char *name, size_t most, struct buffer *out)
{
    enum { PIECE = 64 * 1024 };
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t start = buffer_length(out);
    ssize_t got = 1;
    while (got > 0 && buffer_length(out) - start < most) {
        got = read(fd, buffer_reserve(out, PIECE), PIECE);
        if (got > 0) buffer_commit(out, (size_t)got);
    }
    int error = errno;
    close(fd);
    errno = error;
    return got >= 0;
}

bool file_replace(int folder, const char *name, struct text content, mode_t mode)
{
    char made[NAME_SIZE];
    if (snprintf(made, sizeof made, "%s.new", name) >= (int)sizeof made) return errno = ENAMETOOLONG, false;
    int fd = file_begin(folder, made, mode);
    return file_finish(fd, fd >= 0 && file_write_all(fd, content), folder, made, name) && fsync(folder) == 0;
}
