/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Addresses of a host out of two answers that come in either order, or not at all. */
#include "lookup/host.h"

#include "base/context.h"

static void one_answered(void *context)
{
    struct host_question *host = CONTEXT(context, struct host_question, HOST_MAGIC);
    if (--host->pending == 0) host->done(host->context);
}

void host_begin(struct host_question *host, struct resolver *resolver, struct arena *arena, struct text name,
                void (*done)(void *context), void *context)
{
    *host = (struct host_question){ .magic = HOST_MAGIC, .pending = 2, .done = done, .context = context };
    resolver_ask(resolver, arena, name, RECORD_AAAA, &host->v6, one_answered, host);
    resolver_ask(resolver, arena, name, RECORD_A, &host->v4, one_answered, host);
}

enum dns_status host_status_worse(enum dns_status a, enum dns_status b)
{
    if (a == DNS_BOGUS || b == DNS_BOGUS) return DNS_BOGUS;
    if (a == DNS_TEMPERROR || b == DNS_TEMPERROR) return DNS_TEMPERROR;
    return DNS_NONE;
}

/* Secure is what was proven of every answer that came; one that did not come proves nothing either way. */
static bool is_secure(const struct host_question *host)
{
    bool has_v4 = host->v4.status == DNS_FOUND || host->v4.status == DNS_NONE;
    bool has_v6 = host->v6.status == DNS_FOUND || host->v6.status == DNS_NONE;
    return (has_v4 || has_v6) && (!has_v4 || host->v4.secure) && (!has_v6 || host->v6.secure);
}

void host_answer_make(const struct host_question *host, struct arena *arena, struct host_answer *out)
{
    uint32_t all = host->v4.count + host->v6.count;
    *out = (struct host_answer){ .secure = is_secure(host) };
    out->addresses =
        arena_alloc_array(arena, all < LOOKUP_ADDRESSES ? all : LOOKUP_ADDRESSES, sizeof *out->addresses);
    for (uint32_t i = 0; i < all; i++) {
        if (i < host->v6.count && out->address_count < LOOKUP_ADDRESSES)
            out->addresses[out->address_count++] = host->v6.records[i].address;
        if (i < host->v4.count && out->address_count < LOOKUP_ADDRESSES)
            out->addresses[out->address_count++] = host->v4.records[i].address;
    }
    out->status = all > 0 ? DNS_FOUND : host_status_worse(host->v4.status, host->v6.status);
}
