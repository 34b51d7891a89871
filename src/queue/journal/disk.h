/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The few calls by which the journal changes the disk, so that a test can record them, make them fail, or
   forget what was never synced. Names are relative to the journal's folder. */
#ifndef SEKIMORI_QUEUE_JOURNAL_DISK_H
#define SEKIMORI_QUEUE_JOURNAL_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Each returns as the system call does: -1 with errno. */
struct disk {
    void *context;
    int (*create)(void *context, int folder, const char *name); /* new and empty, for reading and writing */
    int (*allocate)(void *context, int fd, uint64_t length);
    ssize_t (*write)(void *context, int fd, const struct iovec *pieces, int count, uint64_t offset);
    int (*sync)(void *context, int fd); /* fdatasync */
    int (*rename)(void *context, int folder, const char *from, const char *to);
    int (*remove)(void *context, int folder, const char *name);
    int (*sync_folder)(void *context, int folder);
    int64_t (*free_bytes)(void *context, int folder); /* for us; -1: not known */
};

extern const struct disk disk_real;

/* Writes all pieces; false with errno. Changes the array. */
bool disk_write_all(const struct disk *disk, int fd, struct iovec *pieces, int count, uint64_t offset);

#endif
