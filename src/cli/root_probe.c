/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/root_probe.h"

#include "base/context.h"
#include "base/log.h"
#include "config/list_setting.h"
#include "config/source.h"

/* Two steps from the root, and there as long as the DNS is. */
#define ASKED TEXT("a.root-servers.net")

struct probe {
    enum { PROBE_MAGIC = 0x4d90e3a7 } magic;
    struct loop *loop;
    struct dns_answer answer;
    bool is_over;
};

static void answered(void *context)
{
    struct probe *probe = CONTEXT(context, struct probe, PROBE_MAGIC);
    probe->is_over = true;
    loop_stop(probe->loop);
}

bool root_probe(struct loop *loop, const struct resolver *first, const struct config *config,
                const char *root)
{
    struct probe probe = { .magic = PROBE_MAGIC, .loop = loop };
    struct text server = text_of(root);
    const struct text_list servers = { &server, root != NULL };
    struct resolver *resolver = resolver_new_for_list(first);
    struct arena *arena = arena_new(0);
    struct timer *timer = timer_new(loop, answered, &probe);
    timer_set(timer, ROOT_PROBE_MS);
    if (resolver_configure_list(resolver, config, &servers)) {
        resolver_ask(resolver, arena, ASKED, RECORD_A, &probe.answer, answered, &probe);
        while (!probe.is_over) loop_run(loop);
    }
    bool is_found = probe.is_over && probe.answer.status == DNS_FOUND;
    timer_free(timer);
    resolver_free(resolver);
    arena_free(arena);
    return is_found;
}

static bool is_asked_so(const struct list_setting *list)
{
    return list_setting_form(list) == LIST_FORM_ZONE && list->servers.count == 0;
}

static bool is_reached(const struct config *config)
{
    struct config unsigned_too = *config; /* who looks has perhaps no trust anchor yet */
    struct loop *loop = loop_new();
    struct resolver *first = resolver_new(loop);
    unsigned_too.dns.dnssec = false;
    enum log_level before = log_level_now();
    log_set_level(LOG_LEVEL_ERROR);
    bool is_reached = root_probe(loop, first, &unsigned_too, NULL);
    log_set_level(before);
    resolver_free(first);
    return is_reached;
}

void root_probe_check(const struct config *config, struct problem_list *problems)
{
    bool is_known = false;
    for (size_t i = 0; i < config->list_count; i++) {
        if (!is_asked_so(&config->lists[i])) continue;
        if (!is_known && is_reached(config)) return;
        is_known = true;
        source_complain(
            config->sources, config->sources->items[SCHEMA_LIST][i].self, problems, SEVERITY_WARNING,
            N_("list %.*s: the root servers of the DNS do not answer this machine, so it cannot be asked; "
               "open port 53, UDP and TCP, to the world, or name its servers"),
            TEXT_ARG(config->lists[i].name));
    }
}
