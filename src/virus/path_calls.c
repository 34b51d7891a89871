/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each call here looks whether its thread serves a room, and goes on to libc where it does not. While the
   room works, its own calls by path are libc's. */
#include "virus/path_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "virus/path_calls_private.h"

static _Thread_local char stray[160];

void path_calls_begin(struct file_room *room)
{
    file_room_begin(room);
    serving = room;
    stray[0] = '\0';
}

const char *path_calls_end(void)
{
    serving = NULL;
    return stray[0] ? stray : NULL;
}

/* The library's own files have no absolute path. With none at all a kernel is tried: for statx by Rust. */
static bool means_room(const char *path)
{
    return serving && path && path[0] != '/';
}

/* A call that the room cannot answer. */
static int astray(const char *name, const char *path)
{
    if (!stray[0]) snprintf(stray, sizeof stray, "%s(%s)", name, path);
    errno = EACCES;
    return -1;
}

/* What the room answered to the call of that name. */
static int give_back(struct file_room *room, int answer, const char *name, const char *path)
{
    serving = room;
    return answer < 0 && errno == EXDEV ? astray(name, path) : answer;
}

/* --- files --- */

static int room_open(const char *path, int flags)
{
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_open(room, path, flags), "open", path);
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

int path_calls_openat64(int folder, const char *path, int flags, ...)
{
    LIBC(path_calls_openat64, "openat64");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    if (!means_room(path)) return libc(folder, path, flags, mode);
    return folder == AT_FDCWD ? room_open(path, flags) : astray("openat", path);
}

int path_calls_openat(int folder, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return path_calls_openat64(folder, path, flags, mode);
}

int path_calls_open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return path_calls_openat64(AT_FDCWD, path, flags, mode);
}

int path_calls_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return path_calls_openat64(AT_FDCWD, path, flags, mode);
}

FILE *path_calls_fopen64(const char *path, const char *mode)
{
    LIBC(path_calls_fopen64, "fopen64");
    bool is_read = mode[0] == 'r', is_plain = !strchr(mode, '+');
    if (!means_room(path)) return libc(path, mode);
    if (!is_plain || (!is_read && mode[0] != 'w')) return astray("fopen", path), NULL;
    int fd = room_open(path, is_read ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
    return fd < 0 ? NULL : descriptor_calls_fdopen(fd, mode);
}

FILE *path_calls_fopen(const char *path, const char *mode)
{
    return path_calls_fopen64(path, mode);
}

/* --- names --- */

int path_calls_mkdir(const char *path, mode_t mode)
{
    LIBC(path_calls_mkdir, "mkdir");
    if (!means_room(path)) return libc(path, mode);
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_make_folder(room, path), "mkdir", path);
}

int path_calls_rmdir(const char *path)
{
    LIBC(path_calls_rmdir, "rmdir");
    if (!means_room(path)) return libc(path);
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_remove_folder(room, path), "rmdir", path);
}

int path_calls_unlink(const char *path)
{
    LIBC(path_calls_unlink, "unlink");
    if (!means_room(path)) return libc(path);
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_remove_file(room, path), "unlink", path);
}

int path_calls_unlinkat(int folder, const char *path, int flags)
{
    LIBC(path_calls_unlinkat, "unlinkat");
    return means_room(path) ? astray("unlinkat", path) : libc(folder, path, flags);
}

int path_calls_remove(const char *path)
{
    LIBC(path_calls_remove, "remove");
    if (!means_room(path)) return libc(path);
    int answer = path_calls_unlink(path);
    return answer < 0 && errno == EISDIR ? path_calls_rmdir(path) : answer;
}

int path_calls_rename(const char *from, const char *to)
{
    LIBC(path_calls_rename, "rename");
    return means_room(from) || means_room(to) ? astray("rename", from) : libc(from, to);
}

/* --- facts --- */

static int room_stat(const char *path, struct stat *out)
{
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_stat(room, path, out), "stat", path);
}

