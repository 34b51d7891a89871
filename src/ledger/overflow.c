/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Records behind one another, each with its length, checksum and place. When all is read the file is emptied;
   a crash before that only makes events be told twice, which is harmless. */
#include "ledger/overflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "ipc/event.h"
#include "ipc/ring.h"

enum { READ_BYTES = 256 * 1024 };

struct overflow_record_header {
    uint32_t length, checksum;
    uint64_t position;
    uint32_t slot, reserved;
};

struct overflow {
    int fd; /* -1: could not be opened; tried again with each event */
    char path[4096];
    uint64_t most, end;    /* bytes of whole records */
    uint64_t at, released; /* read up to, stored up to */
    char *piece;           /* of the file, from piece_start on */
    uint64_t piece_start;
    size_t piece_bytes;
    uint64_t lost;
};

static void file_open(struct overflow *overflow)
{
    struct stat facts;
    overflow->fd = open(overflow->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (overflow->fd < 0 || fstat(overflow->fd, &facts) != 0) return;
    overflow->end = (uint64_t)facts.st_size;
    if (overflow->end)
        log_info("ledger: %llu bytes of events wait in %s", (unsigned long long)overflow->end,
                 overflow->path);
}

struct overflow *overflow_new(const char *folder, uint64_t most_bytes)
{
    struct overflow *overflow = memory_alloc(sizeof *overflow);
    snprintf(overflow->path, sizeof overflow->path, "%s/events.waiting", folder);
    overflow->most = most_bytes;
    overflow->piece = memory_alloc(READ_BYTES);
    file_open(overflow);
    return overflow;
}

void overflow_free(struct overflow *overflow)
{
    if (overflow->fd >= 0) close(overflow->fd);
    free(overflow->piece);
    free(overflow);
}

void overflow_set_most(struct overflow *overflow, uint64_t most_bytes)
{
    overflow->most = most_bytes;
}

enum overflow_outcome overflow_add(struct overflow *overflow, uint16_t slot, uint64_t position,
                                   struct text record)
{
    struct overflow_record_header header = { (uint32_t)record.length, (uint32_t)text_checksum(record),
                                             position, slot, 0 };
    char whole[sizeof header + RING_RECORD_LIMIT];
    size_t size = sizeof header + record.length;
    if (overflow->fd < 0) file_open(overflow);
    bool is_minor = event_kind_of(record) == EVENT_REFUSED;
    if (is_minor && overflow->end + size > overflow->most / 2) return OVERFLOW_LEFT_OUT;
    if (overflow->fd < 0 || record.length > RING_RECORD_LIMIT || overflow->end + size > overflow->most)
        return OVERFLOW_FULL;
    memcpy(whole, &header, sizeof header);
    memcpy(whole + sizeof header, record.at, record.length);
    if (!file_write_at(overflow->fd, text_from(whole, size), overflow->end)) {
        if (ftruncate(overflow->fd, (off_t)overflow->end) != 0)
            log_error("%s cannot be cut: %m", overflow->path);
        return OVERFLOW_FULL;
    }
    overflow->end += size;
    overflow->piece_bytes = 0;
    return OVERFLOW_KEPT;
}

/* `size` bytes of the file from `at` on, NULL when there are not so many. */
static const char *bytes_at(struct overflow *overflow, uint64_t at, size_t size)
{
    if (at + size > overflow->end) return NULL;
    bool is_here = at >= overflow->piece_start && at + size <= overflow->piece_start + overflow->piece_bytes;
    if (!is_here) {
        ssize_t got = pread(overflow->fd, overflow->piece, READ_BYTES, (off_t)at);
        overflow->piece_start = at;
        overflow->piece_bytes = got > 0 ? (size_t)got : 0;
        if (overflow->piece_bytes < size) return NULL;
    }
    return overflow->piece + (at - overflow->piece_start);
}

static bool damaged(struct overflow *overflow)
{
    log_error("ledger: %s is damaged at byte %llu: what follows is lost", overflow->path,
              (unsigned long long)overflow->at);
    overflow->lost++;
    overflow->end = overflow->at;
    return false;
}

bool overflow_next(struct overflow *overflow, struct waited *out)
{
    struct overflow_record_header header;
    if (overflow->fd < 0 || overflow->at == overflow->end) return false;
    const char *bytes = bytes_at(overflow, overflow->at, sizeof header);
    if (!bytes) return damaged(overflow);
    memcpy(&header, bytes, sizeof header);
    if (header.length > RING_RECORD_LIMIT) return damaged(overflow);
    bytes = bytes_at(overflow, overflow->at, sizeof header + header.length);
    if (!bytes) return damaged(overflow);
    out->record = text_from(bytes + sizeof header, header.length);
    out->slot = (uint16_t)header.slot;
    out->position = header.position;
    if (header.checksum != (uint32_t)text_checksum(out->record)) return damaged(overflow);
    overflow->at += sizeof header + header.length;
    return true;
}

void overflow_release(struct overflow *overflow)
{
    overflow->released = overflow->at;
    if (overflow->fd < 0 || overflow->at < overflow->end) return;
    if (overflow->end && ftruncate(overflow->fd, 0) != 0)
        log_error("%s cannot be emptied: %m", overflow->path);
    overflow->end = overflow->at = overflow->released = 0;
    overflow->piece_bytes = 0;
}

void overflow_again(struct overflow *overflow)
{
    overflow->at = overflow->released;
}

uint64_t overflow_bytes(const struct overflow *overflow)
{
    return overflow->end - overflow->released;
}

uint64_t overflow_lost(const struct overflow *overflow)
{
    return overflow->lost;
}
