/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/entry_warning.h"

#include "config/domains.h"

enum { V4_BEFORE = 96 };

static bool do_overlap(const struct network *a, const struct network *b)
{
    return network_has(a, &b->address) || network_has(b, &a->address);
}

static bool has_overlap(const struct network_list *list, const struct network *network)
{
    for (size_t i = 0; i < list->count; i++)
        if (do_overlap(&list->items[i], network)) return true;
    return false;
}

static bool is_loopback(const struct network *network)
{
    struct network loopback, six;
    return network_parse(TEXT("127.0.0.0/8"), &loopback) && network_parse(TEXT("::1"), &six) &&
           (do_overlap(network, &loopback) || do_overlap(network, &six));
}

/* Who sends from inside, or speaks for its clients. */
static bool is_ours(const struct config *config, const struct network *network)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        bool is_from = listener->direction == DIRECTION_OUT && has_overlap(&listener->from, network);
        if (is_from || has_overlap(&listener->xclient, network) || has_overlap(&listener->proxy, network))
            return true;
    }
    return is_loopback(network);
}

/* `to`: an address or a domain. */
static bool is_for_strangers(const struct config *config, struct text to)
{
    size_t at = text_find_char(to, '@');
    struct text domain = at < to.length ? text_slice(to, at + 1, to.length) : to;
    return to.length > 0 && !config_route_is_local(config_find_domain(config, domain));
}

const char *entry_warning_of(const struct config *config, const struct sender_entry *entry)
{
    struct text domain = sender_entry_domain(entry);
    bool is_block = entry->verb == ENTRY_BLOCK;
    if (entry->kind == ENTRY_NETWORK && is_ours(config, &entry->network))
        return is_block ? "this network has clients of our own: their mail from outside is blocked too"
                        : "this network has clients of our own: whatever comes by them from outside is let "
                          "through";
    if (domain.length && config_route_is_local(config_find_domain(config, domain)))
        return is_block ? "this domain is ours: mail of our users that comes in from outside is blocked too"
                        : "this domain is ours: mail that proves to be of it is let through";
    if (is_for_strangers(config, entry->to))
        return "whom it is for (--to) is in no domain of ours: it decides nothing here";
    return NULL;
}
