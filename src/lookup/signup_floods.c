/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A hash table by hand: of fixed size, in sets, so that a stranger's recipient costs no memory. */
#include "lookup/signup_floods.h"

#include <stdlib.h>

#include "base/hash.h"
#include "ipc/hourly_table.h"
#include "mail/envelope.h"

enum { SETS = 512, WAYS = 8, DOMAINS_MOST = 24 };

struct signup_domain {
    uint64_t hash; /* 0: free */
    uint64_t last_ms;
};

struct signup_recipient {
    uint64_t hash; /* 0: free */
    uint64_t last_ms, told_ms;
    struct signup_domain domains[DOMAINS_MOST];
};

struct signup_floods {
    struct signup_recipient recipients[SETS][WAYS];
};

struct signup_floods *signup_floods_new(void)
{
    return memory_alloc(sizeof(struct signup_floods));
}

void signup_floods_free(struct signup_floods *floods)
{
    free(floods);
}

/* His place, or that of the one in his set who was written to longest ago. */
static struct signup_recipient *recipient_find(struct signup_floods *floods, struct text address)
{
    uint64_t hash = hash_text_nocase(address) | 1;
    struct signup_recipient *set = floods->recipients[(hash >> 20) % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) return &set[i];
        if (set[i].last_ms < oldest->last_ms) oldest = &set[i];
    }
    *oldest = (struct signup_recipient){ .hash = hash };
    return oldest;
}

static bool is_of_hour(const struct signup_domain *domain, uint64_t now_ms)
{
    return domain->hash && now_ms < domain->last_ms + HOURLY_MS;
}

static void domain_add(struct signup_recipient *recipient, struct text name, uint64_t now_ms)
{
    uint64_t hash = hash_text_nocase(name) | 1;
    struct signup_domain *place = &recipient->domains[0];
    for (size_t i = 0; i < DOMAINS_MOST && place->hash != hash; i++) {
        struct signup_domain *one = &recipient->domains[i];
        if (one->hash == hash || one->last_ms < place->last_ms) place = one;
    }
    *place = (struct signup_domain){ hash, now_ms };
    recipient->last_ms = now_ms;
}

static uint32_t domains_count(const struct signup_recipient *recipient, uint64_t now_ms)
{
    uint32_t count = 0;
    for (size_t i = 0; i < DOMAINS_MOST; i++) count += is_of_hour(&recipient->domains[i], now_ms);
    return count;
}

static bool is_told(struct signup_recipient *recipient, uint64_t now_ms)
{
    bool was_told = recipient->told_ms && now_ms < recipient->told_ms + HOURLY_MS;
    if (!was_told) recipient->told_ms = now_ms;
    return was_told;
}

void signup_floods_message(struct signup_floods *floods, const struct config *config,
                           const struct rate_subject *subject, uint64_t now_ms, struct rate_answer *out)
{
    struct text domain = envelope_domain_of(subject->sender);
    *out = (struct rate_answer){ .cause = RATE_FINE };
    if (config->signups.mode == MODE_OFF || domain.length == 0) return;
    for (uint32_t i = 0; i < subject->recipient_count; i++) {
        if (subject->recipients[i].length == 0) continue;
        struct signup_recipient *recipient = recipient_find(floods, subject->recipients[i]);
        domain_add(recipient, domain, now_ms);
        uint32_t count = domains_count(recipient, now_ms);
        if (count < config->signups.domains) continue;
        out->cause = RATE_SIGNUPS;
        out->recipients |= UINT64_C(1) << i;
        if (count > out->count) out->count = count;
        if (!is_told(recipient, now_ms)) out->is_first = true;
    }
}
