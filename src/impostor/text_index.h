/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts with a number each, found by the text: sorted once, then only read. One text may have several. */
#ifndef SEKIMORI_IMPOSTOR_TEXT_INDEX_H
#define SEKIMORI_IMPOSTOR_TEXT_INDEX_H

#include "base/arena.h"

struct index_entry {
    struct text key;
    uint32_t number;
};

/* Zero-initialise; text_index_free frees the array alone. */
struct text_index {
    struct index_entry *items; /* by key once it is sorted */
    size_t count, room;
};

void text_index_add(struct text_index *index, struct text key, uint32_t number); /* `key` is borrowed */

/* Once, behind the last that was added and before the first question. */
void text_index_sort(struct text_index *index);
void text_index_free(struct text_index *index); /* empty then */

/* The first entry of that key, those of the same key follow; index->items + index->count: there is none. */
const struct index_entry *text_index_find(const struct text_index *index, struct text key);

/* `entry` is one of the index, and has that key. */
static inline bool text_index_is(const struct text_index *index, const struct index_entry *entry,
                                 struct text key)
{
    return entry < index->items + index->count && text_equal(entry->key, key);
}

#endif
