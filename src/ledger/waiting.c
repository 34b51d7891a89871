/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Records behind one another, each with its length, checksum and place. When all is read the file is emptied;
   a crash before that only makes events be told twice, which is harmless. */
#include "ledger/waiting.h"

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

struct record_header {
    uint32_t length, checksum;
    uint64_t position;
    uint32_t slot, reserved;
};

struct waiting {
    int fd; /* -1: could not be opened; tried again with each event */
    char path[4096];
    uint64_t most, end;    /* bytes of whole records */
    uint64_t at, released; /* read up to, stored up to */
    char *piece;           /* of the file, from piece_start on */
    uint64_t piece_start;
    size_t piece_bytes;
    uint64_t lost;
};

static void file_open(struct waiting *waiting)
{
    struct stat facts;
    waiting->fd = open(waiting->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (waiting->fd < 0 || fstat(waiting->fd, &facts) != 0) return;
    waiting->end = (uint64_t)facts.st_size;
    if (waiting->end)
        log_info("ledger: %llu bytes of events wait in %s", (unsigned long long)waiting->end, waiting->path);
}

struct waiting *waiting_new(const char *folder, uint64_t most_bytes)
{
    struct waiting *waiting = memory_alloc(sizeof *waiting);
    snprintf(waiting->path, sizeof waiting->path, "%s/events.waiting", folder);
    waiting->most = most_bytes;
    waiting->piece = memory_alloc(READ_BYTES);
    file_open(waiting);
    return waiting;
}

void waiting_free(struct waiting *waiting)
{
    if (waiting->fd >= 0) close(waiting->fd);
    free(waiting->piece);
    free(waiting);
}

void waiting_set_most(struct waiting *waiting, uint64_t most_bytes)
{
    waiting->most = most_bytes;
}

enum waiting_outcome waiting_add(struct waiting *waiting, uint16_t slot, uint64_t position,
                                 struct text record)
{
    struct record_header header = { (uint32_t)record.length, (uint32_t)text_checksum(record), position, slot,
                                    0 };
    char whole[sizeof header + RING_RECORD_LIMIT];
    size_t size = sizeof header + record.length;
    if (waiting->fd < 0) file_open(waiting);
    bool is_minor = event_kind_of(record) == EVENT_REFUSED;
    if (is_minor && waiting->end + size > waiting->most / 2) return WAITING_LEFT_OUT;
    if (waiting->fd < 0 || record.length > RING_RECORD_LIMIT || waiting->end + size > waiting->most)
        return WAITING_FULL;
    memcpy(whole, &header, sizeof header);
    memcpy(whole + sizeof header, record.at, record.length);
    if (!file_write_at(waiting->fd, text_from(whole, size), waiting->end)) {
        if (ftruncate(waiting->fd, (off_t)waiting->end) != 0)
            log_error("%s cannot be cut: %m", waiting->path);
        return WAITING_FULL;
    }
    waiting->end += size;
    waiting->piece_bytes = 0;
    return WAITING_KEPT;
}

/* `size` bytes of the file from `at` on, NULL when there are not so many. */
static const char *bytes_at(struct waiting *waiting, uint64_t at, size_t size)
{
    if (at + size > waiting->end) return NULL;
    bool is_here = at >= waiting->piece_start && at + size <= waiting->piece_start + waiting->piece_bytes;
    if (!is_here) {
        ssize_t got = pread(waiting->fd, waiting->piece, READ_BYTES, (off_t)at);
        waiting->piece_start = at;
        waiting->piece_bytes = got > 0 ? (size_t)got : 0;
        if (waiting->piece_bytes < size) return NULL;
    }
    return waiting->piece + (at - waiting->piece_start);
}

static bool damaged(struct waiting *waiting)
{
    log_error("ledger: %s is damaged at byte %llu: what follows is lost", waiting->path,
              (unsigned long long)waiting->at);
    waiting->lost++;
    waiting->end = waiting->at;
    return false;
}

bool waiting_next(struct waiting *waiting, struct waited *out)
{
    struct record_header header;
    if (waiting->fd < 0 || waiting->at == waiting->end) return false;
    const char *bytes = bytes_at(waiting, waiting->at, sizeof header);
    if (!bytes) return damaged(waiting);
    memcpy(&header, bytes, sizeof header);
    if (header.length > RING_RECORD_LIMIT) return damaged(waiting);
    bytes = bytes_at(waiting, waiting->at, sizeof header + header.length);
    if (!bytes) return damaged(waiting);
    out->record = text_from(bytes + sizeof header, header.length);
    out->slot = (uint16_t)header.slot;
    out->position = header.position;
    if (header.checksum != (uint32_t)text_checksum(out->record)) return damaged(waiting);
    waiting->at += sizeof header + header.length;
    return true;
}

void waiting_release(struct waiting *waiting)
{
    waiting->released = waiting->at;
    if (waiting->fd < 0 || waiting->at < waiting->end) return;
    if (waiting->end && ftruncate(waiting->fd, 0) != 0) log_error("%s cannot be emptied: %m", waiting->path);
    waiting->end = waiting->at = waiting->released = 0;
    waiting->piece_bytes = 0;
}

void waiting_again(struct waiting *waiting)
{
    waiting->at = waiting->released;
}

uint64_t waiting_bytes(const struct waiting *waiting)
{
    return waiting->end - waiting->released;
}

uint64_t waiting_lost(const struct waiting *waiting)
{
    return waiting->lost;
}
