/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A ring of records in a shared file. Positions count bytes since the file was made and never wrap; the place
   in the file is the position modulo the data size. A record is length, checksum, bytes, padded to 8; one
   that would run over the end of the data is preceded by a filler. The writer publishes head, the reader
   tail. */
#include "ipc/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"

enum {
    RING_MAGIC = 0x31474E52,
    HEADER_BYTES = 4096,
    DATA_BYTES = RING_FILE_BYTES - HEADER_BYTES,
    FILLER = UINT32_MAX
};

struct ring_header {
    uint32_t magic, data_bytes;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) _Atomic uint64_t lost;
    uint64_t lost_since_ms; /* 0: since the file was made */
    uint64_t lost_minor;    /* 0 in a file that was made when these were among `lost` */
    uint64_t lost_spare;
};

struct ring_record_header {
    uint32_t length, checksum;
};

struct ring {
    struct ring_header *header;
    char *data;
};

static bool header_is_good(const struct ring_header *header)
{
    uint64_t head = header->head, tail = header->tail;
    return header->magic == RING_MAGIC && header->data_bytes == DATA_BYTES && tail <= head &&
           head - tail <= DATA_BYTES && head % 8 == 0 && tail % 8 == 0;
}

struct ring *ring_map(int fd)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return NULL;
    if (facts.st_size != RING_FILE_BYTES && ftruncate(fd, RING_FILE_BYTES) != 0) return NULL;
    char *map = mmap(NULL, RING_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return NULL;
    struct ring *ring = memory_alloc(sizeof *ring);
    ring->header = (struct ring_header *)map;
    ring->data = map + HEADER_BYTES;
    if (!header_is_good(ring->header)) {
        memset(map, 0, HEADER_BYTES);
        ring->header->data_bytes = DATA_BYTES;
        ring->header->magic = RING_MAGIC;
    }
    return ring;
}

void ring_unmap(struct ring *ring)
{
    if (!ring) return;
    munmap(ring->header, RING_FILE_BYTES);
    free(ring);
}

/* Of several kilobytes a message, so not the checksum that goes byte by byte. */
static uint32_t checksum_of(struct text record)
{
    return (uint32_t)hash_text_by(RING_MAGIC, record);
}

/* What an older version left in the ring when it ended has text_checksum. */
static bool is_whole(struct text record, uint32_t checksum)
{
    return checksum == checksum_of(record) || checksum == (uint32_t)text_checksum(record);
}

static size_t padded(size_t length)
{
    return (sizeof(struct ring_record_header) + length + 7) & ~(size_t)7;
}

/* Into at most so many bytes of the ring. */
static bool append(struct ring *ring, struct text record, uint64_t most)
{
    uint64_t head = atomic_load_explicit(&ring->header->head, memory_order_relaxed) & ~(uint64_t)7;
    uint64_t tail = atomic_load_explicit(&ring->header->tail, memory_order_acquire);
    size_t need = padded(record.length), place = head % DATA_BYTES;
    size_t filler = place + need > DATA_BYTES ? DATA_BYTES - place : 0;
    if (record.length > RING_RECORD_LIMIT || head - tail + filler + need > most) return false;
    if (filler) {
        struct ring_record_header skip = { FILLER, 0 };
        memcpy(ring->data + place, &skip, sizeof skip);
        head += filler;
        place = 0;
    }
    struct ring_record_header header = { (uint32_t)record.length, checksum_of(record) };
    memcpy(ring->data + place, &header, sizeof header);
    memcpy(ring->data + place + sizeof header, record.at, record.length);
    atomic_store_explicit(&ring->header->head, head + need, memory_order_release);
    return true;
}

bool ring_append(struct ring *ring, struct text record)
{
    bool is_kept = append(ring, record, DATA_BYTES);
    ring->header->lost += !is_kept;
    return is_kept;
}

bool ring_append_minor(struct ring *ring, struct text record)
{
    bool is_kept = append(ring, record, DATA_BYTES / 2);
    ring->header->lost_minor += !is_kept;
    return is_kept;
}

bool ring_append_spare(struct ring *ring, struct text record)
{
    bool is_kept = append(ring, record, DATA_BYTES / 4);
    ring->header->lost_spare += !is_kept;
    return is_kept;
}

uint64_t ring_lost_spare(const struct ring *ring)
{
    return ring->header->lost_spare;
}

uint64_t ring_lost(const struct ring *ring)
{
    return ring->header->lost;
}

uint64_t ring_lost_minor(const struct ring *ring)
{
    return ring->header->lost_minor;
}

void ring_count_lost_minor(struct ring *ring)
{
    ring->header->lost_minor++;
}

void ring_count_since(struct ring *ring, uint64_t epoch_ms)
{
    uint64_t before = ring->header->lost_since_ms;
    if (before && before != epoch_ms) ring->header->lost = ring->header->lost_minor = 0;
    ring->header->lost_since_ms = epoch_ms;
}

unsigned ring_fill_percent(const struct ring *ring)
{
    return (unsigned)((ring->header->head - ring->header->tail) * 100 / DATA_BYTES);
}

uint64_t ring_tail(const struct ring *ring)
{
    return ring->header->tail;
}

uint64_t ring_head(const struct ring *ring)
{
    return atomic_load_explicit(&ring->header->head, memory_order_acquire);
}

/* What is between `*position` and `head` cannot be read: passed over, and counted. */
static bool damaged(struct ring *ring, uint64_t head, uint64_t *position)
{
    ring->header->lost++;
    *position = head;
    return false;
}

bool ring_next(struct ring *ring, uint64_t *position, struct text *out_record)
{
    uint64_t head = atomic_load_explicit(&ring->header->head, memory_order_acquire);
    /* The other side may have written anything there. */
    if (*position < head && (*position % 8 != 0 || head % 8 != 0 || head - *position > DATA_BYTES))
        return damaged(ring, head & ~(uint64_t)7, position);
    while (*position < head) {
        size_t place = *position % DATA_BYTES;
        struct ring_record_header header;
        memcpy(&header, ring->data + place, sizeof header);
        if (header.length == FILLER) {
            if (DATA_BYTES - place > head - *position) return damaged(ring, head, position);
            *position += DATA_BYTES - place;
            continue;
        }
        struct text record = text_from(ring->data + place + sizeof header, header.length);
        if (header.length > RING_RECORD_LIMIT || place + padded(header.length) > DATA_BYTES ||
            !is_whole(record, header.checksum))
            return damaged(ring, head, position);
        *position += padded(header.length);
        *out_record = record;
        return true;
    }
    return false;
}

void ring_release(struct ring *ring, uint64_t position)
{
    atomic_store_explicit(&ring->header->tail, position, memory_order_release);
}
