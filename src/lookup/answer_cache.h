/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the DNS said a moment ago. libunbound's cache knows as much, but takes several microseconds to say it
   once more, and each message of a busy sender asks the same ten things. */
#ifndef SEKIMORI_LOOKUP_ANSWER_CACHE_H
#define SEKIMORI_LOOKUP_ANSWER_CACHE_H

#include "dns/dns_record.h"

/* So short that libunbound still sees who is asked for often, and asks anew before the TTL ends. Strangers
   choose names and answers: so many places, each of so many bytes; who comes later takes the place. */
enum { ANSWER_CACHE_MOST_MS = 10000, ANSWER_CACHE_PLACES = 1024, ANSWER_CACHE_BYTES = 2048 };

struct answer_cache;

struct answer_cache *answer_cache_new(void);          /* Never NULL. */
void answer_cache_free(struct answer_cache *cache);   /* NULL is allowed */
void answer_cache_forget(struct answer_cache *cache); /* all of it */

/* Keeps a copy for the answer's TTL, at most ANSWER_CACHE_MOST_MS. One that is no DNS_FOUND or DNS_NONE, or
   is larger than a place, is not kept. `name` as resolver_ask has it. */
void answer_cache_put(struct answer_cache *cache, struct text name, enum dns_record_type type,
                      uint64_t now_ms, const struct dns_answer *answer);

/* False: it is not known. Else *out is a copy that lives in the arena, and was_cached. */
bool answer_cache_get(const struct answer_cache *cache, struct text name, enum dns_record_type type,
                      uint64_t now_ms, struct arena *arena, struct dns_answer *out);

#endif
