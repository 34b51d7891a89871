/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/text_index.h"

#include <stdlib.h>

void text_index_add(struct text_index *index, struct text key, uint32_t number)
{
    if (index->count == index->room) {
        index->room = index->room ? index->room * 2 : 64;
        index->items = memory_grow(index->items, index->room * sizeof *index->items);
    }
    index->items[index->count++] = (struct index_entry){ key, number };
}

static int by_key(const void *a, const void *b)
{
    const struct index_entry *left = a, *right = b;
    int order = text_compare(left->key, right->key);
    return order ? order : (left->number > right->number) - (left->number < right->number);
}

void text_index_sort(struct text_index *index)
{
    if (index->count > 1) qsort(index->items, index->count, sizeof *index->items, by_key);
}

void text_index_free(struct text_index *index)
{
    free(index->items);
    *index = (struct text_index){ 0 };
}

const struct index_entry *text_index_find(const struct text_index *index, struct text key)
{
    size_t from = 0, to = index->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (text_compare(index->items[middle].key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_there = from < index->count && text_equal(index->items[from].key, key);
    return index->items + (is_there ? from : index->count);
}
