/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Maps the counters file, or one slot of it, and compares what is in it. */
#include "ipc/counters.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ipc/event.h"

enum { COUNTERS_BYTES = COUNTERS_SLOTS * COUNTERS_SLOT_BYTES };

_Static_assert(sizeof(struct receive_counters) <= COUNTERS_MEASURES_AT, "the counts overlap the measures");
_Static_assert(offsetof(struct counters_slot, measures) == COUNTERS_MEASURES_AT, "the measures have moved");
_Static_assert(sizeof(struct counters_slot) == COUNTERS_SLOT_BYTES, "a slot has another size");

struct counters_slot *counters_map(int fd, uint32_t slot, bool writable)
{
    off_t offset = (off_t)slot * (off_t)sizeof(struct counters_slot);
    void *map = mmap(NULL, sizeof(struct counters_slot), writable ? PROT_READ | PROT_WRITE : PROT_READ,
                     MAP_SHARED, fd, offset);
    return map == MAP_FAILED ? NULL : map;
}

uint64_t counters_epoch_ms(int fd)
{
    struct counters_slot *slot = fd >= 0 ? counters_map(fd, COUNTERS_SLOT_BASELINE, false) : NULL;
    uint64_t epoch = slot ? slot->baseline.epoch_ms : 0;
    counters_unmap(slot);
    return epoch;
}

void counters_unmap(struct counters_slot *slot)
{
    if (slot) munmap(slot, sizeof *slot);
}

const struct counters_slot *counters_map_all(int fd)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return NULL;
    if (facts.st_size < COUNTERS_BYTES) return errno = EPROTO, NULL;
    const void *map = mmap(NULL, COUNTERS_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void counters_unmap_all(const struct counters_slot *slots)
{
    if (slots) munmap((void *)slots, COUNTERS_BYTES);
}

uint64_t counters_received(const struct counters_slot *slots)
{
    uint64_t sum = 0;
    for (uint32_t slot = COUNTERS_SLOT_RECEIVE; slot < COUNTERS_SLOT_CONSULT; slot++)
        sum += slots[slot].receive.accepted + slots[slot].receive.unreplied;
    return sum;
}

int64_t counters_difference(const struct counters_slot *slots)
{
    const struct queue_counters *now = &slots[COUNTERS_SLOT_QUEUE].queue;
    const struct baseline *then = &slots[COUNTERS_SLOT_BASELINE].baseline;
    int64_t accepted = (int64_t)(now->accepted - then->accepted), own = (int64_t)(now->own - then->own);
    int64_t explained = (int64_t)(now->live - then->live);
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        explained += (int64_t)(now->ended[i] - then->ended[i]);
    int64_t again = (int64_t)(now->ended[COUNTERS_AGAIN] - then->ended[COUNTERS_AGAIN]);
    int64_t outer = accepted - own - again - (int64_t)counters_received(slots);
    return outer ? outer : accepted - explained;
}
