/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Maps one slot of the counters file. */
#include "ipc/counters.h"

#include <stddef.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct receive_counters) <= sizeof(struct counters_slot), "a slot is too small");

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
