/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question at a time. A period that ends without an answer from any server is a miss. */
#include "lookup/dns_probe.h"

#include "base/context.h"

#include <stdio.h>
#include <stdlib.h>

enum { PERIOD_MS = 3000, NAME_SIZE = 300 };

struct dns_probe {
    enum { DNS_PROBE_MAGIC = 0x4dadbc66 } magic;
    struct resolver *resolver;
    const struct config *config;
    struct timer *timer;
    struct arena *arena; /* of the question under way */
    struct dns_answer answer;
    bool is_asking, is_needed;
    bool has_begun;    /* a period has */
    uint64_t answered; /* by servers, when the period began */
    uint64_t misses;
    size_t turn; /* which name is next */
};

static bool is_needed(const struct config *config)
{
    if (config->dns.client_names) return true;
    for (size_t i = 0; i < config->domain_count; i++)
        for (size_t j = 0; j < config->domains[i].target_count; j++)
            if (!config->domains[i].targets[j].is_address) return true;
    return false;
}

static void asked(void *context)
{
    struct dns_probe *probe = CONTEXT(context, struct dns_probe, DNS_PROBE_MAGIC);
    probe->is_asking = false;
    arena_reset(probe->arena);
}

/* A label by chance before the name: that it does not exist is an answer too. */
static void ask(struct dns_probe *probe)
{
    char name[NAME_SIZE];
    const struct text_list *names = &probe->config->health.dns;
    struct text parent = names->count ? names->items[probe->turn++ % names->count] : probe->config->hostname;
    snprintf(name, sizeof name, "probe-%08lx.%.*s", lrand48(), TEXT_ARG(text_slice(parent, 0, 230)));
    probe->is_asking = true;
    resolver_ask(probe->resolver, probe->arena, text_of(name), RECORD_A, &probe->answer, asked, probe);
}

static void period_ended(void *context)
{
    struct dns_probe *probe = CONTEXT(context, struct dns_probe, DNS_PROBE_MAGIC);
    uint64_t answered = resolver_counts(probe->resolver)->answered;
    bool is_shown = answered != probe->answered; /* that the DNS answers */
    if (is_shown)
        probe->misses = 0;
    else if (probe->has_begun)
        probe->misses++;
    if (!is_shown && !probe->is_asking) ask(probe);
    probe->answered = answered;
    probe->has_begun = true;
    timer_set(probe->timer, PERIOD_MS);
}

void dns_probe_configure(struct dns_probe *probe, const struct config *config)
{
    probe->config = config;
    probe->is_needed = is_needed(config);
    probe->misses = 0;
    probe->has_begun = false;
    if (probe->is_needed)
        timer_set(probe->timer, 0);
    else
        timer_clear(probe->timer);
}

struct dns_probe *dns_probe_new(struct loop *loop, struct resolver *resolver, const struct config *config)
{
    struct dns_probe *probe = memory_alloc(sizeof *probe);
    probe->magic = DNS_PROBE_MAGIC;
    probe->resolver = resolver;
    probe->arena = arena_new(512);
    probe->timer = timer_new(loop, period_ended, probe);
    dns_probe_configure(probe, config);
    return probe;
}

void dns_probe_tell(const struct dns_probe *probe, struct health_facts *out)
{
    if (probe->is_needed) health_know(out, HEALTH_DNS_MISSES, probe->misses);
}
