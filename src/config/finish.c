/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The defaults before the first statement, and what follows from others after the last one. */
#include <unistd.h>

#include "base/die.h"
#include "config/domains.h"
#include "config/entry_image.h"
#include "config/lexer.h"
#include "config/load_private.h"
#include "config/spam_lines.h"
#include "config/value.h"

static void default_store(struct loader *loader, const struct schema_row *row, void *base)
{
    struct lexer lexer;
    lexer_start(&lexer, text_of(row->fallback), loader->arena);
    struct token word = lexer_next(&lexer);
    const char *why = value_parse(row, base, &word, TEXT_NONE, loader->arena);
    if (why) bug("the default \"%s\" of %s %s", row->fallback, row->words, why);
}

void defaults_store(struct loader *loader)
{
    void *const bases[SCHEMA_SCOPES] = {
        [SCHEMA_GLOBAL] = loader->config,
        [SCHEMA_LISTENER] = &loader->listener_fallback,
        [SCHEMA_HOSTED] = &loader->hosted_fallback,
        [SCHEMA_ENGINE] = &loader->engine_fallback,
        [SCHEMA_OPINION] = &loader->opinion_fallback,
        [SCHEMA_LIST] = &loader->list_fallback,
        [SCHEMA_DOMAIN] = &loader->domain_fallback,
        [SCHEMA_WISH] = &loader->wish_fallback,
    };
    for (size_t i = 0; i < schema_row_count; i++)
        if (schema_rows[i].fallback) default_store(loader, &schema_rows[i], bases[schema_rows[i].scope]);
}

static void hostname_finish(struct loader *loader)
{
    struct config *config = loader->config;
    char room[256] = "";
    if (config->hostname.length > 0) return;
    if (gethostname(room, sizeof room - 1) != 0 || !value_is_host_name(text_of(room)))
        memcpy(room, "localhost", sizeof "localhost");
    config->hostname = arena_text(loader->arena, text_of(room));
    if (loader->sources->is_spoiled) return;
    loader_complain(loader, SEVERITY_WARNING, (struct place){ 0 },
                    "hostname is not said; the machine's own name \"%s\" is used", room);
}

/* What a role says of a listener. */
static const struct {
    bool judges, relays_through[DIRECTION_OUT + 1];
} role_ways[] = {
    [ROLE_SINGLE] = { .judges = true },
    [ROLE_EDGE] = { .relays_through = { [DIRECTION_IN] = true } },
    [ROLE_WALL] = { .judges = true },
};

static void role_finish(const struct config *config, struct listener *listener)
{
    if (!role_ways[config->role].judges) listener->check = false;
    if (listener->relay == RELAY_BY_ROLE)
        listener->relay =
            role_ways[config->role].relays_through[listener->direction] ? RELAY_THROUGH : RELAY_JOURNAL;
}

/* What leads out into the world is for those who are named; on loopback, where nobody need be, that is the
   machine itself, whatever a router sends there. */
static void from_finish(struct loader *loader, struct listener *listener)
{
    static const struct text loopback[] = { TEXT("127.0.0.0/8"), TEXT("::1") };
    enum { NETWORKS = sizeof loopback / sizeof *loopback };
    if (listener->direction != DIRECTION_OUT || listener->from.count > 0 ||
        !address_is_loopback(&listener->endpoint.address))
        return;
    listener->from.items = arena_alloc_array(loader->arena, NETWORKS, sizeof *listener->from.items);
    for (; listener->from.count < NETWORKS; listener->from.count++)
        if (!network_parse(loopback[listener->from.count], &listener->from.items[listener->from.count]))
            bug("loopback is no network");
}

/* A key that is not said is in the certificate's file; a certificate that is there is offered; nodes are met
   with the node's own certificate unless another is said. */
static void listeners_finish(struct loader *loader)
{
    struct config *config = loader->config;
    for (size_t i = 0; i < config->listener_count; i++) {
        struct listener *listener = &config->listeners[i];
        role_finish(config, listener);
        from_finish(loader, listener);
        bool is_said = source_find(loader->sources, schema_row_of(SCHEMA_LISTENER, "tls"), i).line > 0;
        if (listener->tls == TLS_NODE && listener->certificate.path.length == 0 &&
            listener->key.path.length == 0) {
            listener->certificate.path = loader->config->node.certificate.path;
            listener->key.path = loader->config->node.key.path;
        }
        if (listener->certificate.path.length == 0) continue;
        if (listener->key.path.length == 0) listener->key.path = listener->certificate.path;
        if (!is_said) listener->tls = TLS_OFFERED;
    }
}

