/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The cross-check of the keys that sign mail: what is in their files, where they may stand, and that a
   published name is of one key. Called by crosscheck.c. */
#include "base/signing_key.h"
#include "config/domains.h"
#include "config/load_private.h"

static void open_check(struct loader *loader, struct content *content, struct place place)
{
    if (!content->is_open_to_all || content->was_complained) return;
    content->was_complained = true;
    loader_complain(loader, SEVERITY_WARNING, place, "everybody on this machine may read the key %.*s",
                    TEXT_ARG(content->path));
}

static void file_check(struct loader *loader, const struct signing_key *key, bool is_ed25519,
                       struct place place)
{
    struct content *content = content_find(loader, key->file.path);
    if (loader->origin != CONTENT_DISK || !content || content->reason) return;
    const char *why = signing_key_trouble(key->file.content, is_ed25519);
    if (why)
        loader_complain(loader, SEVERITY_ERROR, place, "the key %.*s: %s", TEXT_ARG(key->file.path), why);
    open_check(loader, content, place);
}

/* One name in the DNS has one record. */
static void selector_check(struct loader *loader, const struct domain *domain, struct text selector,
                           struct place place)
{
    const struct signing_key_list *const lists[] = { &domain->dkim_rsa, &domain->dkim_ed25519 };
    int times = 0;
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < lists[kind]->count; i++)
            times += text_equal_nocase(lists[kind]->items[i].selector, selector);
    if (times > 1)
        loader_complain(loader, SEVERITY_ERROR, place,
                        "the selector %.*s stands for two keys of %.*s: each key has its own",
                        TEXT_ARG(selector), TEXT_ARG(domain->name));
}

static void list_check(struct loader *loader, const struct domain *domain, size_t index, bool is_ed25519)
{
    const struct signing_key_list *keys = is_ed25519 ? &domain->dkim_ed25519 : &domain->dkim_rsa;
    struct place place = loader_place(loader, SCHEMA_DOMAIN, is_ed25519 ? "dkim ed25519" : "dkim rsa", index);
    if (keys->count > 0 && !config_route_is_local(domain))
        loader_complain(loader, SEVERITY_ERROR, place, "dkim: * is nobody's domain, so nobody signs for it");
    for (size_t i = 0; i < keys->count; i++) {
        file_check(loader, &keys->items[i], is_ed25519, place);
        selector_check(loader, domain, keys->items[i].selector, place);
    }
}

static void pair_check(struct loader *loader, const struct domain *domain, size_t index)
{
    if (domain->dkim_ed25519.count > 0 && domain->dkim_rsa.count == 0)
        loader_complain(loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_DOMAIN, "dkim ed25519", index),
                        "dkim ed25519 without dkim rsa: servers that know RSA alone, as most do, see no "
                        "signature of %.*s",
                        TEXT_ARG(domain->name));
}

static void seal_check(struct loader *loader)
{
    const struct config *config = loader->config;
    struct place place = loader_place(loader, SCHEMA_GLOBAL, "auth seal", 0);
    if (config->auth.seal.length > 0 && !config_sealing_domain(config))
        loader_complain(loader, SEVERITY_ERROR, place,
                        "auth seal %.*s: `domains` has no such domain with a key of `dkim rsa`",
                        TEXT_ARG(config->auth.seal));
    if (config->auth.seal.length > 0 && !config_authenticates(config))
        loader_complain(loader, SEVERITY_WARNING, place,
                        "auth seal with auth mode off: nothing is found that could be sealed");
}

void mail_keys_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct domain *domain = &config->domains[i];
        list_check(loader, domain, i, false);
        list_check(loader, domain, i, true);
        pair_check(loader, domain, i);
    }
    if (!loader->sources->is_spoiled) seal_check(loader);
    if (config_signs(config) && config->role == ROLE_EDGE)
        loader_complain(loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_GLOBAL, "role", 0),
                        "role edge with dkim keys: an edge signs nothing, its walls do");
}
