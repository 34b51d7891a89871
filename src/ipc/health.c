/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts of health as bytes, and the names of the checks. */
#include "ipc/health.h"

void health_know(struct health_facts *facts, enum health_fact fact, uint64_t value)
{
    facts->known |= 1u << fact;
    facts->values[fact] = value;
}

bool health_knows(const struct health_facts *facts, enum health_fact fact)
{
    return facts->known >> fact & 1;
}

void health_facts_add(struct health_facts *facts, const struct health_facts *more)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++)
        if (health_knows(more, fact)) health_know(facts, fact, facts->values[fact] + more->values[fact]);
}

void health_facts_put(const struct health_facts *facts, struct buffer *frame)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++) {
        if (!health_knows(facts, fact)) continue;
        put_u8(frame, (uint8_t)fact);
        put_u64(frame, facts->values[fact]);
    }
}

bool health_facts_get(struct text payload, struct health_facts *out)
{
    struct reader reader = reader_of(payload);
    *out = (struct health_facts){ 0 };
    while (reader.rest.length > 0 && !reader.failed) {
        uint8_t fact = get_u8(&reader);
        uint64_t value = get_u64(&reader);
        if (reader.failed || fact >= HEALTH_FACT_COUNT || health_knows(out, fact)) return false;
        health_know(out, fact, value);
    }
    return !reader.failed;
}

const char *health_check_name(enum health_check check)
{
    static const char *const names[HEALTH_CHECK_COUNT] = {
        [HEALTH_CHECK_NODE] = "node",         [HEALTH_CHECK_DRAIN] = "drain", [HEALTH_CHECK_QUEUE] = "queue",
        [HEALTH_CHECK_DISK] = "disk",         [HEALTH_CHECK_DNS] = "dns",     [HEALTH_CHECK_CLOCK] = "clock",
        [HEALTH_CHECK_UPSTREAM] = "upstream",
    };
    return (unsigned)check < HEALTH_CHECK_COUNT ? names[check] : "unknown";
}
