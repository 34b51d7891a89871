/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The checks of RCPT, in the order in which they cost. Called by recipients.c. */
#include "receive/rcpt.h"

#include "config/domains.h"
#include "config/own_address.h"

enum { RECIPIENT_BYTES_MOST = 64 * 1024 };

size_t rcpt_bytes(const struct recipient *recipient)
{
    return recipient->address.length + recipient->orcpt.length + 12;
}

/* --- the address --- */

/* RFC 5321 section 4.5.1: <postmaster> is ours, with or without a domain. */
static struct text address_of(const struct rcpt_scene *scene, const struct mailbox *mailbox)
{
    const struct config *config = scene->config;
    if (mailbox->domain.length > 0) return mailbox->address;
    if (config->admin.length > 0) return config->admin;
    return arena_printf(scene->arena, "postmaster@%.*s", TEXT_ARG(config->hostname));
}

/* Is it an address of the node's own, however it is spelled? *address becomes the spelling without quotes and
   U-labels, by which report finds it. Else who writes "spam"@ from outside is relayed, and a server inside
   that takes the quotes off hands it on to us, as from inside. */
static bool is_own(const struct rcpt_scene *scene, const struct mailbox *mailbox, struct text *address)
{
    if (mailbox->is_quoted || mailbox->needs_smtputf8) {
        struct text plain = mailbox_canonical(scene->arena, mailbox);
        if (own_address_find(scene->config, plain, NULL) == OWN_ADDRESS_NONE) return false;
        *address = plain;
        return true;
    }
    return own_address_find(scene->config, *address, NULL) != OWN_ADDRESS_NONE;
}

static bool has_recipient(const struct envelope *envelope, struct text address)
{
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (text_equal_nocase(envelope->recipients[i].address, address)) return true;
    return false;
}

/* --- the way --- */

struct text rcpt_way(const struct config *config, const struct envelope *envelope)
{
    struct text domain = envelope_domain_of(envelope->recipients[0].address);
    return domain.length ? domain : envelope_domain_of(config->admin);
}

/* One transaction that goes through cannot go two ways. */
static bool goes_same_way(const struct rcpt_scene *scene, struct text domain)
{
    const struct config *config = scene->config;
    if (scene->listener->relay != RELAY_THROUGH || scene->envelope->recipient_count == 0) return true;
    struct text first = rcpt_way(config, scene->envelope);
    return text_equal_nocase(first, domain) ||
           config_is_same_way(config_find_domain(config, first), config_find_domain(config, domain));
}

/* --- the decision --- */

static struct reply no(uint16_t code, const char *enhanced, const char *text)
{
    bool is_policy = code >= 500 && strcmp(enhanced, "5.7.1") == 0;
    return (struct reply){ code, enhanced, text, is_policy ? REFUSAL_POLICY : REFUSAL_NONE };
}

static const struct reply yes = { 0 };

/* Mail to the node itself is not judged, so it has a transaction of its own; and it teaches, so it comes from
   inside. An address given again is the same recipient: what a mail wants is done once. */
static struct reply refusal_by_us(const struct rcpt_scene *scene)
{
    if (scene->listener->direction != DIRECTION_OUT)
        return no(550, "5.7.1", "only users inside may write to this address");
    if (scene->envelope->recipient_count > 0 && !scene->is_for_us)
        return no(452, "4.5.3", "it is not relayed, send it in another message");
    return yes;
}

static struct reply refusal_by_table(const struct rcpt_scene *scene, const struct domain *domain,
                                     struct text address)
{
    switch (tables_ask(scene->tables, (size_t)(domain - scene->config->domains), address)) {
    case TABLES_UNREADABLE:
        return no(450, "4.3.0", "recipients cannot be checked now, try again later");
    case TABLES_UNKNOWN:
        return no(550, "5.1.1", "no such user here");
    default:
        return yes;
    }
}

static struct reply refusal_of(const struct rcpt_scene *scene, const struct mailbox *mailbox,
                               const struct domain *domain, struct text address)
{
    const struct envelope *envelope = scene->envelope;
    bool is_outside = !config_route_is_local(domain) && mailbox->domain.length > 0;
    if (scene->is_for_us) return no(452, "4.5.3", "others are not relayed, send it in another message");
    if (!goes_same_way(scene, envelope_domain_of(address)))
        return no(452, "4.5.3", "it goes another way, send it in another message");
    if (mailbox->needs_smtputf8 && !envelope->smtputf8) return no(553, "5.6.7", "the address needs SMTPUTF8");
    if (mailbox->is_literal) return no(550, "5.1.2", "mail to address literals is not taken");
    if (is_outside && scene->listener->direction != DIRECTION_OUT) return no(550, "5.7.1", "relaying denied");
    if (envelope->smtputf8 && !domain->smtputf8)
        return no(553, "5.6.7", "the server behind does not take SMTPUTF8");
    return mailbox_is_postmaster(mailbox) ? yes : refusal_by_table(scene, domain, address);
}

static bool is_too_much(const struct rcpt_scene *scene, const struct recipient *recipient)
{
    return scene->envelope->recipient_count >= scene->config->limits.recipients ||
           scene->recipient_bytes + rcpt_bytes(recipient) > RECIPIENT_BYTES_MOST;
}

struct rcpt_decision rcpt_decide(const struct rcpt_scene *scene, const struct smtp_command *command)
{
    const struct mailbox *mailbox = &command->mailbox;
    struct text address = address_of(scene, mailbox);
    const struct domain *domain = config_find_domain(scene->config, envelope_domain_of(address));
    struct rcpt_decision decision = { .choice = RCPT_TAKEN, .is_for_us = is_own(scene, mailbox, &address) };
    decision.recipient = (struct recipient){ address, command->orcpt, command->notify };
    if (is_too_much(scene, &decision.recipient))
        decision.reply = no(452, "4.5.3", "too many recipients, send the rest in another message");
    else
        decision.reply =
            decision.is_for_us ? refusal_by_us(scene) : refusal_of(scene, mailbox, domain, address);
    if (decision.reply.code)
        decision.choice = RCPT_REFUSED;
    else if (decision.is_for_us)
        decision.choice = has_recipient(scene->envelope, address) ? RCPT_TAKEN_BEFORE : RCPT_TAKEN;
    else if (domain->recipients == RECIPIENTS_CALL_OUT && !mailbox_is_postmaster(mailbox))
        decision.choice = RCPT_CALL_OUT;
    return decision;
}
