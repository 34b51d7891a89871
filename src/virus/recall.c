/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two direct-mapped tables: a newer entry takes the place of an older one in the same slot. */
#include "virus/recall.h"

#include <stdlib.h>

struct infected {
    uint8_t digest[DIGEST_BYTES];
    char name[ENGINE_NAME_SIZE]; /* empty: the slot is free */
};

struct clean {
    uint8_t digest[DIGEST_BYTES];
    bool is_used;
};

struct recall {
    size_t most;
    struct infected *infected;
    struct clean *clean;
};

struct recall *recall_new(size_t most)
{
    struct recall *recall = memory_alloc(sizeof *recall);
    recall->most = most ? most : 1;
    recall->infected = memory_alloc(recall->most * sizeof *recall->infected);
    recall->clean = memory_alloc(recall->most * sizeof *recall->clean);
    return recall;
}

void recall_free(struct recall *recall)
{
    if (!recall) return;
    free(recall->infected);
    free(recall->clean);
    free(recall);
}

static size_t slot_of(const struct recall *recall, const uint8_t digest[DIGEST_BYTES])
{
    uint64_t number;
    memcpy(&number, digest, sizeof number);
    return (size_t)(number % recall->most);
}

const char *recall_infected(const struct recall *recall, const uint8_t digest[DIGEST_BYTES])
{
    const struct infected *slot = &recall->infected[slot_of(recall, digest)];
    bool is_it = slot->name[0] && memcmp(slot->digest, digest, DIGEST_BYTES) == 0;
    return is_it ? slot->name : NULL;
}

void recall_add_infected(struct recall *recall, const uint8_t digest[DIGEST_BYTES], const char *name)
{
    struct infected *slot = &recall->infected[slot_of(recall, digest)];
    memcpy(slot->digest, digest, DIGEST_BYTES);
    size_t length = strnlen(name, sizeof slot->name - 1);
    memcpy(slot->name, name, length);
    slot->name[length] = '\0';
}

bool recall_is_clean(const struct recall *recall, const uint8_t digest[DIGEST_BYTES])
{
    const struct clean *slot = &recall->clean[slot_of(recall, digest)];
    return slot->is_used && memcmp(slot->digest, digest, DIGEST_BYTES) == 0;
}

void recall_add_clean(struct recall *recall, const uint8_t digest[DIGEST_BYTES])
{
    struct clean *slot = &recall->clean[slot_of(recall, digest)];
    memcpy(slot->digest, digest, DIGEST_BYTES);
    slot->is_used = true;
}
