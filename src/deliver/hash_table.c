/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Chains in a power of two of slots, at most one entry a slot on average. */
#include "deliver/hash_table.h"

#include <stdlib.h>

#include "base/arena.h"

static size_t slot_of(const struct hash_table *table, uint64_t hash)
{
    return (hash ^ hash >> 29) & (table->slot_count - 1);
}

static void put(struct hash_table *table, struct hash_node *node)
{
    struct hash_node **slot = &table->slots[slot_of(table, node->hash)];
    node->next = *slot;
    *slot = node;
}

static void grow(struct hash_table *table)
{
    struct hash_table old = *table;
    table->slot_count = old.slot_count ? old.slot_count * 2 : 64;
    table->slots = memory_alloc(table->slot_count * sizeof(struct hash_node *));
    for (size_t i = 0; i < old.slot_count; i++)
        for (struct hash_node *node = old.slots[i], *next; node; node = next) {
            next = node->next;
            put(table, node);
        }
    free(old.slots);
}

void hash_table_add(struct hash_table *table, struct hash_node *node, uint64_t hash)
{
    if (table->count >= table->slot_count) grow(table);
    node->hash = hash;
    put(table, node);
    table->count++;
}

void hash_table_remove(struct hash_table *table, struct hash_node *node)
{
    struct hash_node **at = &table->slots[slot_of(table, node->hash)];
    while (*at != node) at = &(*at)->next;
    *at = node->next;
    table->count--;
}

static struct hash_node *same(struct hash_node *node, uint64_t hash)
{
    while (node && node->hash != hash) node = node->next;
    return node;
}

struct hash_node *hash_table_first(const struct hash_table *table, uint64_t hash)
{
    return table->slot_count ? same(table->slots[slot_of(table, hash)], hash) : NULL;
}

struct hash_node *hash_table_next(const struct hash_node *node)
{
    return same(node->next, node->hash);
}

struct hash_node *hash_table_walk(const struct hash_table *table, size_t *slot, struct hash_node **next)
{
    while (!*next && *slot < table->slot_count) *next = table->slots[(*slot)++];
    struct hash_node *node = *next;
    if (node) *next = node->next;
    return node;
}

void hash_table_free(struct hash_table *table)
{
    free(table->slots);
    *table = (struct hash_table){ 0 };
}
