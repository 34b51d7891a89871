/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What stands in for libc's calls by descriptor, for virus/path_calls.h. The contracts are libc's; those of
   one line do the same on a machine of 64 bits. */
#ifndef SEKIMORI_VIRUS_DESCRIPTOR_CALLS_H
#define SEKIMORI_VIRUS_DESCRIPTOR_CALLS_H

#include <dlfcn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "virus/file_room.h"

_Static_assert(sizeof(off_t) == sizeof(long), "with short offsets libc has two of each call");

#define INSTEAD_OF(name) __asm__(name) __attribute__((used, visibility("default")))

/* Declares `libc`: libc's function of that name, which `own` stands in for; looked for once. */
#define LIBC(own, name)                    \
    static _Atomic(__typeof__(&own)) libc; \
    if (!libc) libc = (__typeof__(&own))dlsym(RTLD_NEXT, name)

/* The room that this thread serves, or NULL: the library hands its calls no context. */
extern _Thread_local struct file_room *serving;

/* While the room works, its own calls are libc's: until `serving` is set again. */
static inline struct file_room *serving_borrow(void)
{
    struct file_room *room = serving;
    serving = NULL;
    return room;
}

/* Where the descriptor is one of a file in memory it becomes the kernel's. */
void descriptor_settle(int fd);

/* fdopen(3), which makes a stream of ours of a file in memory, and fileno(3) */
FILE *descriptor_calls_fdopen(int fd, const char *mode) INSTEAD_OF("fdopen");
int descriptor_calls_fileno(FILE *stream) INSTEAD_OF("fileno");

/* --- what files in memory know --- */

/* read(2), write(2), close(2) */
ssize_t descriptor_calls_read(int fd, void *out, size_t size) INSTEAD_OF("read");
ssize_t descriptor_calls_write(int fd, const void *bytes, size_t size) INSTEAD_OF("write");
int descriptor_calls_close(int fd) INSTEAD_OF("close");

/* pread(2) */
ssize_t descriptor_calls_pread(int fd, void *out, size_t size, off_t at) INSTEAD_OF("pread");
ssize_t descriptor_calls_pread64(int fd, void *out, size_t size, off_t at) INSTEAD_OF("pread64");

/* lseek(2), fstat(2) */
off_t descriptor_calls_lseek(int fd, off_t by, int from) INSTEAD_OF("lseek");
off_t descriptor_calls_lseek64(int fd, off_t by, int from) INSTEAD_OF("lseek64");
int descriptor_calls_fstat(int fd, struct stat *out) INSTEAD_OF("fstat");
int descriptor_calls_fstat64(int fd, struct stat *out) INSTEAD_OF("fstat64");

/* --- what only the kernel knows: files in memory settle --- */

/* dup(2), fcntl(2) */
int descriptor_calls_dup(int fd) INSTEAD_OF("dup");
int descriptor_calls_dup2(int fd, int other) INSTEAD_OF("dup2");
int descriptor_calls_fcntl(int fd, int command, ...) INSTEAD_OF("fcntl");
int descriptor_calls_fcntl64(int fd, int command, ...) INSTEAD_OF("fcntl64");

/* fsync(2), ftruncate(2) */
int descriptor_calls_fsync(int fd) INSTEAD_OF("fsync");
int descriptor_calls_fdatasync(int fd) INSTEAD_OF("fdatasync");
int descriptor_calls_ftruncate(int fd, off_t length) INSTEAD_OF("ftruncate");
int descriptor_calls_ftruncate64(int fd, off_t length) INSTEAD_OF("ftruncate64");

/* fchmod(2), flock(2), pwrite(2) */
int descriptor_calls_fchmod(int fd, mode_t mode) INSTEAD_OF("fchmod");
int descriptor_calls_flock(int fd, int operation) INSTEAD_OF("flock");
ssize_t descriptor_calls_pwrite(int fd, const void *bytes, size_t size, off_t at) INSTEAD_OF("pwrite");
ssize_t descriptor_calls_pwrite64(int fd, const void *bytes, size_t size, off_t at) INSTEAD_OF("pwrite64");

/* readv(2), writev(2) */
ssize_t descriptor_calls_readv(int fd, const struct iovec *pieces, int count) INSTEAD_OF("readv");
ssize_t descriptor_calls_writev(int fd, const struct iovec *pieces, int count) INSTEAD_OF("writev");
/* preadv(2), pwritev(2) */
ssize_t descriptor_calls_preadv(int fd, const struct iovec *pieces, int count, off_t at) INSTEAD_OF("preadv");
ssize_t descriptor_calls_pwritev(int fd, const struct iovec *pieces, int count, off_t at)
    INSTEAD_OF("pwritev");

/* sendfile(2), copy_file_range(2) */
ssize_t descriptor_calls_sendfile(int to, int from, off_t *at, size_t size) INSTEAD_OF("sendfile");
ssize_t descriptor_calls_sendfile64(int to, int from, off_t *at, size_t size) INSTEAD_OF("sendfile64");
ssize_t descriptor_calls_copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t size,
                                         unsigned flags) INSTEAD_OF("copy_file_range");
/* splice(2) */
ssize_t descriptor_calls_splice(int from, off_t *from_at, int to, off_t *to_at, size_t size, unsigned flags)
    INSTEAD_OF("splice");

/* mmap(2), which for memory of no file gives pages that were used before, emptied */
void *descriptor_calls_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
    INSTEAD_OF("mmap");
void *descriptor_calls_mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
    INSTEAD_OF("mmap64");
/* munmap(2), which keeps them */
int descriptor_calls_munmap(void *at, size_t length) INSTEAD_OF("munmap");

#endif
