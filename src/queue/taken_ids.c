/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two sets: what is new goes into the young one; when that has lived as long as a voucher it is the old one,
   and what was the old one is forgotten. By hand, since an id is 8 bytes, a handle of uthash would be 56. */
#include "queue/taken_ids.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

enum { SLOTS_LEAST = 1024 };

struct id_set {
    uint64_t *slots; /* 0: free */
    size_t room, count;
};

struct taken_ids {
    struct id_set young, old;
    uint64_t since_ms; /* of the young one */
};

static size_t slot_of(const struct id_set *set, uint64_t id)
{
    size_t at = hash_number(id) & (set->room - 1);
    while (set->slots[at] != 0 && set->slots[at] != id) at = (at + 1) & (set->room - 1);
    return at;
}

static bool set_has(const struct id_set *set, uint64_t id)
{
    return set->room > 0 && set->slots[slot_of(set, id)] == id;
}

static void set_free(struct id_set *set)
{
    free(set->slots);
    *set = (struct id_set){ 0 };
}

static void set_add(struct id_set *set, uint64_t id)
{
    if (set->count * 2 >= set->room) {
        struct id_set larger = { .room = set->room ? set->room * 2 : SLOTS_LEAST, .count = set->count };
        larger.slots = memory_alloc(larger.room * sizeof *larger.slots);
        for (size_t i = 0; i < set->room; i++)
            if (set->slots[i]) larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
        set_free(set);
        *set = larger;
    }
    set->slots[slot_of(set, id)] = id;
    set->count++;
}

struct taken_ids *taken_ids_new(void)
{
    return memory_alloc(sizeof(struct taken_ids));
}

void taken_ids_free(struct taken_ids *taken)
{
    if (!taken) return;
    set_free(&taken->young);
    set_free(&taken->old);
    free(taken);
}

static void age(struct taken_ids *taken, uint64_t now_ms, uint64_t life_ms)
{
    uint64_t lived_ms = now_ms - taken->since_ms;
    if (lived_ms <= life_ms) return;
    set_free(&taken->old);
    if (lived_ms <= 2 * life_ms)
        taken->old = taken->young;
    else
        set_free(&taken->young);
    taken->young = (struct id_set){ 0 };
    taken->since_ms = now_ms;
}

bool taken_ids_add(struct taken_ids *taken, uint64_t id, uint64_t now_ms, uint64_t life_ms)
{
    age(taken, now_ms, life_ms);
    if (id == 0 || set_has(&taken->young, id) || set_has(&taken->old, id)) return false;
    set_add(&taken->young, id);
    return true;
}
