/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a worker remembers of earlier scans: parts that were found infected, and whole messages that were
   clean. One worker's memory serves one set of limits and signatures and ends with it. Bytes are known by
   SHA-256. */
#ifndef SEKIMORI_VIRUS_VERDICT_CACHE_H
#define SEKIMORI_VIRUS_VERDICT_CACHE_H

#include "mail/digest.h"
#include "virus/engine.h"

struct verdict_cache;

/* Keeps the last `most` of each kind, about. */
struct verdict_cache *verdict_cache_new(size_t most);
void verdict_cache_free(struct verdict_cache *cache);

/* The virus that these bytes had; NULL when not known. */
const char *verdict_cache_infected(const struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES]);
void verdict_cache_add_infected(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES],
                                const char *name);

/* The part that was added last, once; for other workers, which then need not scan it. False: there is none,
   or it was told before. `out_name` is borrowed until the next call. */
bool verdict_cache_news(struct verdict_cache *cache, uint8_t out_digest[DIGEST_BYTES], const char **out_name);
/* What another worker found: no news of ours. */
void verdict_cache_take(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES], const char *name);
/* When something infected was last met, by the caller's clock; 0: never. */
void verdict_cache_touch(struct verdict_cache *cache, uint64_t now_ms);
uint64_t verdict_cache_infected_ms(const struct verdict_cache *cache);

/* Of a whole message. Another one may have taken its place: then it is scanned again. */
bool verdict_cache_is_clean(const struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES]);
void verdict_cache_add_clean(struct verdict_cache *cache, const uint8_t digest[DIGEST_BYTES]);

#endif
