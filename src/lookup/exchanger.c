/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two steps: the MX RRset, then every host in it at once. An alias (CNAME) at an MX host is against RFC 2181
   section 10.3, yet common; it is followed like any other. */
#include "lookup/exchanger.h"

#include "base/context.h"

#include <stdlib.h>

static void host_answered(void *context)
{
    struct exchanger *exchanger = CONTEXT(context, struct exchanger, EXCHANGER_MAGIC);
    if (--exchanger->pending == 0) exchanger->done(exchanger->context);
}

static int host_order(const void *one, const void *other)
{
    const struct exchanger_host *a = one, *b = other;
    if (a->preference != b->preference) return a->preference < b->preference ? -1 : 1;
    return a->chance < b->chance ? -1 : a->chance > b->chance;
}

static void host_add(struct exchanger *exchanger, uint16_t preference, struct text name)
{
    exchanger->hosts[exchanger->host_count++] =
        (struct exchanger_host){ .preference = preference, .chance = (uint32_t)mrand48(), .name = name };
}

/* The same host twice keeps its better preference: the list is sorted. */
static void hosts_unique(struct exchanger *exchanger)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < exchanger->host_count && kept < LOOKUP_MX_HOSTS; i++) {
        bool is_known = false;
        for (uint32_t k = 0; k < kept && !is_known; k++)
            is_known = text_equal(exchanger->hosts[k].name, exchanger->hosts[i].name);
        if (!is_known) exchanger->hosts[kept++] = exchanger->hosts[i];
    }
    exchanger->host_count = kept;
}

/* RFC 7505: a single MX that names the root says that no mail is taken; among others it says nothing. */
static void hosts_choose(struct exchanger *exchanger)
{
    const struct dns_answer *mx = &exchanger->mx;
    exchanger->is_null = mx->count == 1 && mx->records[0].name.length == 0;
    exchanger->is_implicit = mx->status == DNS_NONE && !mx->is_nxdomain;
    exchanger->hosts = arena_alloc_array(exchanger->arena, mx->count + 1, sizeof *exchanger->hosts);
    for (uint32_t i = 0; i < mx->count; i++)
        if (mx->records[i].name.length > 0)
            host_add(exchanger, mx->records[i].preference, mx->records[i].name);
    if (exchanger->is_implicit) host_add(exchanger, 0, exchanger->domain);
    qsort(exchanger->hosts, exchanger->host_count, sizeof *exchanger->hosts, host_order);
    hosts_unique(exchanger);
}

static void mx_answered(void *context)
{
    struct exchanger *exchanger = CONTEXT(context, struct exchanger, EXCHANGER_MAGIC);
    exchanger->is_mx_known = true;
    hosts_choose(exchanger);
    exchanger->pending += exchanger->host_count;
    for (uint32_t i = 0; i < exchanger->host_count; i++)
        host_begin(&exchanger->hosts[i].host, exchanger->resolver, exchanger->arena, exchanger->hosts[i].name,
                   host_answered, exchanger);
    host_answered(exchanger);
}

void exchanger_begin(struct exchanger *exchanger, struct resolver *resolver, struct arena *arena,
                     struct text domain, void (*done)(void *context), void *context)
{
    *exchanger = (struct exchanger){ .magic = EXCHANGER_MAGIC,
                                     .resolver = resolver,
                                     .arena = arena,
                                     .domain = domain,
                                     .pending = 1,
                                     .done = done,
                                     .context = context };
    resolver_ask(resolver, arena, domain, RECORD_MX, &exchanger->mx, mx_answered, exchanger);
}

static void hosts_make(const struct exchanger *exchanger, struct arena *arena, struct mx_answer *out)
{
    enum dns_status worst = DNS_NONE;
    bool has_address = false;
    out->host_count = exchanger->host_count;
    out->hosts = arena_alloc_array(arena, out->host_count, sizeof *out->hosts);
    for (uint32_t i = 0; i < out->host_count; i++) {
        struct mx_host *host = &out->hosts[i];
        host->preference = exchanger->hosts[i].preference;
        host->host = exchanger->hosts[i].name;
        host_answer_make(&exchanger->hosts[i].host, arena, &host->addresses);
        has_address = has_address || host->addresses.status == DNS_FOUND;
        if (host->addresses.status != DNS_FOUND) worst = host_status_worse(worst, host->addresses.status);
    }
    out->status = has_address ? DNS_FOUND : worst;
}

void exchanger_answer_make(const struct exchanger *exchanger, struct arena *arena, struct mx_answer *out)
{
    *out = (struct mx_answer){ .status = exchanger->mx.status, .secure = exchanger->mx.secure };
    if (!exchanger->is_mx_known) return;
    out->is_null = exchanger->is_null;
    if (exchanger->host_count > 0) hosts_make(exchanger, arena, out);
    out->is_implicit = exchanger->is_implicit && out->status == DNS_FOUND;
    /* A domain without MX and without addresses has no hosts to name. */
    if (exchanger->is_implicit && out->status == DNS_NONE) out->host_count = 0;
}
