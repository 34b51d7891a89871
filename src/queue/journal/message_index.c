/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of messages: open addressing with backward-shift removal; beside it a ring of recent ids.
   By hand, since a message may cost 256 bytes in all: a slot is 8 of them, a handle of uthash would be 56. */
#include "queue/journal/message_index.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"

enum { FIRST_SLOTS = 1024 };

struct message_index *message_index_new(uint32_t recent_count)
{
    struct message_index *message_index = memory_alloc(sizeof *message_index);
    message_index->domains = string_pool_new();
    message_index->reasons = string_pool_new();
    message_index->slot_count = FIRST_SLOTS;
    message_index->slots = memory_alloc(FIRST_SLOTS * sizeof *message_index->slots);
    message_index->recent = memory_alloc(recent_count * sizeof *message_index->recent);
    message_index->recent_next = memory_alloc(recent_count * sizeof *message_index->recent_next);
    message_index->recent_chains = memory_alloc(recent_count * sizeof *message_index->recent_chains);
    message_index->recent_count = recent_count;
    return message_index;
}

void message_index_free(struct message_index *message_index)
{
    if (!message_index) return;
    for (size_t i = 0; i < message_index->slot_count; i++) free(message_index->slots[i]);
    string_pool_free(message_index->domains);
    string_pool_free(message_index->reasons);
    free(message_index->slots);
    free(message_index->recent);
    free(message_index->recent_next);
    free(message_index->recent_chains);
    free(message_index);
}

static size_t home_of(const struct message_index *message_index, uint64_t id)
{
    return hash_number(id) & (message_index->slot_count - 1);
}

static size_t place_of(const struct message_index *message_index, uint64_t id)
{
    size_t place = home_of(message_index, id);
    while (message_index->slots[place] && message_index->slots[place]->id != id)
        place = (place + 1) & (message_index->slot_count - 1);
    return place;
}

struct message *message_index_find(const struct message_index *message_index, uint64_t id)
{
    return message_index->slots[place_of(message_index, id)];
}

static void grow(struct message_index *message_index)
{
    struct message **old = message_index->slots;
    size_t old_count = message_index->slot_count;
    message_index->slot_count *= 2;
    message_index->slots = memory_alloc(message_index->slot_count * sizeof *message_index->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i]) message_index->slots[place_of(message_index, old[i]->id)] = old[i];
    free(old);
}

void message_index_add(struct message_index *message_index, struct message *message)
{
    if ((message_index->count + 1) * 4 > message_index->slot_count * 3) grow(message_index);
    message_index->slots[place_of(message_index, message->id)] = message;
    message_index->count++;
}

static void close_gap(struct message_index *message_index, size_t gap)
{
    size_t mask = message_index->slot_count - 1;
    for (size_t place = (gap + 1) & mask; message_index->slots[place]; place = (place + 1) & mask) {
        size_t home = home_of(message_index, message_index->slots[place]->id);
        if (((place - home) & mask) < ((place - gap) & mask)) continue;
        message_index->slots[gap] = message_index->slots[place];
        message_index->slots[place] = NULL;
        gap = place;
    }
}

void message_index_remove(struct message_index *message_index, struct message *message)
{
    size_t place = place_of(message_index, message->id);
    message_index->slots[place] = NULL;
    message_index->count--;
    close_gap(message_index, place);
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        string_pool_drop(message_index->domains, message->recipients[i].domain);
        string_pool_drop(message_index->reasons, message->recipients[i].reason);
    }
    free(message);
}

/* Chains link ring places + 1. */
static uint32_t *chain_of(const struct message_index *message_index, uint64_t id)
{
    return &message_index->recent_chains[hash_number(id) & (message_index->recent_count - 1)];
}

/* An overwritten place first leaves its chain. */
static void recent_forget(struct message_index *message_index, uint32_t place)
{
    uint64_t id = message_index->recent[place];
    if (!id) return;
    uint32_t *link = chain_of(message_index, id);
    while (*link != place + 1) link = &message_index->recent_next[*link - 1];
    *link = message_index->recent_next[place];
}

void message_index_remember(struct message_index *message_index, uint64_t id)
{
    uint32_t place = (uint32_t)(message_index->recent_total++ & (message_index->recent_count - 1));
    recent_forget(message_index, place);
    uint32_t *chain = chain_of(message_index, id);
    message_index->recent[place] = id;
    message_index->recent_next[place] = *chain;
    *chain = place + 1;
}

bool message_index_was_kept(const struct message_index *message_index, uint64_t id)
{
    const struct message *message = message_index_find(message_index, id);
    if (message) return !(message->flags & MESSAGE_PENDING);
    uint32_t link = *chain_of(message_index, id);
    while (link && message_index->recent[link - 1] != id) link = message_index->recent_next[link - 1];
    return link != 0;
}

struct message *message_index_next(const struct message_index *message_index, size_t *place)
{
    while (*place < message_index->slot_count) {
        struct message *message = message_index->slots[(*place)++];
        if (message) return message;
    }
    return NULL;
}

uint32_t message_held(const struct message *message)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++)
        held += message->recipients[i].ending == ENDING_NONE && message->recipients[i].hold != HOLD_NONE;
    return held;
}
