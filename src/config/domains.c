/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Domains by name. */
#include "config/domains.h"

#include "config/name_index.h"

static bool has_signing_key(const struct domain *domain)
{
    return domain->dkim_rsa.count > 0 || domain->dkim_ed25519.count > 0;
}

void domains_index_build(struct config *config)
{
    config->domain_index = name_index_build(config->arena, config->domains, config->domain_count,
                                            sizeof *config->domains, offsetof(struct domain, name));
    for (size_t i = 0; i < config->domain_count; i++)
        config->signs = config->signs || has_signing_key(&config->domains[i]);
}

static const struct domain *exact_find(const struct config *config, struct text name)
{
    return name_index_find(config->domain_index, name);
}

const struct domain *config_find_domain(const struct config *config, struct text domain)
{
    enum { LABELS_MOST = 128 };
    if (domain.length > 0 && domain.at[domain.length - 1] == '.') domain.length--;
    const struct domain *found = exact_find(config, domain);
    for (int labels = 0; !found && labels < LABELS_MOST; labels++) {
        size_t dot = text_find_char(text_slice(domain, 1, domain.length), '.') + 1;
        if (dot >= domain.length) break;
        domain = text_slice(domain, dot, domain.length);
        found = exact_find(config, domain);
    }
    return found ? found : exact_find(config, TEXT("*"));
}

bool config_route_is_local(const struct domain *domain)
{
    return !text_equal(domain->name, TEXT("*"));
}

bool config_takes_smtputf8(const struct config *config, enum direction direction)
{
    bool has_any = false;
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct domain *domain = &config->domains[i];
        if (direction != DIRECTION_OUT && !config_route_is_local(domain)) continue;
        if (domain->smtputf8) return true;
        has_any = true;
    }
    return !has_any;
}

static bool is_same_target(const struct target *a, const struct target *b)
{
    if (a->use_mx || b->use_mx || a->is_address != b->is_address) return false;
    if (a->endpoint.port != b->endpoint.port) return false;
    return a->is_address ? address_equal(&a->endpoint.address, &b->endpoint.address)
                         : text_equal_nocase(a->host, b->host);
}

bool config_is_same_way(const struct domain *a, const struct domain *b)
{
    if (a->target_count != b->target_count || a->tls != b->tls || !text_equal(a->tls_name, b->tls_name) ||
        a->smtputf8 != b->smtputf8)
        return false;
    for (size_t i = 0; i < a->target_count; i++)
        if (!is_same_target(&a->targets[i], &b->targets[i])) return false;
    return true;
}

enum mode config_virus_mode(const struct config *config, const struct domain *domain)
{
    return domain->has_virus_mode ? domain->virus_mode : config->virus.mode;
}

enum mode config_auth_mode(const struct config *config, const struct domain *domain)
{
    return domain->has_auth_mode ? domain->auth_mode : config->auth.mode;
}

size_t config_user_length(const struct domain *domain, struct text local)
{
    size_t length = 1;
    while (length < local.length && !memchr(domain->delimiter.at, local.at[length], domain->delimiter.length))
        length++;
    return length;
}

bool config_signs(const struct config *config)
{
    return config->signs;
}

const struct domain *config_signing_domain(const struct config *config, struct text name)
{
    const struct domain *domain = config_find_domain(config, name);
    return config_route_is_local(domain) && has_signing_key(domain) ? domain : NULL;
}

struct text config_signing_name(const struct domain *domain)
{
    bool is_below = domain->name.length > 0 && domain->name.at[0] == '.';
    return text_slice(domain->name, is_below, domain->name.length);
}

void config_signing_key_name(const struct domain *domain, const struct signing_key *key, struct buffer *out)
{
    buffer_printf(out, "%.*s._domainkey.%.*s", TEXT_ARG(key->selector),
                  TEXT_ARG(config_signing_name(domain)));
}

const struct domain *config_sealing_domain(const struct config *config)
{
    if (config->auth.seal.length == 0) return NULL;
    const struct domain *domain = config_signing_domain(config, config->auth.seal);
    return domain && domain->dkim_rsa.count > 0 ? domain : NULL;
}

bool config_authenticates(const struct config *config)
{
    bool does = config->auth.mode != MODE_OFF;
    for (size_t i = 0; i < config->domain_count && !does; i++)
        does = config_auth_mode(config, &config->domains[i]) != MODE_OFF;
    return does;
}

enum action config_virus_action(const struct config *config, enum virus_class class, enum direction direction)
{
    enum action out = config->virus.found_out[class];
    return direction == DIRECTION_OUT && (int)out != ACTION_AS_INBOUND ? out : config->virus.found[class];
}

bool config_virus_warns(const struct config *config, enum virus_class class)
{
    return config_virus_action(config, class, DIRECTION_IN) == ACTION_TAG ||
           config_virus_action(config, class, DIRECTION_OUT) == ACTION_TAG;
}

enum action config_dmarc_reject(const struct config *config, const struct domain *domain)
{
    return domain->has_dmarc_reject ? domain->dmarc_reject : config->auth.dmarc_reject;
}
