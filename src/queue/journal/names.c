/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shared texts: an array of entries and a chained table from the text's hash to its entry. */
#include "queue/journal/names.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

struct entry {
    char *bytes;
    uint32_t length, holders, next; /* next: in the chain, or in the list of free entries */
};

struct names {
    struct entry *entries;
    uint32_t count, capacity, free_head;
    uint32_t *chains;
    uint32_t chain_count; /* a power of two */
    uint32_t used;
};

enum { FIRST_CHAINS = 64 };

struct names *names_new(void)
{
    struct names *names = memory_alloc(sizeof *names);
    names->capacity = FIRST_CHAINS;
    names->entries = memory_alloc(names->capacity * sizeof *names->entries);
    names->count = 1; /* number 0 is the empty text */
    names->chain_count = FIRST_CHAINS;
    names->chains = memory_alloc(names->chain_count * sizeof *names->chains);
    return names;
}

void names_free(struct names *names)
{
    if (!names) return;
    for (uint32_t i = 0; i < names->count; i++) free(names->entries[i].bytes);
    free(names->entries);
    free(names->chains);
    free(names);
}

static uint32_t *chain_of(const struct names *names, struct text text)
{
    uint64_t hash = hash_text(text);
    return &names->chains[(hash ^ hash >> 32) & (names->chain_count - 1)];
}

struct text names_text(const struct names *names, uint32_t number)
{
    const struct entry *entry = &names->entries[number];
    return text_from(entry->bytes, entry->length);
}

uint32_t names_holders(const struct names *names, uint32_t number)
{
    return names->entries[number].holders;
}

uint32_t names_limit(const struct names *names)
{
    return names->count;
}

uint32_t names_find(const struct names *names, struct text text)
{
    if (text.length == 0) return 0;
    uint32_t number = *chain_of(names, text);
    while (number && !text_equal(names_text(names, number), text)) number = names->entries[number].next;
    return number;
}

static void chains_grow(struct names *names)
{
    free(names->chains);
    names->chain_count *= 2;
    names->chains = memory_alloc(names->chain_count * sizeof *names->chains);
    for (uint32_t i = 1; i < names->count; i++) {
        if (!names->entries[i].holders) continue;
        uint32_t *chain = chain_of(names, names_text(names, i));
        names->entries[i].next = *chain;
        *chain = i;
    }
}

static uint32_t entry_take(struct names *names)
{
    if (names->free_head) {
        uint32_t number = names->free_head;
        names->free_head = names->entries[number].next;
        return number;
    }
    if (names->count == names->capacity) {
        names->capacity *= 2;
        names->entries = memory_grow(names->entries, names->capacity * sizeof *names->entries);
    }
    names->entries[names->count] = (struct entry){ 0 };
    return names->count++;
}

uint32_t names_hold(struct names *names, struct text text)
{
    if (text.length == 0) return 0;
    uint32_t number = names_find(names, text);
    if (number) {
        names->entries[number].holders++;
        return number;
    }
    if (names->used >= names->chain_count) chains_grow(names);
    number = entry_take(names);
    uint32_t *chain = chain_of(names, text);
    names->entries[number] = (struct entry){ memory_string(text), (uint32_t)text.length, 1, *chain };
    *chain = number;
    names->used++;
    return number;
}

void names_hold_again(struct names *names, uint32_t number)
{
    if (number) names->entries[number].holders++;
}

void names_drop(struct names *names, uint32_t number)
{
    if (!number || --names->entries[number].holders) return;
    uint32_t *link = chain_of(names, names_text(names, number));
    while (*link != number) link = &names->entries[*link].next;
    struct entry *entry = &names->entries[number];
    *link = entry->next;
    free(entry->bytes);
    *entry = (struct entry){ .next = names->free_head };
    names->free_head = number;
    names->used--;
}
