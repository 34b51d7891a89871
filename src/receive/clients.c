/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table in shared memory without locks: entries are claimed by compare-and-swap and reused when they
   have been empty for a while. Wrong by at most a few in a race between processes, which a limit can bear. */
#include "receive/clients.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/arena.h"

enum { COLUMNS = 64, PROBES = 16, MINUTE_MS = 60000 };

struct client_entry {
    _Atomic uint64_t key;                       /* hash of the address, 0: free */
    _Atomic uint16_t connections[COLUMNS];      /* one a process: each clears its own at its start */
    _Atomic uint32_t minute, arrived, messages; /* in that minute */
};

struct clients {
    struct client_entry *entries;
    size_t count;
    uint16_t column;
    size_t bytes;
};

/* Entry 0 is no client: it counts everybody. */
static struct client_entry *everybody(struct clients *clients)
{
    return &clients->entries[0];
}

struct clients *clients_map(int fd, uint16_t column)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0) return NULL;
    void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return NULL;
    struct clients *clients = memory_alloc(sizeof *clients);
    *clients = (struct clients){ map, (size_t)facts.st_size / sizeof(struct client_entry), column % COLUMNS,
                                 (size_t)facts.st_size };
    for (size_t i = 0; i < clients->count; i++)
        if (clients->entries[i].connections[clients->column])
            clients->entries[i].connections[clients->column] = 0;
    return clients;
}

static uint32_t connections_of(const struct client_entry *entry)
{
    uint32_t sum = 0;
    for (int i = 0; i < COLUMNS; i++) sum += entry->connections[i];
    return sum;
}

static struct client_entry *find(struct clients *clients, const struct address *address, uint32_t minute)
{
    uint64_t key = text_hash(text_from((const char *)address->bytes, sizeof address->bytes)) | 1;
    size_t at = (size_t)(key >> 17) % (clients->count - 1);
    struct client_entry *reusable = NULL;
    for (int i = 0; i < PROBES; i++) {
        struct client_entry *entry = &clients->entries[1 + (at + (size_t)i) % (clients->count - 1)];
        if (entry->key == key) return entry;
        bool is_idle = entry->key == 0 || (entry->minute + 1 < minute && connections_of(entry) == 0);
        if (is_idle && !reusable) reusable = entry;
        if (entry->key == 0) break;
    }
    if (!reusable) return NULL;
    uint64_t old = reusable->key;
    if (!atomic_compare_exchange_strong(&reusable->key, &old, key)) return NULL;
    reusable->arrived = reusable->messages = 0;
    reusable->minute = minute;
    return reusable;
}

static void minute_turn(struct client_entry *entry, uint32_t minute)
{
    if (entry->minute == minute) return;
    entry->minute = minute;
    entry->arrived = entry->messages = 0;
}

struct client_entry *clients_enter(struct clients *clients, const struct address *address, uint64_t now_ms,
                                   struct client_numbers *out)
{
    uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);
    struct client_entry *entry = find(clients, address, minute), *all = everybody(clients);
    *out = (struct client_numbers){ 0 };
    minute_turn(all, minute);
    all->connections[clients->column]++;
    out->all_connections = connections_of(all);
    out->all_in_minute = ++all->arrived;
    if (!entry) return NULL;
    minute_turn(entry, minute);
    entry->connections[clients->column]++;
    out->connections = connections_of(entry);
    out->in_minute = ++entry->arrived;
    return entry;
}

void clients_leave(struct clients *clients, struct client_entry *entry)
{
    everybody(clients)->connections[clients->column]--;
    if (entry) entry->connections[clients->column]--;
}

uint32_t clients_connected(struct clients *clients)
{
    return connections_of(everybody(clients));
}

uint32_t clients_message(struct clients *clients, struct client_entry *entry, uint64_t now_ms,
                         uint32_t *out_all)
{
    uint32_t minute = (uint32_t)(now_ms / MINUTE_MS);
    minute_turn(everybody(clients), minute);
    *out_all = ++everybody(clients)->messages;
    if (!entry) return 0;
    minute_turn(entry, minute);
    return ++entry->messages;
}
