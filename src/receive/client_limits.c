/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table in shared memory without locks: entries are claimed by compare-and-swap, and given up for
   others once they have no connections. Wrong by at most a few in a race between processes, which a limit can
   bear. */
#include "receive/client_limits.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/hash.h"

enum { HOURS_SHARE = 4 }; /* this part of the memory, the last one, is of hours */
enum { COLUMNS = 64, PROBES = 16, MINUTE_MS = 60000 };

/* Places of the table that are no client's: entry 0 counts everybody, and its key is that of the hashes; the
   next ones are shared by clients that found no place. */
enum { SHARED_FIRST = 1, SHARED = 64, CLIENT_FIRST = SHARED_FIRST + SHARED };

struct client_entry {
    _Atomic uint64_t key;                       /* hash of the client, 0: free */
    _Atomic uint16_t connections[COLUMNS];      /* one a process: each clears its own at its start */
    _Atomic uint32_t minute, arrived, messages; /* in that minute */
};

struct client_limits {
    struct client_entry *entries;
    size_t count;
    uint16_t column;
    size_t bytes;
    struct hourly_table *hours;
};

static struct client_entry *everybody(struct client_limits *clients)
{
    return &clients->entries[0];
}

/* Whoever maps the table first draws its key; the others read it. */
static uint64_t key_of(struct client_limits *clients)
{
    uint64_t none = 0;
    if (everybody(clients)->key == 0)
        atomic_compare_exchange_strong(&everybody(clients)->key, &none, hash_new_key());
    return everybody(clients)->key;
}

struct client_limits *client_limits_map(int fd, uint16_t column)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return NULL;
    void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return NULL;
    struct client_limits *clients = memory_alloc(sizeof *clients);
    size_t bytes = (size_t)facts.st_size, hours_bytes = bytes / HOURS_SHARE / 64 * 64;
    char *hours = (char *)map + (bytes - hours_bytes) / 64 * 64;
    *clients = (struct client_limits){ map, (bytes - hours_bytes) / 64 * 64 / sizeof(struct client_entry),
                                       column % COLUMNS, bytes, hourly_table_open(hours, hours_bytes) };
    for (size_t i = 0; i < clients->count; i++)
        if (clients->entries[i].connections[clients->column])
            clients->entries[i].connections[clients->column] = 0;
    return clients;
}

void client_limits_unmap(struct client_limits *clients)
{
    munmap(clients->entries, clients->bytes);
    hourly_table_free(clients->hours);
    free(clients);
}

static uint32_t connections_of(const struct client_entry *entry)
{
    uint32_t sum = 0;
    for (int i = 0; i < COLUMNS; i++) sum += entry->connections[i];
    return sum;
}

/* How much is forgotten with the entry: nothing with a free one, little with one of long ago or of few. */
static uint64_t worth_of(const struct client_entry *entry)
{
    return entry->key ? (uint64_t)entry->minute << 32 | (entry->arrived + entry->messages) : 0;
}

/* The client's own entry, or the one in its reach that has no connections and is worth least; NULL: all have
   connections. */
static struct client_entry *find(struct client_limits *clients, uint64_t key)
{
    size_t places = clients->count - CLIENT_FIRST, at = (size_t)(key >> 17) % places;
    struct client_entry *least = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct client_entry *entry = &clients->entries[CLIENT_FIRST + (at + i) % places];
        if (entry->key == key) return entry;
        bool may_go = entry->key == 0 || connections_of(entry) == 0;
        if (may_go && (!least || worth_of(entry) < worth_of(least))) least = entry;
        if (entry->key == 0) break;
    }
    return least;
}

static struct client_entry *take(struct client_limits *clients, const struct address *client, uint32_t minute)
{
    struct text bytes = text_from((const char *)client->bytes, sizeof client->bytes);
    uint64_t key = hash_text_by(key_of(clients), bytes) | 1;
    struct client_entry *entry = find(clients, key),
                        *shared = &clients->entries[SHARED_FIRST + key / 2 % SHARED];
    if (!entry) return shared;
    uint64_t old = entry->key;
    if (old == key) return entry;
    if (!atomic_compare_exchange_strong(&entry->key, &old, key)) return shared;
    entry->arrived = entry->messages = 0;
    entry->minute = minute;
    return entry;
}

static void minute_turn(struct client_entry *entry, uint32_t minute)
{
    if (entry->minute == minute) return;
    entry->minute = minute;
    entry->arrived = entry->messages = 0;
}

struct client_entry *client_limits_enter(struct client_limits *clients, const struct address *client,
                                         uint64_t now_ms, struct client_numbers *out)
{
    uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);
    struct client_entry *entry = take(clients, client, minute), *all = everybody(clients);
    *out = (struct client_numbers){ 0 };
    minute_turn(all, minute);
    all->connections[clients->column]++;
    out->all_connections = connections_of(all);
    out->all_in_minute = ++all->arrived;
    minute_turn(entry, minute);
    entry->connections[clients->column]++;
    out->connections = connections_of(entry);
    out->in_minute = ++entry->arrived;
    return entry;
}

void client_limits_leave(struct client_limits *clients, struct client_entry *entry)
{
    everybody(clients)->connections[clients->column]--;
    entry->connections[clients->column]--;
}

uint32_t client_limits_connected(struct client_limits *clients)
{
    return connections_of(everybody(clients));
}

uint32_t client_limits_message(struct client_limits *clients, struct client_entry *entry, uint64_t now_ms,
                               uint32_t *out_all)
{
    uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);
    minute_turn(everybody(clients), minute);
    *out_all = ++everybody(clients)->messages;
    minute_turn(entry, minute);
    return ++entry->messages;
}

struct hourly_table *client_limits_hours(struct client_limits *clients)
{
    return clients->hours;
}
