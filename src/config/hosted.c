/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Finds the cloud of a client, and cross-checks the statements: one that lets strangers send as us is an
   error. The check is called by crosscheck.c. */
#include "config/hosted.h"

#include "base/tls.h"
#include "config/domains.h"
#include "config/load_private.h"

const struct hosted *config_hosted(const struct config *config, const struct address *client)
{
    for (size_t i = 0; i < config->hosted_count; i++)
        if (network_list_has(&config->hosted[i].networks, client)) return &config->hosted[i];
    return NULL;
}

bool config_is_undecided(const struct config *config, const struct listener *listener,
                         const struct address *client)
{
    bool is_possible =
        listener->direction == DIRECTION_IN && listener->check && listener->relay != RELAY_THROUGH;
    return is_possible && config_hosted(config, client);
}

bool config_is_ours(const struct config *config, struct text domain)
{
    return domain.length > 0 && config_route_is_local(config_find_domain(config, domain));
}

bool config_is_foreign(const struct config *config, struct text recipient, struct text domain)
{
    return !config_is_ours(config, domain) && !text_equal_nocase(recipient, config->admin);
}

/* --- the check --- */

static bool overlaps(const struct network_list *a, const struct network_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (network_has(&a->items[i], &b->items[k].address) ||
                network_has(&b->items[k], &a->items[i].address))
                return true;
    return false;
}

static struct place place_of(const struct loader *loader, const char *words, size_t index)
{
    return loader_place(loader, SCHEMA_HOSTED, words, index);
}

static void proofs_check(struct loader *loader, const struct hosted *hosted, size_t index)
{
    bool has_certificate = hosted->certificates.count > 0, has_tenant = hosted->tenants.count > 0;
    if (hosted->networks.count == 0)
        loader_complain(loader, SEVERITY_ERROR, place_of(loader, "networks", index),
                        N_("hosted %.*s without networks: say which the cloud sends from"),
                        TEXT_ARG(hosted->name));
    if (has_certificate && !has_tenant)
        loader_complain(
            loader, SEVERITY_ERROR, place_of(loader, "certificate", index),
            N_("certificate without tenant would take mail of all customers of %.*s for ours; say "
               "tenant ID"),
            TEXT_ARG(hosted->name));
    if (has_tenant && !has_certificate)
        loader_complain(
            loader, SEVERITY_ERROR, place_of(loader, "tenant", index),
            N_("tenant without certificate proves nothing, since anybody may write the field; say "
               "certificate NAME"));
    if (!has_certificate && !has_tenant && !hosted->signatures)
        loader_complain(loader, SEVERITY_ERROR, place_of(loader, "signatures", index),
                        N_("nothing can prove that mail of %.*s is ours: say certificate and tenant, or "
                           "signatures on"),
                        TEXT_ARG(hosted->name));
}

/* Where the cloud is let in as inside, or believed, all of its customers are. */
static void neighbours_check(struct loader *loader, const struct hosted *hosted, size_t index)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->listener_count; i++)
        if (config->listeners[i].direction == DIRECTION_OUT &&
            overlaps(&hosted->networks, &config->listeners[i].from))
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_LISTENER, "from", i),
                            N_("direction out from networks of hosted %.*s would relay for all of its "
                               "customers; take them out of from, and let the cloud use direction in"),
                            TEXT_ARG(hosted->name));
    for (size_t i = 0; i < index; i++) {
        if (!overlaps(&hosted->networks, &config->hosted[i].networks)) continue;
        loader_complain(loader, SEVERITY_ERROR, place_of(loader, "networks", index),
                        N_("hosted %.*s and hosted %.*s have networks in common"),
                        TEXT_ARG(config->hosted[i].name), TEXT_ARG(hosted->name));
        return;
    }
    if (overlaps(&hosted->networks, &config->auth.forwarders))
        loader_complain(loader, SEVERITY_WARNING,
                        loader_place(loader, SCHEMA_GLOBAL, "auth trust networks", 0),
                        N_("auth trust networks has some of hosted %.*s: what any of its customers forges is "
                           "let pass"),
                        TEXT_ARG(hosted->name));
}

static bool is_offered(const struct listener *listener)
{
    return listener->direction == DIRECTION_IN && listener->certificate.path.length > 0 &&
           (listener->tls == TLS_OFFERED || listener->tls == TLS_REQUIRED);
}

static void certificate_check(struct loader *loader, const struct hosted *hosted, size_t index)
{
    char why[256] = "the file is empty";
    const struct content *file = content_find(loader, hosted->ca.path);
    bool is_shown = false;
    for (size_t i = 0; i < loader->config->listener_count; i++)
        is_shown = is_shown || is_offered(&loader->config->listeners[i]);
    if (hosted->certificates.count > 0 && !is_shown)
        loader_complain(
            loader, SEVERITY_WARNING, place_of(loader, "certificate", index),
            N_("hosted %.*s: no listener of direction in offers STARTTLS, so no client certificate "
               "is ever shown"),
            TEXT_ARG(hosted->name));
    if (loader->origin != CONTENT_DISK || !file || file->reason) return;
    struct tls_context *context =
        file->bytes.length ? tls_context_client(file->bytes, true, why, sizeof why) : NULL;
    if (!context)
        loader_complain(loader, SEVERITY_ERROR, place_of(loader, "authorities", index),
                        N_("authorities %.*s: %s"), TEXT_ARG(file->path), why);
    tls_context_free(context);
}

void hosted_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->hosted_count; i++) {
        if (loader->sources->items[SCHEMA_HOSTED][i].is_spoiled) continue;
        proofs_check(loader, &config->hosted[i], i);
        neighbours_check(loader, &config->hosted[i], i);
        certificate_check(loader, &config->hosted[i], i);
    }
    if (config->hosted_count > 0 && config->role == ROLE_EDGE)
        loader_complain(
            loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_GLOBAL, "role", 0),
            N_("role edge with hosted: an edge judges nothing; let the cloud send to a listener of "
               "a wall"));
}
