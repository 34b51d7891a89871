/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The heap: items move up and down by their keys and remember where they stand. */
#include "queue/heap.h"

#include <stdlib.h>

#include "base/arena.h"

void heap_free(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){ 0 };
}

static void put(struct heap *heap, uint32_t place, struct heap_item *item)
{
    heap->items[place - 1] = item;
    item->place = place;
}

static void rise(struct heap *heap, struct heap_item *item)
{
    uint32_t place = item->place;
    for (; place > 1 && heap->items[place / 2 - 1]->key > item->key; place /= 2)
        put(heap, place, heap->items[place / 2 - 1]);
    put(heap, place, item);
}

static void sink(struct heap *heap, struct heap_item *item)
{
    uint32_t place = item->place;
    for (;;) {
        uint32_t child = place * 2;
        if (child > heap->count) break;
        if (child < heap->count && heap->items[child]->key < heap->items[child - 1]->key) child++;
        if (heap->items[child - 1]->key >= item->key) break;
        put(heap, place, heap->items[child - 1]);
        place = child;
    }
    put(heap, place, item);
}

void heap_set(struct heap *heap, struct heap_item *item, uint64_t key)
{
    if (!item->place) {
        if (heap->count == heap->capacity) {
            heap->capacity = heap->capacity ? heap->capacity * 2 : 16;
            heap->items = memory_grow(heap->items, heap->capacity * sizeof(struct heap_item *));
        }
        put(heap, ++heap->count, item);
    }
    item->key = key;
    rise(heap, item);
    sink(heap, item);
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
    if (!item->place) return;
    struct heap_item *last = heap->items[--heap->count];
    uint32_t place = item->place;
    item->place = 0;
    if (last == item) return;
    put(heap, place, last);
    rise(heap, last);
    sink(heap, last);
}