static int room_find(const char *path, const char *name)
{
    struct file_room *room = serving_borrow();
    return give_back(room, file_room_find(room, path), name, path);
}

int path_calls_stat64(const char *path, struct stat *out)
{
    LIBC(path_calls_stat64, "stat64");
    return means_room(path) ? room_stat(path, out) : libc(path, out);
}

int path_calls_stat(const char *path, struct stat *out)
{
    return path_calls_stat64(path, out);
}

int path_calls_lstat64(const char *path, struct stat *out)
{
    LIBC(path_calls_lstat64, "lstat64");
    return means_room(path) ? room_stat(path, out) : libc(path, out);
}

int path_calls_lstat(const char *path, struct stat *out)
{
    return path_calls_lstat64(path, out);
}

int path_calls_fstatat64(int folder, const char *path, struct stat *out, int flags)
{
    LIBC(path_calls_fstatat64, "fstatat64");
    if (means_room(path) && !(flags & AT_EMPTY_PATH)) return astray("fstatat", path);
    descriptor_settle(folder);
    return libc(folder, path, out, flags);
}

int path_calls_fstatat(int folder, const char *path, struct stat *out, int flags)
{
    return path_calls_fstatat64(folder, path, out, flags);
}

int path_calls_statx(int folder, const char *path, int flags, unsigned mask, struct statx *out)
{
    LIBC(path_calls_statx, "statx");
    if (means_room(path) && !(flags & AT_EMPTY_PATH)) return astray("statx", path);
    descriptor_settle(folder);
    return libc(folder, path, flags, mask, out);
}

int path_calls_access(const char *path, int wanted)
{
    LIBC(path_calls_access, "access");
    return means_room(path) ? room_find(path, "access") : libc(path, wanted);
}

int path_calls_chmod(const char *path, mode_t mode)
{
    LIBC(path_calls_chmod, "chmod");
    return means_room(path) ? room_find(path, "chmod") : libc(path, mode);
}

ssize_t path_calls_readlink(const char *path, char *out, size_t size)
{
    LIBC(path_calls_readlink, "readlink");
    return means_room(path) ? astray("readlink", path) : libc(path, out, size);
}

char *path_calls_realpath(const char *path, char *out)
{
    LIBC(path_calls_realpath, "realpath");
    if (!means_room(path)) return libc(path, out);
    astray("realpath", path);
    return NULL;
}

/* --- folders --- */

DIR *path_calls_opendir(const char *path)
{
    LIBC(path_calls_opendir, "opendir");
    if (!means_room(path)) return libc(path);
    struct file_room *room = serving_borrow();
    void *walk = file_room_walk_open(room, path);
    give_back(room, walk ? 0 : -1, "opendir", path);
    return walk;
}

static struct file_room_walk *walk_of(DIR *folder)
{
    return serving && file_room_walks(serving, folder) ? (struct file_room_walk *)folder : NULL;
}

struct dirent *path_calls_readdir64(DIR *folder)
{
    LIBC(path_calls_readdir64, "readdir64");
    struct file_room_walk *walk = walk_of(folder);
    return walk ? (struct dirent *)file_room_walk_next(walk) : libc(folder);
}

struct dirent *path_calls_readdir(DIR *folder)
{
    return path_calls_readdir64(folder);
}

void path_calls_rewinddir(DIR *folder)
{
    LIBC(path_calls_rewinddir, "rewinddir");
    struct file_room_walk *walk = walk_of(folder);
    if (!walk) return libc(folder);
    file_room_walk_rewind(walk);
}

int path_calls_closedir(DIR *folder)
{
    LIBC(path_calls_closedir, "closedir");
    struct file_room_walk *walk = walk_of(folder);
    if (!walk) return libc(folder);
    file_room_walk_close(walk);
    return 0;
}

int path_calls_dirfd(DIR *folder)
{
    LIBC(path_calls_dirfd, "dirfd");
    return walk_of(folder) ? astray("dirfd", "") : libc(folder);
}
