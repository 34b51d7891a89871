/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table of things that carry their own node: nothing is allocated per entry. Grows, never shrinks. */
#ifndef SEKIMORI_DELIVER_HASHED_H
#define SEKIMORI_DELIVER_HASHED_H

#include <stddef.h>
#include <stdint.h>

struct hashed_node {
    struct hashed_node *next;
    uint64_t hash;
};

/* Zero-initialised is empty. */
struct hashed {
    struct hashed_node **slots;
    size_t slot_count, count;
};

/* For keys that are numbers. */
static inline uint64_t hashed_number(uint64_t number)
{
    number ^= number >> 31;
    return number * 0x9E3779B97F4A7C15u;
}

/* The node is the caller's and stays until hashed_remove. A key that is there already is not looked for. */
void hashed_add(struct hashed *hashed, struct hashed_node *node, uint64_t hash);
void hashed_remove(struct hashed *hashed, struct hashed_node *node); /* it must be there */

/* The first node with that hash, then the next ones; NULL at the end. The caller compares the keys. */
struct hashed_node *hashed_first(const struct hashed *hashed, uint64_t hash);
struct hashed_node *hashed_next(const struct hashed_node *node);

void hashed_free(struct hashed *hashed); /* the table; what is in it is the caller's */

/* Every node, in no order: start with *slot 0 and *next NULL; NULL at the end. The node that was returned may
   be removed meanwhile; none may be added, no other removed. */
struct hashed_node *hashed_walk(const struct hashed *hashed, size_t *slot, struct hashed_node **next);

#endif
