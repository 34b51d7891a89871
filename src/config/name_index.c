/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Open addressing over positions, at most half full. */
#include "config/name_index.h"

#include "base/hash.h"

struct name_index {
    const char *items;
    size_t size, name_at;
    size_t slot_count; /* a power of two */
    uint32_t slots[];  /* position + 1; 0: free */
};

static const void *item_at(const struct name_index *index, uint32_t position)
{
    return index->items + position * index->size;
}

static struct text name_of(const struct name_index *index, uint32_t position)
{
    struct text name;
    memcpy(&name, index->items + position * index->size + index->name_at, sizeof name);
    return name;
}

/* The slot that has the name, or the free one where it would be. */
static size_t slot_find(const struct name_index *index, struct text name)
{
    size_t mask = index->slot_count - 1, i = hash_text_nocase(name) & mask;
    while (index->slots[i] && !text_equal_nocase(name_of(index, index->slots[i] - 1), name))
        i = (i + 1) & mask;
    return i;
}

struct name_index *name_index_build(struct arena *arena, const void *items, size_t count, size_t size,
                                    size_t name_at)
{
    size_t slots = 16;
    while (slots < count * 2) slots *= 2;
    struct name_index *index = arena_alloc(arena, sizeof *index + slots * sizeof *index->slots);
    *index = (struct name_index){ .items = items, .size = size, .name_at = name_at, .slot_count = slots };
    for (uint32_t i = 0; i < count; i++) {
        size_t slot = slot_find(index, name_of(index, i));
        if (!index->slots[slot]) index->slots[slot] = i + 1;
    }
    return index;
}

const void *name_index_find(const struct name_index *index, struct text name)
{
    uint32_t position = index->slots[slot_find(index, name)];
    return position ? item_at(index, position - 1) : NULL;
}
