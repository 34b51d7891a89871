/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Chains in a power of two of slots, at most one entry a slot on average. */
#include "deliver/hashed.h"

#include <stdlib.h>

#include "base/arena.h"

static size_t slot_of(const struct hashed *hashed, uint64_t hash)
{
    return (hash ^ hash >> 29) & (hashed->slot_count - 1);
}

static void put(struct hashed *hashed, struct hashed_node *node)
{
    struct hashed_node **slot = &hashed->slots[slot_of(hashed, node->hash)];
    node->next = *slot;
    *slot = node;
}

static void grow(struct hashed *hashed)
{
    struct hashed old = *hashed;
    hashed->slot_count = old.slot_count ? old.slot_count * 2 : 64;
    hashed->slots = memory_alloc(hashed->slot_count * sizeof(struct hashed_node *));
    for (size_t i = 0; i < old.slot_count; i++)
        for (struct hashed_node *node = old.slots[i], *next; node; node = next) {
            next = node->next;
            put(hashed, node);
        }
    free(old.slots);
}

void hashed_add(struct hashed *hashed, struct hashed_node *node, uint64_t hash)
{
    if (hashed->count >= hashed->slot_count) grow(hashed);
    node->hash = hash;
    put(hashed, node);
    hashed->count++;
}

void hashed_remove(struct hashed *hashed, struct hashed_node *node)
{
    struct hashed_node **at = &hashed->slots[slot_of(hashed, node->hash)];
    while (*at != node) at = &(*at)->next;
    *at = node->next;
    hashed->count--;
}

static struct hashed_node *same(struct hashed_node *node, uint64_t hash)
{
    while (node && node->hash != hash) node = node->next;
    return node;
}

struct hashed_node *hashed_first(const struct hashed *hashed, uint64_t hash)
{
    return hashed->slot_count ? same(hashed->slots[slot_of(hashed, hash)], hash) : NULL;
}

struct hashed_node *hashed_next(const struct hashed_node *node)
{
    return same(node->next, node->hash);
}

struct hashed_node *hashed_walk(const struct hashed *hashed, size_t *slot, struct hashed_node **next)
{
    while (!*next && *slot < hashed->slot_count) *next = hashed->slots[(*slot)++];
    struct hashed_node *node = *next;
    if (node) *next = node->next;
    return node;
}

void hashed_free(struct hashed *hashed)
{
    free(hashed->slots);
    *hashed = (struct hashed){ 0 };
}
