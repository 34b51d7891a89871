/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A handful of addresses: compared one by one, at each RCPT. */
#include "config/own_address.h"

enum own_address own_address_find(const struct config *config, struct text address,
                                  enum missed_kind *out_kind)
{
    if (!address.length) return OWN_ADDRESS_NONE; /* as one that is not configured is */
    for (int i = 0; i < MISSED_KINDS; i++) {
        if (!text_equal_nocase(config->report.missed[i], address)) continue;
        if (out_kind) *out_kind = (enum missed_kind)i;
        return OWN_ADDRESS_MISSED;
    }
    return text_equal_nocase(config->digest.reply, address) ? OWN_ADDRESS_REPLY : OWN_ADDRESS_NONE;
}

const char *missed_kind_name(enum missed_kind kind)
{
    static const char *const names[MISSED_KINDS] = { [MISSED_SPAM] = "spam",
                                                     [MISSED_PHISHING] = "phishing",
                                                     [MISSED_VIRUS] = "virus",
                                                     [MISSED_NEWSLETTER] = "newsletter",
                                                     [MISSED_HAM] = "ham" };
    return names[kind];
}

bool config_reporter_is_trusted(const struct config *config, struct text address)
{
    for (size_t i = 0; i < config->report.trusted.count && address.length > 0; i++)
        if (text_equal_nocase(config->report.trusted.items[i], address)) return true;
    return false;
}
