/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The form of an image: a head, then tables that the head says the places of. Numbers are the machine's own:
   an image never leaves it. */
#ifndef SEKIMORI_BLOCKLIST_IMAGE_H
#define SEKIMORI_BLOCKLIST_IMAGE_H

#include "base/buffer.h"
#include "blocklist/blocklist.h"

#define BLOCKLIST_MAGIC "SKMblk1"

enum { BLOCKLIST_TOPS = 65536 }; /* values of the first 16 bits of an IPv4 address */

/* Places are in bytes from the image's start. */
struct blocklist_head {
    char magic[8];
    uint64_t length; /* of the image */
    uint64_t key;    /* of names' and hashes' places */
    uint32_t kind, count;
    uint64_t entries;     /* blocklist_line[count] */
    uint64_t table;       /* names and hashes: blocklist_slot[table_mask + 1] */
    uint64_t keys;        /* hashes: BLOCKLIST_HASH_SIZE bytes each; names: a pool */
    uint64_t reasons;     /* a pool: length byte, text */
    uint64_t v4s, v6s;    /* networks: spans, disjoint, by their first address */
    uint64_t tops;        /* uint32_t[BLOCKLIST_TOPS + 1]: the first v4 span that ends there or later */
    uint32_t table_mask;  /* slots - 1 */
    uint32_t labels_most; /* names: of the one with most */
    uint32_t v4_count, v6_count;
};

struct blocklist_line {
    uint32_t line;
    uint32_t reason; /* in `reasons`; what lies at 0 is empty */
    uint32_t key;    /* names: in `keys`, a length byte before it; hashes: their number */
};

/* Open addressing, at most half full; `entry` is its number + 1, 0 where the slot is free. */
struct blocklist_slot {
    uint32_t tag; /* the upper half of the hash */
    uint32_t entry;
};

struct blocklist_v4_span {
    uint32_t first, last, entry; /* host order, both inclusive */
};

struct blocklist_v6_span {
    uint8_t first[16], last[16];
    uint32_t entry;
};

static inline const void *blocklist_place(const struct blocklist *list, uint64_t place)
{
    return list->image.at + place;
}

/* The slot where a key with that hash begins to be looked for. */
static inline uint32_t blocklist_slot_of(uint64_t hash, uint32_t mask)
{
    return (uint32_t)hash & mask;
}

/* The last 32 bits of an IPv4-mapped address, host order. */
static inline uint32_t blocklist_v4_of(const uint8_t bytes[16])
{
    return (uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 | bytes[15];
}

#endif
