/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shared texts: an array of entries and a chained table from the text's hash to its entry.
   By hand, since entries move when the array grows: chains are positions, and so is what messages keep. */
#include "queue/journal/string_pool.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

struct pool_entry {
    char *bytes;
    uint32_t length, holders, next; /* next: in the chain, or in the list of free entries */
};

struct string_pool {
    struct pool_entry *entries;
    uint32_t count, capacity, free_head;
    uint32_t *chains;
    uint32_t chain_count; /* a power of two */
    uint32_t used;
};

enum { FIRST_CHAINS = 64 };

struct string_pool *string_pool_new(void)
{
    struct string_pool *pool = memory_alloc(sizeof *pool);
    pool->capacity = FIRST_CHAINS;
    pool->entries = memory_alloc(pool->capacity * sizeof *pool->entries);
    pool->count = 1; /* number 0 is the empty text */
    pool->chain_count = FIRST_CHAINS;
    pool->chains = memory_alloc(pool->chain_count * sizeof *pool->chains);
    return pool;
}

void string_pool_free(struct string_pool *pool)
{
    if (!pool) return;
    for (uint32_t i = 0; i < pool->count; i++) free(pool->entries[i].bytes);
    free(pool->entries);
    free(pool->chains);
    free(pool);
}

static uint32_t *chain_of(const struct string_pool *pool, struct text text)
{
    uint64_t hash = hash_text(text);
    return &pool->chains[(hash ^ hash >> 32) & (pool->chain_count - 1)];
}

struct text string_pool_text(const struct string_pool *pool, uint32_t number)
{
    const struct pool_entry *entry = &pool->entries[number];
    return text_from(entry->bytes, entry->length);
}

uint32_t string_pool_holders(const struct string_pool *pool, uint32_t number)
{
    return pool->entries[number].holders;
}

uint32_t string_pool_limit(const struct string_pool *pool)
{
    return pool->count;
}

uint32_t string_pool_find(const struct string_pool *pool, struct text text)
{
    if (text.length == 0) return 0;
    uint32_t number = *chain_of(pool, text);
    while (number && !text_equal(string_pool_text(pool, number), text)) number = pool->entries[number].next;
    return number;
}

static void chains_grow(struct string_pool *pool)
{
    free(pool->chains);
    pool->chain_count *= 2;
    pool->chains = memory_alloc(pool->chain_count * sizeof *pool->chains);
    for (uint32_t i = 1; i < pool->count; i++) {
        if (!pool->entries[i].holders) continue;
        uint32_t *chain = chain_of(pool, string_pool_text(pool, i));
        pool->entries[i].next = *chain;
        *chain = i;
    }
}

static uint32_t entry_take(struct string_pool *pool)
{
    if (pool->free_head) {
        uint32_t number = pool->free_head;
        pool->free_head = pool->entries[number].next;
        return number;
    }
    if (pool->count == pool->capacity) {
        pool->capacity *= 2;
        pool->entries = memory_grow(pool->entries, pool->capacity * sizeof *pool->entries);
    }
    pool->entries[pool->count] = (struct pool_entry){ 0 };
    return pool->count++;
}

uint32_t string_pool_hold(struct string_pool *pool, struct text text)
{
    if (text.length == 0) return 0;
    uint32_t number = string_pool_find(pool, text);
    if (number) {
        pool->entries[number].holders++;
        return number;
    }
    if (pool->used >= pool->chain_count) chains_grow(pool);
    number = entry_take(pool);
    uint32_t *chain = chain_of(pool, text);
    pool->entries[number] = (struct pool_entry){ memory_string(text), (uint32_t)text.length, 1, *chain };
    *chain = number;
    pool->used++;
    return number;
}

void string_pool_hold_again(struct string_pool *pool, uint32_t number)
{
    if (number) pool->entries[number].holders++;
}

void string_pool_drop(struct string_pool *pool, uint32_t number)
{
    if (!number || --pool->entries[number].holders) return;
    uint32_t *link = chain_of(pool, string_pool_text(pool, number));
    while (*link != number) link = &pool->entries[*link].next;
    struct pool_entry *entry = &pool->entries[number];
    *link = entry->next;
    free(entry->bytes);
    *entry = (struct pool_entry){ .next = pool->free_head };
    pool->free_head = number;
    pool->used--;
}
