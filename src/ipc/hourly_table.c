/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table by hand, since it lives in memory that processes share. Entry 0 is nobody's: its key is that
   of the hashes. */
#include "ipc/hourly_table.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

enum { PROBES = 16 };

struct hourly_entry {
    _Atomic uint64_t key;                                       /* 0: free */
    _Atomic uint64_t marked_ms;                                 /* until then; 0: not */
    _Atomic uint32_t hour;                                      /* whose counts `now` has */
    _Atomic uint32_t now[HOURLY_COUNTS], before[HOURLY_COUNTS]; /* in that hour, in the one before it */
};
_Static_assert(sizeof(struct hourly_entry) == HOURLY_ENTRY_BYTES, "HOURLY_ENTRY_BYTES is wrong");

struct hourly_table {
    struct hourly_entry *entries;
    size_t count;
};

struct hourly_table *hourly_table_open(void *room, size_t bytes)
{
    struct hourly_table *table = memory_alloc(sizeof *table);
    *table = (struct hourly_table){ room, bytes / sizeof(struct hourly_entry) };
    return table;
}

void hourly_table_free(struct hourly_table *table)
{
    free(table);
}

/* Whoever asks first draws it. */
static uint64_t table_key(struct hourly_table *table)
{
    uint64_t none = 0;
    if (table->entries[0].key == 0)
        atomic_compare_exchange_strong(&table->entries[0].key, &none, hash_new_key());
    return table->entries[0].key;
}

/* Hours are counted from 1, so that an entry of zeros is of none. */
static uint32_t hour_of(uint64_t now_ms)
{
    return (uint32_t)(now_ms / HOURLY_MS) + 1;
}

bool hourly_entry_is_marked(const struct hourly_entry *entry, uint64_t now_ms)
{
    return entry->marked_ms > now_ms;
}

/* What is forgotten with the entry. */
static uint64_t worth_of(const struct hourly_entry *entry, uint64_t now_ms)
{
    enum { MARKED = 62, HOUR = 32 };
    uint64_t sum = 0;
    if (entry->key == 0) return 0;
    for (unsigned i = 0; i < HOURLY_COUNTS; i++) sum += entry->now[i] / HOURLY_COUNTS;
    return (uint64_t)hourly_entry_is_marked(entry, now_ms) << MARKED | (uint64_t)entry->hour << HOUR | sum;
}

/* The key's own entry, else the one in its reach that is worth least. */
static struct hourly_entry *find(struct hourly_table *table, uint64_t key, uint64_t now_ms)
{
    size_t places = table->count - 1, at = (size_t)(key >> 17) % places;
    struct hourly_entry *least = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct hourly_entry *entry = &table->entries[1 + (at + i) % places];
        if (entry->key == key) return entry;
        if (!least || worth_of(entry, now_ms) < worth_of(least, now_ms)) least = entry;
    }
    return least;
}

void hourly_entry_forget(struct hourly_entry *entry)
{
    entry->marked_ms = 0;
    for (unsigned i = 0; i < HOURLY_COUNTS; i++) entry->now[i] = entry->before[i] = 0;
}

struct hourly_entry *hourly_table_entry(struct hourly_table *table, uint8_t kind, struct text name,
                                        uint64_t now_ms)
{
    uint64_t key = hash_text_by(table_key(table) + kind, name) | 1;
    struct hourly_entry *entry = find(table, key, now_ms);
    uint64_t old = entry->key;
    if (old == key || !atomic_compare_exchange_strong(&entry->key, &old, key)) return entry;
    hourly_entry_forget(entry);
    entry->hour = hour_of(now_ms);
    return entry;
}

static void hour_turn(struct hourly_entry *entry, uint32_t hour)
{
    uint32_t old = entry->hour;
    if (old == hour || !atomic_compare_exchange_strong(&entry->hour, &old, hour)) return;
    for (unsigned i = 0; i < HOURLY_COUNTS; i++) {
        uint32_t was = atomic_exchange(&entry->now[i], 0);
        entry->before[i] = hour == old + 1 ? was : 0;
    }
}

uint32_t hourly_entry_count(const struct hourly_entry *entry, unsigned count, uint64_t now_ms)
{
    uint32_t hour = hour_of(now_ms);
    uint64_t left_ms = HOURLY_MS - now_ms % HOURLY_MS;
    if (entry->hour == hour)
        return entry->now[count] + (uint32_t)(entry->before[count] * left_ms / HOURLY_MS);
    return entry->hour + 1 == hour ? (uint32_t)(entry->now[count] * left_ms / HOURLY_MS) : 0;
}

uint32_t hourly_entry_add(struct hourly_entry *entry, unsigned count, uint32_t by, uint64_t now_ms)
{
    hour_turn(entry, hour_of(now_ms));
    uint32_t room = UINT32_MAX / 4 - entry->now[count] % (UINT32_MAX / 4);
    entry->now[count] += by < room ? by : room;
    return hourly_entry_count(entry, count, now_ms);
}

bool hourly_entry_mark(struct hourly_entry *entry, uint64_t until_ms, uint64_t now_ms)
{
    return atomic_exchange(&entry->marked_ms, until_ms) <= now_ms;
}