/* Mail for everybody else goes by MX where "*" is not written. */
static void world_add(struct loader *loader)
{
    struct domain world = loader->domain_fallback;
    for (size_t i = 0; i < loader->domain_count; i++)
        if (text_equal(loader->domains[i].name, TEXT("*"))) return;
    world.name = TEXT("*");
    world.target_count = 1;
    world.targets = arena_alloc(loader->arena, sizeof *world.targets);
    world.targets->use_mx = true;
    loader->domains = memory_grow(loader->domains, (loader->domain_count + 1) * sizeof *loader->domains);
    loader->domains[loader->domain_count++] = world;
}

static void domains_finish(struct loader *loader)
{
    struct config *config = loader->config;
    world_add(loader);
    config->domain_count = loader->domain_count;
    config->domains = arena_alloc_array(loader->arena, loader->domain_count, sizeof *config->domains);
    memcpy(config->domains, loader->domains, loader->domain_count * sizeof *config->domains);
    for (size_t i = 0; i < config->domain_count; i++) {
        struct domain *domain = &config->domains[i];
        for (size_t j = 0; j < domain->target_count; j++)
            if (domain->targets[j].endpoint.port == 0)
                domain->targets[j].endpoint.port = config->deliver.port;
        if (domain->recipients_table.path.length > 0) domain->recipients = RECIPIENTS_TABLE;
    }
}

static void metrics_finish(struct loader *loader)
{
    struct config *config = loader->config;
    const struct schema_row *row = schema_row_of(SCHEMA_GLOBAL, "metrics socket");
    if (source_find(loader->sources, row, 0).line > 0) return;
    config->metrics.socket = arena_printf(loader->arena, "%.*s/run/metrics", TEXT_ARG(config->state));
}

/* What we fetch lies below the state folder. */
static void signatures_finish(struct loader *loader)
{
    struct config *config = loader->config;
    struct text below = arena_printf(loader->arena, "%.*s/signatures", TEXT_ARG(config->state));
    config->virus.fetched = config->virus.database;
    if (config->virus.updates_self)
        config->virus.fetched = arena_printf(loader->arena, "%.*s/clamav", TEXT_ARG(below));
    config->virus.also = config->virus.also_folder;
    if (config->virus.also_command.count)
        config->virus.also = arena_printf(loader->arena, "%.*s/also", TEXT_ARG(below));
}

/* At a domain of ours: that is where mail for <postmaster> can be delivered. */
static void admin_finish(struct loader *loader)
{
    struct config *config = loader->config;
    struct text domain = config->hostname;
    if (config->admin.length > 0) return;
    for (size_t i = config->domain_count; i > 0; i--) {
        struct text name = config->domains[i - 1].name;
        if (name.length > 0 && name.at[0] != '*' && name.at[0] != '.') domain = name;
    }
    config->admin = arena_printf(loader->arena, "postmaster@%.*s", TEXT_ARG(domain));
}

static size_t entries_take(struct config *config, enum entry_verb verb, const struct text_list *list,
                           struct sender_entry *out, size_t count)
{
    const char *why;
    for (size_t i = 0; i < list->count; i++) {
        if (!sender_entry_read(config->arena, verb, list->items[i], &out[count], &why)) continue;
        out[count].is_configured = true;
        out[count].number = (uint32_t)count + 1;
        count++;
    }
    return count;
}

/* Numbered through: those of allow, then those of block. */
static void entries_finish(struct loader *loader)
{
    struct config *config = loader->config;
    struct buffer image = { 0 };
    size_t count = config->allowed.count + config->blocked.count;
    if (count == 0) return;
    struct sender_entry *all = arena_alloc_array(config->arena, count, sizeof *all);
    count = entries_take(config, ENTRY_ALLOW, &config->allowed, all, 0);
    count = entries_take(config, ENTRY_BLOCK, &config->blocked, all, count);
    if (!entry_image_write(all, count, &image))
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_GLOBAL, "block senders", 0),
                        N_("allow senders and block senders have more entries than the %d that fit"),
                        ENTRIES_MOST);
    config->entry_image = arena_text(config->arena, buffer_text(&image));
    buffer_free(&image);
}

void finish_config(struct loader *loader)
{
    struct config *config = loader->config;
    hostname_finish(loader);
    listeners_finish(loader);
    domains_finish(loader);
    admin_finish(loader);
    metrics_finish(loader);
    signatures_finish(loader);
    domains_index_build(config);
    wishes_index_build(config);
    entries_finish(loader);
}
