/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table of things that carry their own node: nothing is allocated per entry. Grows, never shrinks.
   Beside uthash, since callers compare the keys (endpoints, numbers, names) by rules of their own, and since
   a node takes 16 bytes of each server, job and recipient, not 56. */
#ifndef SEKIMORI_DELIVER_HASH_TABLE_H
#define SEKIMORI_DELIVER_HASH_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct hash_node {
    struct hash_node *next;
    uint64_t hash;
};

/* Zero-initialised is empty. */
struct hash_table {
    struct hash_node **slots;
    size_t slot_count, count;
};

/* For keys that are numbers. */
static inline uint64_t hash_table_number(uint64_t number)
{
    number ^= number >> 31;
    return number * 0x9E3779B97F4A7C15u;
}

/* The node is the caller's and stays until hash_table_remove. A key that is there already is not looked for.
 */
void hash_table_add(struct hash_table *table, struct hash_node *node, uint64_t hash);
void hash_table_remove(struct hash_table *table, struct hash_node *node); /* it must be there */

/* The first node with that hash, then the next ones; NULL at the end. The caller compares the keys. */
struct hash_node *hash_table_first(const struct hash_table *table, uint64_t hash);
struct hash_node *hash_table_next(const struct hash_node *node);

void hash_table_free(struct hash_table *table); /* the table; what is in it is the caller's */

/* Every node, in no order: start with *slot 0 and *next NULL; NULL at the end. The node that was returned may
   be removed meanwhile; none may be added, no other removed. */
struct hash_node *hash_table_walk(const struct hash_table *table, size_t *slot, struct hash_node **next);

#endif
