/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libc's calls by descriptor, as virus/path_calls.h has those by path: what a file in memory knows it answers
   itself, anything else makes it one of the kernel's first. */
#include "virus/descriptor_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/arena.h"
#include "virus/room_file.h"

_Thread_local struct file_room *serving;

/* Of a file in memory; NULL: libc is to be asked. */
static struct room_open *open_of(int fd)
{
    return serving ? room_files_find(file_room_files(serving), fd) : NULL;
}

void descriptor_settle(int fd)
{
    struct room_open *one = open_of(fd);
    if (!one) return;
    struct file_room *room = serving_borrow();
    room_file_settle(file_room_files(room), one->file);
    serving = room;
}

/* --- what files in memory know --- */

ssize_t descriptor_calls_read(int fd, void *out, size_t size)
{
    LIBC(descriptor_calls_read, "read");
    struct room_open *one = open_of(fd);
    return one ? room_open_read(one, out, size) : libc(fd, out, size);
}

ssize_t descriptor_calls_write(int fd, const void *bytes, size_t size)
{
    LIBC(descriptor_calls_write, "write");
    struct room_open *one = open_of(fd);
    if (one && room_open_has_room(file_room_files(serving), one, size))
        return room_open_write(file_room_files(serving), one, bytes, size);
    descriptor_settle(fd);
    return libc(fd, bytes, size);
}

ssize_t descriptor_calls_pread64(int fd, void *out, size_t size, off_t at)
{
    LIBC(descriptor_calls_pread64, "pread64");
    const struct room_open *one = open_of(fd);
    return one ? room_open_read_at(one, out, size, at) : libc(fd, out, size, at);
}

ssize_t descriptor_calls_pread(int fd, void *out, size_t size, off_t at)
{
    return descriptor_calls_pread64(fd, out, size, at);
}

off_t descriptor_calls_lseek64(int fd, off_t by, int from)
{
    LIBC(descriptor_calls_lseek64, "lseek64");
    struct room_open *one = open_of(fd);
    return one ? room_open_seek(one, by, from) : libc(fd, by, from);
}

off_t descriptor_calls_lseek(int fd, off_t by, int from)
{
    return descriptor_calls_lseek64(fd, by, from);
}

int descriptor_calls_fstat64(int fd, struct stat *out)
{
    LIBC(descriptor_calls_fstat64, "fstat64");
    const struct room_open *one = open_of(fd);
    if (!one) return libc(fd, out);
    room_file_stat(one->file, out);
    return 0;
}

int descriptor_calls_fstat(int fd, struct stat *out)
{
    return descriptor_calls_fstat64(fd, out);
}

int descriptor_calls_close(int fd)
{
    LIBC(descriptor_calls_close, "close");
    struct room_files *files = serving ? file_room_files(serving) : NULL;
    struct room_open *one = files ? room_files_place(files, fd) : NULL;
    if (!one) return libc(fd);
    if (!one->file) return errno = EBADF, -1;
    struct file_room *room = serving_borrow();
    int answer = room_open_close(files, one);
    serving = room;
    return answer;
}

/* --- streams --- */

struct stream {
    LIST_ENTRY(stream) among;
    FILE *file;
    int fd;
};

static _Thread_local LIST_HEAD(, stream) streams;

static ssize_t stream_read(void *cookie, char *out, size_t size)
{
    return descriptor_calls_read(((struct stream *)cookie)->fd, out, size);
}

/* 0: not all could be written. */
static ssize_t stream_write(void *cookie, const char *bytes, size_t size)
{
    ssize_t wrote = descriptor_calls_write(((struct stream *)cookie)->fd, bytes, size);
    return wrote < 0 ? 0 : wrote;
}

static int stream_seek(void *cookie, off_t *at, int from)
{
    off_t came_to = descriptor_calls_lseek64(((struct stream *)cookie)->fd, *at, from);
    if (came_to < 0) return -1;
    *at = came_to;
    return 0;
}

static int stream_close(void *cookie)
{
    struct stream *stream = cookie;
    int answer = descriptor_calls_close(stream->fd);
    LIST_REMOVE(stream, among);
    free(stream);
    return answer;
}

FILE *descriptor_calls_fdopen(int fd, const char *mode)
{
    LIBC(descriptor_calls_fdopen, "fdopen");
    static const cookie_io_functions_t calls = { stream_read, stream_write, stream_seek, stream_close };
    if (!open_of(fd) || mode[0] == 'a') {
        descriptor_settle(fd);
        return libc(fd, mode);
    }
    struct stream *stream = memory_alloc(sizeof *stream);
    *stream = (struct stream){ .fd = fd, .file = fopencookie(stream, mode, calls) };
    if (!stream->file) {
        free(stream);
        return NULL;
    }
    LIST_INSERT_HEAD(&streams, stream, among);
    return stream->file;
}

int descriptor_calls_fileno(FILE *file)
{
    LIBC(descriptor_calls_fileno, "fileno");
    const struct stream *stream;
    LIST_FOREACH(stream, &streams, among)
        if (stream->file == file) return stream->fd;
    return libc(file);
}

/* --- what only the kernel knows --- */

int descriptor_calls_dup(int fd)
{
    LIBC(descriptor_calls_dup, "dup");
    descriptor_settle(fd);
    return libc(fd);
}

int descriptor_calls_dup2(int fd, int other)
{
    LIBC(descriptor_calls_dup2, "dup2");
    descriptor_settle(fd);
    descriptor_settle(other);
    return libc(fd, other);
}

