/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A ring of entries, the oldest overwritten, with two hash tables of chains over it: by transaction and by
   id. By hand, since all is allocated at the start, and the oldest leaves both chains by its position. */
#include "queue/journal/transactions.h"

#include <stdlib.h>

#include "base/arena.h"
#include "mail/envelope.h"

struct named_transaction {
    char name[TRANSACTION_BYTES];
    uint64_t id; /* 0: free */
    uint64_t arrived_ms;
    uint32_t next_by_name, next_by_id; /* position + 1, 0: the last */
};

struct transactions {
    struct named_transaction entries[TRANSACTIONS_MOST];
    uint32_t by_name[TRANSACTIONS_MOST], by_id[TRANSACTIONS_MOST]; /* position + 1 */
    uint32_t next;
};

/* The name is a digest, so its first bytes are as good as a hash. */
static uint32_t *name_chain(struct transactions *transactions, const char *name)
{
    uint32_t hash;
    memcpy(&hash, name, sizeof hash);
    return &transactions->by_name[hash % TRANSACTIONS_MOST];
}

static uint32_t *id_chain(struct transactions *transactions, uint64_t id)
{
    return &transactions->by_id[(id ^ id >> 22) % TRANSACTIONS_MOST];
}

struct transactions *transactions_new(void)
{
    return memory_alloc(sizeof(struct transactions));
}

void transactions_free(struct transactions *transactions)
{
    free(transactions);
}

static void take_out(struct transactions *transactions, uint32_t position)
{
    struct named_transaction *entry = &transactions->entries[position];
    uint32_t *at = name_chain(transactions, entry->name);
    while (*at != position + 1) at = &transactions->entries[*at - 1].next_by_name;
    *at = entry->next_by_name;
    at = id_chain(transactions, entry->id);
    while (*at != position + 1) at = &transactions->entries[*at - 1].next_by_id;
    *at = entry->next_by_id;
    entry->id = 0;
}

void transactions_add(struct transactions *transactions, struct text transaction, uint64_t id,
                      uint64_t now_ms)
{
    if (transaction.length != TRANSACTION_BYTES) return;
    uint32_t position = transactions->next++ % TRANSACTIONS_MOST;
    struct named_transaction *entry = &transactions->entries[position];
    if (entry->id) take_out(transactions, position);
    memcpy(entry->name, transaction.at, TRANSACTION_BYTES);
    entry->id = id;
    entry->arrived_ms = now_ms;
    uint32_t *chain = name_chain(transactions, entry->name);
    entry->next_by_name = *chain;
    *chain = position + 1;
    chain = id_chain(transactions, id);
    entry->next_by_id = *chain;
    *chain = position + 1;
}

uint64_t transactions_find(const struct transactions *transactions, struct text transaction, uint64_t now_ms)
{
    if (transaction.length != TRANSACTION_BYTES) return 0;
    uint32_t hash;
    memcpy(&hash, transaction.at, sizeof hash);
    uint32_t at = transactions->by_name[hash % TRANSACTIONS_MOST];
    for (; at; at = transactions->entries[at - 1].next_by_name) {
        const struct named_transaction *entry = &transactions->entries[at - 1];
        if (memcmp(entry->name, transaction.at, TRANSACTION_BYTES) != 0) continue;
        return now_ms < entry->arrived_ms + TRANSACTION_LIFE_MS ? entry->id : 0; /* the newest stands first */
    }
    return 0;
}

void transactions_forget(struct transactions *transactions, uint64_t id)
{
    uint32_t at = *id_chain(transactions, id);
    while (at && transactions->entries[at - 1].id != id) at = transactions->entries[at - 1].next_by_id;
    if (at) take_out(transactions, at - 1);
}

void transactions_forget_heard(struct transactions *transactions)
{
    uint64_t newest_ms = 0;
    for (uint32_t i = 0; i < TRANSACTIONS_MOST; i++)
        if (transactions->entries[i].id && transactions->entries[i].arrived_ms > newest_ms)
            newest_ms = transactions->entries[i].arrived_ms;
    for (uint32_t i = 0; i < TRANSACTIONS_MOST; i++)
        if (transactions->entries[i].id &&
            transactions->entries[i].arrived_ms + TRANSACTION_OPEN_MS < newest_ms)
            take_out(transactions, i);
}
