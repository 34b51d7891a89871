/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A descriptor of a file in memory is the kernel's of an empty file, and can do nothing (O_PATH): a call on
   it that was not taken over fails with EBADF. */
#include "virus/room_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

enum { NUMBER_SIZE = 12, FIRST_BYTES = 16 << 10 };

void room_files_init(struct room_files *files)
{
    *files = (struct room_files){ 0 };
    room_files_forget_open(files);
}

void room_files_forget_open(struct room_files *files)
{
    for (size_t i = 0; i < ROOM_OPEN_MOST; i++) files->open[i] = (struct room_open){ .fd = -1 };
}

static const char *number_name(uint32_t number, char name[NUMBER_SIZE])
{
    snprintf(name, NUMBER_SIZE, "%u", number);
    return name;
}

static void file_end(struct room_files *files, struct room_file *file)
{
    char name[NUMBER_SIZE];
    if (file->is_settled) unlink(number_name(file->number, name));
    files->bytes -= file->length;
    file->length = 0;
    if (files->kept_count == ROOM_FILES_KEPT) {
        free(file->bytes);
        free(file);
        return;
    }
    SLIST_INSERT_HEAD(&files->kept, file, kept);
    files->kept_count++;
}

static void file_release(struct room_files *files, struct room_file *file)
{
    if (--file->users == 0) file_end(files, file);
}

struct room_file *room_file_new(struct room_files *files)
{
    struct room_file *file = SLIST_FIRST(&files->kept);
    if (file) {
        SLIST_REMOVE_HEAD(&files->kept, kept);
        files->kept_count--;
        *file = (struct room_file){ .bytes = file->bytes, .capacity = file->capacity };
    } else {
        file = memory_alloc(sizeof *file);
    }
    file->users = 1;
    return file;
}

void room_file_drop(struct room_files *files, struct room_file *file)
{
    file_release(files, file);
}

void room_files_free(struct room_files *files)
{
    for (size_t i = 0; i < ROOM_OPEN_MOST; i++) {
        struct room_open *open = &files->open[i];
        if (open->file) room_open_close(files, open);
        if (open->fd >= 0) close(open->fd);
    }
    while (!SLIST_EMPTY(&files->kept)) {
        struct room_file *file = SLIST_FIRST(&files->kept);
        SLIST_REMOVE_HEAD(&files->kept, kept);
        free(file->bytes);
        free(file);
    }
}

void room_file_stat(const struct room_file *file, struct stat *out)
{
    char name[NUMBER_SIZE];
    if (file->is_settled && stat(number_name(file->number, name), out) == 0) return;
    *out = (struct stat){ .st_mode = S_IFREG | 0600,
                          .st_nlink = 1,
                          .st_size = (off_t)file->length,
                          .st_blksize = 4096,
                          .st_blocks = (blkcnt_t)(file->length + 511) / 512 };
}

/* --- in the file system --- */

static bool bytes_write(int fd, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t wrote = write(fd, bytes + at, length - at);
        if (wrote <= 0) return false;
        at += (size_t)wrote;
    }
    return true;
}

/* What is open of it becomes the kernel's, under the same number. */
static bool open_settle(struct room_open *one, const char *name)
{
    int fd = open(name, one->access);
    bool is_good = fd >= 0 && lseek(fd, (off_t)one->at, SEEK_SET) >= 0 && dup3(fd, one->fd, O_CLOEXEC) >= 0;
    if (fd >= 0) close(fd);
    one->is_settled = is_good;
    return is_good;
}

static bool file_write_out(struct room_files *files, struct room_file *file, const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool is_good = fd >= 0 && bytes_write(fd, file->bytes, file->length);
    if (fd >= 0) close(fd);
    for (size_t i = 0; is_good && i < ROOM_OPEN_MOST; i++)
        if (files->open[i].file == file) is_good = open_settle(&files->open[i], name);
    return is_good;
}

bool room_file_settle(struct room_files *files, struct room_file *file)
{
    char name[NUMBER_SIZE];
    if (file->is_settled) return true;
    file->number = files->numbers++;
    file->is_settled = files->was_settled = true;
    bool is_good = file_write_out(files, file, number_name(file->number, name));
    files->bytes -= file->length;
    file->length = 0;
    if (!is_good) files->was_short = true;
    return is_good;
}

/* --- descriptors --- */

