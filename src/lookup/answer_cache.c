/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table by hand: one place for each hash, and whoever comes last has it. So nothing has to be counted, and
   nothing goes through it to make room. */
#include "lookup/answer_cache.h"

#include <stdlib.h>

#include "base/hash.h"

enum { PLACE_FIRST_BYTES = 512 };

struct kept_answer {
    struct arena *arena; /* of name and answer; NULL: never used */
    struct text name;
    enum dns_record_type type;
    uint64_t until_ms; /* 0: it is empty */
    struct dns_answer answer;
};

struct answer_cache {
    struct kept_answer places[ANSWER_CACHE_PLACES];
};

struct answer_cache *answer_cache_new(void)
{
    return memory_alloc(sizeof(struct answer_cache));
}

void answer_cache_free(struct answer_cache *cache)
{
    if (!cache) return;
    for (size_t i = 0; i < ANSWER_CACHE_PLACES; i++) arena_free(cache->places[i].arena);
    free(cache);
}

void answer_cache_forget(struct answer_cache *cache)
{
    for (size_t i = 0; i < ANSWER_CACHE_PLACES; i++) cache->places[i].until_ms = 0;
}

static size_t place_of(struct text name, enum dns_record_type type)
{
    return (size_t)(hash_text(name) + type) % ANSWER_CACHE_PLACES;
}

static size_t size_of(struct text name, const struct dns_answer *answer)
{
    size_t size = name.length;
    for (uint32_t i = 0; i < answer->count; i++)
        size += sizeof *answer->records + answer->records[i].name.length + answer->records[i].text.length;
    return size;
}

static void answer_copy(struct arena *arena, const struct dns_answer *answer, struct dns_answer *out)
{
    *out = *answer;
    out->records = arena_alloc_array(arena, answer->count, sizeof *out->records);
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];
        out->records[i] = *record;
        out->records[i].name = arena_text(arena, record->name);
        out->records[i].text = arena_text(arena, record->text);
    }
}

static uint64_t kept_ms(const struct dns_answer *answer)
{
    uint64_t ttl_ms = (uint64_t)answer->ttl_s * 1000;
    return ttl_ms < ANSWER_CACHE_MOST_MS ? ttl_ms : ANSWER_CACHE_MOST_MS;
}

void answer_cache_put(struct answer_cache *cache, struct text name, enum dns_record_type type,
                      uint64_t now_ms, const struct dns_answer *answer)
{
    bool is_kept = (answer->status == DNS_FOUND || answer->status == DNS_NONE) && answer->ttl_s > 0 &&
                   size_of(name, answer) <= ANSWER_CACHE_BYTES;
    if (!is_kept) return;
    struct kept_answer *kept = &cache->places[place_of(name, type)];
    if (!kept->arena) kept->arena = arena_new(PLACE_FIRST_BYTES);
    arena_reset(kept->arena);
    kept->name = arena_text(kept->arena, name);
    kept->type = type;
    kept->until_ms = now_ms + kept_ms(answer);
    answer_copy(kept->arena, answer, &kept->answer);
}

bool answer_cache_get(const struct answer_cache *cache, struct text name, enum dns_record_type type,
                      uint64_t now_ms, struct arena *arena, struct dns_answer *out)
{
    const struct kept_answer *kept = &cache->places[place_of(name, type)];
    if (now_ms >= kept->until_ms || kept->type != type || !text_equal(kept->name, name)) return false;
    answer_copy(arena, &kept->answer, out);
    out->was_cached = true;
    return true;
}
