/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A binary heap of things that carry their own key and place: least key first, all O(log n). */
#ifndef SEKIMORI_QUEUE_HEAP_H
#define SEKIMORI_QUEUE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
    uint64_t key;
    uint32_t place; /* from 1; 0: in no heap */
};

/* Zero-initialised is empty. */
struct heap {
    struct heap_item **items;
    uint32_t count, capacity;
};

void heap_free(struct heap *heap); /* the array; the items are the caller's */

/* Puts the item in, or moves it when it is in already. */
void heap_set(struct heap *heap, struct heap_item *item, uint64_t key);
void heap_remove(struct heap *heap, struct heap_item *item); /* may be in no heap */

static inline struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count ? heap->items[0] : NULL;
}

#endif