/* One that is not in use; NULL: all are, or there is none to be had. */
static struct room_open *open_find_free(struct room_files *files)
{
    for (size_t i = 0; i < ROOM_OPEN_MOST; i++) {
        struct room_open *one = &files->open[i];
        if (one->file) continue;
        if (one->fd < 0) one->fd = open(".", O_PATH | O_CLOEXEC);
        return one->fd < 0 ? NULL : one;
    }
    return NULL;
}

static int settled_open(struct room_files *files, struct room_file *file, int flags)
{
    char name[NUMBER_SIZE];
    if (!room_file_settle(files, file)) return -1;
    int fd = open(number_name(file->number, name), flags & ~(O_CREAT | O_EXCL));
    if (fd < 0) files->was_short = true; /* it is there, and ours */
    return fd;
}

int room_file_open(struct room_files *files, struct room_file *file, int flags)
{
    struct room_open *one = file->is_settled || flags & O_APPEND ? NULL : open_find_free(files);
    if (!one) return settled_open(files, file, flags);
    if (flags & O_TRUNC) {
        files->bytes -= file->length;
        file->length = 0;
    }
    file->users++;
    *one = (struct room_open){ .fd = one->fd, .file = file, .access = flags & O_ACCMODE };
    return one->fd;
}

struct room_open *room_files_place(struct room_files *files, int fd)
{
    for (size_t i = 0; fd >= 0 && i < ROOM_OPEN_MOST; i++)
        if (files->open[i].fd == fd) return &files->open[i];
    return NULL;
}

struct room_open *room_files_find(struct room_files *files, int fd)
{
    struct room_open *one = room_files_place(files, fd);
    return one && one->file && !one->is_settled ? one : NULL;
}

bool room_open_has_room(const struct room_files *files, const struct room_open *open, size_t size)
{
    const struct room_file *file = open->file;
    if (open->at > ROOM_FILE_MOST || size > ROOM_FILE_MOST - open->at) return false;
    size_t end = open->at + size;
    return end <= file->length || files->bytes + (end - file->length) <= ROOM_FILES_MOST;
}

ssize_t room_open_read_at(const struct room_open *open, void *out, size_t size, off_t at)
{
    const struct room_file *file = open->file;
    if (open->access == O_WRONLY) return errno = EBADF, -1;
    if (at < 0) return errno = EINVAL, -1;
    if ((size_t)at >= file->length) return 0;
    if (size > file->length - (size_t)at) size = file->length - (size_t)at;
    memcpy(out, file->bytes + at, size);
    return (ssize_t)size;
}

ssize_t room_open_read(struct room_open *open, void *out, size_t size)
{
    ssize_t got = room_open_read_at(open, out, size, (off_t)open->at);
    if (got > 0) open->at += (size_t)got;
    return got;
}

static void file_reserve(struct room_file *file, size_t length)
{
    if (length <= file->capacity) return;
    file->capacity = file->capacity ? file->capacity : FIRST_BYTES;
    while (file->capacity < length) file->capacity *= 2;
    file->bytes = memory_grow(file->bytes, file->capacity);
}

ssize_t room_open_write(struct room_files *files, struct room_open *open, const void *bytes, size_t size)
{
    struct room_file *file = open->file;
    size_t end = open->at + size;
    if (open->access == O_RDONLY) return errno = EBADF, -1;
    if (size == 0) return 0;
    file_reserve(file, end);
    if (open->at > file->length) memset(file->bytes + file->length, 0, open->at - file->length);
    memcpy(file->bytes + open->at, bytes, size);
    if (end > file->length) {
        files->bytes += end - file->length;
        file->length = end;
    }
    open->at = end;
    return (ssize_t)size;
}

off_t room_open_seek(struct room_open *open, off_t by, int from)
{
    off_t base = from == SEEK_CUR ? (off_t)open->at : from == SEEK_END ? (off_t)open->file->length : 0;
    off_t at;
    bool is_known = from == SEEK_SET || from == SEEK_CUR || from == SEEK_END;
    if (!is_known || __builtin_add_overflow(base, by, &at) || at < 0) return errno = EINVAL, -1;
    open->at = (size_t)at;
    return at;
}

int room_open_close(struct room_files *files, struct room_open *open)
{
    struct room_file *file = open->file;
    int answer = open->is_settled ? close(open->fd) : 0;
    *open = (struct room_open){ .fd = open->is_settled ? -1 : open->fd };
    file_release(files, file);
    return answer;
}
