/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/greylist.h"

#include "config/domains.h"

bool config_remembers(const struct config *config)
{
    return config->senders.is_remembering;
}

static enum mode mode_of(const struct config *config, const struct domain *domain)
{
    if (!config_remembers(config)) return MODE_OFF;
    return domain->has_greylist_mode ? domain->greylist_mode : config->greylist.mode;
}

enum mode config_greylist_mode(const struct config *config, struct text recipient)
{
    size_t at = text_find_last_char(recipient, '@');
    return mode_of(config, config_find_domain(config, text_slice(recipient, at + 1, recipient.length)));
}

bool config_greylists(const struct config *config)
{
    if (mode_of(config, config_find_domain(config, TEXT_NONE)) != MODE_OFF) return true;
    for (size_t i = 0; i < config->domain_count; i++)
        if (mode_of(config, &config->domains[i]) != MODE_OFF) return true;
    return false;
}
