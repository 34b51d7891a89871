/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of messages: open addressing with backward-shift removal; beside it a ring of recent ids. */
#include "queue/journal/catalogue.h"

#include <stdlib.h>

#include "base/arena.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"

enum { FIRST_SLOTS = 1024, RECENT_CHAINS = RECENT_IDS };

struct catalogue *catalogue_new(void)
{
    struct catalogue *catalogue = memory_alloc(sizeof *catalogue);
    catalogue->domains = names_new();
    catalogue->reasons = names_new();
    catalogue->slot_count = FIRST_SLOTS;
    catalogue->slots = memory_alloc(FIRST_SLOTS * sizeof *catalogue->slots);
    catalogue->recent = memory_alloc(RECENT_IDS * sizeof *catalogue->recent);
    catalogue->recent_next = memory_alloc(RECENT_IDS * sizeof *catalogue->recent_next);
    catalogue->recent_chains = memory_alloc(RECENT_CHAINS * sizeof *catalogue->recent_chains);
    return catalogue;
}

void catalogue_free(struct catalogue *catalogue)
{
    if (!catalogue) return;
    for (size_t i = 0; i < catalogue->slot_count; i++) free(catalogue->slots[i]);
    names_free(catalogue->domains);
    names_free(catalogue->reasons);
    free(catalogue->slots);
    free(catalogue->recent);
    free(catalogue->recent_next);
    free(catalogue->recent_chains);
    free(catalogue);
}

static uint64_t mixed(uint64_t id)
{
    id *= 0x9E3779B97F4A7C15u;
    return id ^ id >> 29;
}

static size_t home_of(const struct catalogue *catalogue, uint64_t id)
{
    return mixed(id) & (catalogue->slot_count - 1);
}

static size_t place_of(const struct catalogue *catalogue, uint64_t id)
{
    size_t place = home_of(catalogue, id);
    while (catalogue->slots[place] && catalogue->slots[place]->id != id)
        place = (place + 1) & (catalogue->slot_count - 1);
    return place;
}

struct message *catalogue_find(const struct catalogue *catalogue, uint64_t id)
{
    return catalogue->slots[place_of(catalogue, id)];
}

static void grow(struct catalogue *catalogue)
{
    struct message **old = catalogue->slots;
    size_t old_count = catalogue->slot_count;
    catalogue->slot_count *= 2;
    catalogue->slots = memory_alloc(catalogue->slot_count * sizeof *catalogue->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i]) catalogue->slots[place_of(catalogue, old[i]->id)] = old[i];
    free(old);
}

void catalogue_add(struct catalogue *catalogue, struct message *message)
{
    if ((catalogue->count + 1) * 4 > catalogue->slot_count * 3) grow(catalogue);
    catalogue->slots[place_of(catalogue, message->id)] = message;
    catalogue->count++;
}

static void close_gap(struct catalogue *catalogue, size_t gap)
{
    size_t mask = catalogue->slot_count - 1;
    for (size_t place = (gap + 1) & mask; catalogue->slots[place]; place = (place + 1) & mask) {
        size_t home = home_of(catalogue, catalogue->slots[place]->id);
        if (((place - home) & mask) < ((place - gap) & mask)) continue;
        catalogue->slots[gap] = catalogue->slots[place];
        catalogue->slots[place] = NULL;
        gap = place;
    }
}

void catalogue_remove(struct catalogue *catalogue, struct message *message)
{
    size_t place = place_of(catalogue, message->id);
    catalogue->slots[place] = NULL;
    catalogue->count--;
    close_gap(catalogue, place);
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        names_drop(catalogue->domains, message->recipients[i].domain);
        names_drop(catalogue->reasons, message->recipients[i].reason);
    }
    free(message);
}

/* Chains link ring places + 1; an overwritten place first leaves its chain. */
static void recent_forget(struct catalogue *catalogue, uint32_t place)
{
    uint64_t id = catalogue->recent[place];
    if (!id) return;
    uint32_t *link = &catalogue->recent_chains[mixed(id) & (RECENT_CHAINS - 1)];
    while (*link != place + 1) link = &catalogue->recent_next[*link - 1];
    *link = catalogue->recent_next[place];
}

void catalogue_remember(struct catalogue *catalogue, uint64_t id)
{
    uint32_t place = (uint32_t)(catalogue->recent_total++ & (RECENT_IDS - 1));
    recent_forget(catalogue, place);
    uint32_t *chain = &catalogue->recent_chains[mixed(id) & (RECENT_CHAINS - 1)];
    catalogue->recent[place] = id;
    catalogue->recent_next[place] = *chain;
    *chain = place + 1;
}

bool catalogue_was_kept(const struct catalogue *catalogue, uint64_t id)
{
    const struct message *message = catalogue_find(catalogue, id);
    if (message) return !(message->flags & MESSAGE_PENDING);
    uint32_t link = catalogue->recent_chains[mixed(id) & (RECENT_CHAINS - 1)];
    while (link && catalogue->recent[link - 1] != id) link = catalogue->recent_next[link - 1];
    return link != 0;
}

struct message *catalogue_next(const struct catalogue *catalogue, size_t *place)
{
    while (*place < catalogue->slot_count) {
        struct message *message = catalogue->slots[(*place)++];
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