int descriptor_calls_fcntl64(int fd, int command, ...)
{
    LIBC(descriptor_calls_fcntl64, "fcntl64");
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    descriptor_settle(fd);
    return libc(fd, command, argument);
}

int descriptor_calls_fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return descriptor_calls_fcntl64(fd, command, argument);
}

int descriptor_calls_fsync(int fd)
{
    LIBC(descriptor_calls_fsync, "fsync");
    descriptor_settle(fd);
    return libc(fd);
}

int descriptor_calls_fdatasync(int fd)
{
    LIBC(descriptor_calls_fdatasync, "fdatasync");
    descriptor_settle(fd);
    return libc(fd);
}

int descriptor_calls_ftruncate64(int fd, off_t length)
{
    LIBC(descriptor_calls_ftruncate64, "ftruncate64");
    descriptor_settle(fd);
    return libc(fd, length);
}

int descriptor_calls_ftruncate(int fd, off_t length)
{
    return descriptor_calls_ftruncate64(fd, length);
}

int descriptor_calls_fchmod(int fd, mode_t mode)
{
    LIBC(descriptor_calls_fchmod, "fchmod");
    descriptor_settle(fd);
    return libc(fd, mode);
}

int descriptor_calls_flock(int fd, int operation)
{
    LIBC(descriptor_calls_flock, "flock");
    descriptor_settle(fd);
    return libc(fd, operation);
}

ssize_t descriptor_calls_readv(int fd, const struct iovec *pieces, int count)
{
    LIBC(descriptor_calls_readv, "readv");
    descriptor_settle(fd);
    return libc(fd, pieces, count);
}

ssize_t descriptor_calls_writev(int fd, const struct iovec *pieces, int count)
{
    LIBC(descriptor_calls_writev, "writev");
    descriptor_settle(fd);
    return libc(fd, pieces, count);
}

ssize_t descriptor_calls_preadv(int fd, const struct iovec *pieces, int count, off_t at)
{
    LIBC(descriptor_calls_preadv, "preadv");
    descriptor_settle(fd);
    return libc(fd, pieces, count, at);
}

ssize_t descriptor_calls_pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    LIBC(descriptor_calls_pwritev, "pwritev");
    descriptor_settle(fd);
    return libc(fd, pieces, count, at);
}

ssize_t descriptor_calls_pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    LIBC(descriptor_calls_pwrite64, "pwrite64");
    descriptor_settle(fd);
    return libc(fd, bytes, size, at);
}

ssize_t descriptor_calls_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return descriptor_calls_pwrite64(fd, bytes, size, at);
}

ssize_t descriptor_calls_sendfile64(int to, int from, off_t *at, size_t size)
{
    LIBC(descriptor_calls_sendfile64, "sendfile64");
    descriptor_settle(to);
    descriptor_settle(from);
    return libc(to, from, at, size);
}

ssize_t descriptor_calls_sendfile(int to, int from, off_t *at, size_t size)
{
    return descriptor_calls_sendfile64(to, from, at, size);
}

ssize_t descriptor_calls_copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t size,
                                         unsigned flags)
{
    LIBC(descriptor_calls_copy_file_range, "copy_file_range");
    descriptor_settle(from);
    descriptor_settle(to);
    return libc(from, from_at, to, to_at, size, flags);
}

ssize_t descriptor_calls_splice(int from, off_t *from_at, int to, off_t *to_at, size_t size, unsigned flags)
{
    LIBC(descriptor_calls_splice, "splice");
    descriptor_settle(from);
    descriptor_settle(to);
    return libc(from, from_at, to, to_at, size, flags);
}

/* --- pages --- */

enum { RUN_BYTES = 64 << 10, RUNS = 8 };

/* Runs of pages that the library asked for and gave back, one scan after the other: they are cleared here
   instead of by the kernel, page by page. */
static char *runs;
static size_t run_lengths[RUNS]; /* 0: not in use */

static bool wants_run(void *at, size_t length, int protection, int flags)
{
    return serving && !at && length > 0 && length <= RUN_BYTES && protection == (PROT_READ | PROT_WRITE) &&
           flags == (MAP_PRIVATE | MAP_ANONYMOUS);
}

/* NULL: all are in use. */
static void *run_take(size_t length)
{
    for (size_t i = 0; i < RUNS; i++) {
        if (run_lengths[i]) continue;
        run_lengths[i] = length;
        return memset(runs + i * RUN_BYTES, 0, length);
    }
    return NULL;
}

void *descriptor_calls_mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    LIBC(descriptor_calls_mmap64, "mmap64");
    if (fd >= 0) descriptor_settle(fd);
    bool is_wanted = wants_run(at, length, protection, flags);
    if (is_wanted && !runs) {
        void *pages = libc(NULL, (size_t)RUNS * RUN_BYTES, protection, flags, -1, 0);
        if (pages != MAP_FAILED) runs = pages;
    }
    void *run = is_wanted && runs ? run_take(length) : NULL;
    return run ? run : libc(at, length, protection, flags, fd, offset);
}

void *descriptor_calls_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return descriptor_calls_mmap64(at, length, protection, flags, fd, offset);
}

int descriptor_calls_munmap(void *at, size_t length)
{
    LIBC(descriptor_calls_munmap, "munmap");
    size_t from = (size_t)((char *)at - runs);
    if (!runs || (char *)at < runs || from >= (size_t)RUNS * RUN_BYTES) return libc(at, length);
    if (from % RUN_BYTES == 0 && length >= run_lengths[from / RUN_BYTES]) run_lengths[from / RUN_BYTES] = 0;
    return 0;
}
