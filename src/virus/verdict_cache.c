/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two direct-mapped tables: a newer entry takes the place of an older one in the same slot.
   By hand, since all is allocated at the start, and without chains nothing has to be swept. */
#include "virus/verdict_cache.h"

#include <stdlib.h>

struct infected {
    uint8_t digest[DIGEST_BYTES];
    char name[ENGINE_NAME_SIZE]; /* empty: the slot is free */
};

struct clean {
    uint8_t digest[DIGEST_BYTES];
    bool is_used;
};

struct verdict_cache {
    size_t most;
    uint64_t infected_ms;
    struct infected *infected;
    struct clean *clean;
    struct infected *news; /* added last, and not told yet; NULL: none */
};

struct verdict_cache *verdict_cache_new(size_t most)
{
    struct verdict_cache *cache = memory_alloc(sizeof *cache);
    cache->most = most ? most : 1;
    cache->infected = memory_alloc(cache->most * sizeof *cache->infected);
    cache->clean = memory_alloc(cache->most * sizeof *cache->clean);
    return cache;
}

void verdict_cache_free(struct verdict_cache *cache)
{
    if (!cache) return;
    free(cache->infected);
    free(cache->clean);
    free(cache);
}

static size_t slot_of(const struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    uint64_t number;
    memcpy(&number, digest, sizeof number);
    return (size_t)(number % cache->most);
}

const char *verdict_cache_infected(const struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    const struct infected *slot = &cache->infected[slot_of(cache, digest)];
    bool is_it = slot->name[0] && memcmp(slot->digest, digest, DIGEST_BYTES) == 0;
    return is_it ? slot->name : NULL;
}

void verdict_cache_add_infected(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES],
                                const char *name)
{
    verdict_cache_take(cache, digest, name);
    cache->news = &cache->infected[slot_of(cache, digest)];
}

bool verdict_cache_news(struct verdict_cache *cache, uint8_t out_digest[DIGEST_BYTES], const char **out_name)
{
    const struct infected *news = cache->news;
    if (!news) return false;
    memcpy(out_digest, news->digest, DIGEST_BYTES);
    *out_name = news->name;
    cache->news = NULL;
    return true;
}

void verdict_cache_take(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES], const char *name)
{
    struct infected *slot = &cache->infected[slot_of(cache, digest)];
    memcpy(slot->digest, digest, DIGEST_BYTES);
    size_t length = strnlen(name, sizeof slot->name - 1);
    memcpy(slot->name, name, length);
    slot->name[length] = '\0';
}

void verdict_cache_touch(struct verdict_cache *cache, uint64_t now_ms)
{
    cache->infected_ms = now_ms;
}

uint64_t verdict_cache_infected_ms(const struct verdict_cache *cache)
{
    return cache->infected_ms;
}

bool verdict_cache_is_clean(const struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    const struct clean *slot = &cache->clean[slot_of(cache, digest)];
    return slot->is_used && memcmp(slot->digest, digest, DIGEST_BYTES) == 0;
}

void verdict_cache_add_clean(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    struct clean *slot = &cache->clean[slot_of(cache, digest)];
    memcpy(slot->digest, digest, DIGEST_BYTES);
    slot->is_used = true;
}
