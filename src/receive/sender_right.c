/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The domain of MAIL FROM against `domains` and the listener's `senders`. Called by server_dialogue.c. */
#include "receive/sender_right.h"

#include "config/domains.h"
#include "mail/idna.h"

/* NAME is that domain alone, .NAME every one below it; "any" is a word of the setting. */
static bool is_named(struct text entry, struct text domain)
{
    if (text_equal(entry, TEXT("any"))) return true;
    if (text_starts(entry, TEXT("."))) return text_ends_nocase(domain, entry);
    return text_equal_nocase(domain, entry);
}

static bool is_listed(const struct text_list *list, struct text domain)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_named(list->items[i], domain)) return true;
    return false;
}

/* A domain in U-labels is known by its A-labels (RFC 5890 section 2.3.2.4). */
struct reply sender_right_refusal(const struct config *config, const struct listener *listener,
                                  const struct mailbox *sender, struct arena *arena)
{
    struct text domain;
    if (listener->direction != DIRECTION_OUT || sender->domain.length == 0) return (struct reply){ 0 };
    if (!idna_to_ascii(arena, sender->domain, &domain)) domain = sender->domain;
    if (is_listed(&listener->senders, domain) || config_route_is_local(config_find_domain(config, domain)))
        return (struct reply){ 0 };
    struct text why = arena_printf(
        arena, "sender refused: the domain %.*s is not ours, and no mail of it is sent from here",
        TEXT_ARG(domain));
    return (struct reply){ 550, "5.7.1", why.at, REFUSAL_POLICY, NULL };
}
