/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The checks of RCPT, in the order in which they cost. Called by recipients.c. */
#include "receive/rcpt.h"

#include "base/hash.h"
#include "config/domains.h"
#include "config/own_address.h"
#include "mail/idna.h"

enum { RECIPIENT_BYTES_MOST = 64 * 1024 };

size_t rcpt_bytes(const struct recipient *recipient)
{
    return recipient->address.length + recipient->orcpt.length + 12;
}

/* --- the address --- */

/* RFC 5321 section 4.5.1: <postmaster> is ours, with or without a domain. A domain of ours in U-labels is
   written as the configuration has it, in A-labels: it is the same domain (RFC 5890 section 2.3.2.4), and the
   journal and the routes know it by that name. */
static struct text address_of(const struct rcpt_scene *scene, const struct mailbox *mailbox)
{
    const struct config *config = scene->config;
    struct text ascii;
    if (mailbox->domain.length == 0 && config->admin.length > 0) return config->admin;
    if (mailbox->domain.length == 0)
        return arena_printf(scene->arena, "postmaster@%.*s", TEXT_ARG(config->hostname));
    bool is_ours = !text_is_ascii(mailbox->domain) && idna_to_ascii(scene->arena, mailbox->domain, &ascii) &&
                   config_route_is_local(config_find_domain(config, ascii));
    if (!is_ours) return mailbox->address;
    return arena_printf(scene->arena, "%.*s@%.*s", TEXT_ARG(mailbox->local), TEXT_ARG(ascii));
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

/* However it is quoted, and in whichever case its domain is: the same recipient has the same key. The case of
   a local part is its server's business (RFC 5321 section 2.4), but where we look it up in a table ourselves.
 */
static uint64_t key_of(const struct rcpt_scene *scene, const struct domain *domain, bool is_for_us,
                       struct text address)
{
    struct mailbox mailbox;
    mailbox_parse(address, false, &mailbox);
    struct text canonical = mailbox_canonical(scene->arena, &mailbox);
    bool has_case = !is_for_us && domain->recipients != RECIPIENTS_TABLE && !mailbox_is_postmaster(&mailbox);
    return has_case ? hash_text(canonical) : hash_text_nocase(canonical);
}

static bool has_recipient(const struct rcpt_scene *scene, uint64_t key)
{
    for (uint32_t i = 0; i < scene->envelope->recipient_count; i++)
        if (scene->keys[i] == key) return true;
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

const struct reply rcpt_refusal_smtputf8 = { 553, "5.6.7",
                                             "the server behind takes no addresses in UTF-8, and sender or "
                                             "recipient has one" };

/* Mail to the node itself is not judged, so it has a transaction of its own; and it teaches, so it comes from
   inside. */
static struct reply refusal_by_us(const struct rcpt_scene *scene)
{
    if (scene->listener->direction != DIRECTION_OUT)
        return no(550, "5.7.1", "only users inside may write to this address");
    if (scene->envelope->recipient_count > 0 && !scene->is_for_us)
        return no(452, "4.5.3", "it is not relayed, send it in another message");
    return yes;
}

static struct reply refusal_by_table(const struct rcpt_scene *scene, const struct mailbox *mailbox,
                                     const struct domain *domain, struct text address)
{
    size_t number = (size_t)(domain - scene->config->domains);
    struct text local = mailbox_plain_local(scene->arena, mailbox);
    switch (tables_ask(scene->tables, number, domain, local, envelope_domain_of(address))) {
    case TABLES_UNREADABLE:
        return no(450, "4.3.0", "recipients cannot be checked now, try again later");
    case TABLES_UNKNOWN:
        return no(550, "5.1.1", "no such user here");
    default:
        return yes;
    }
}

static bool needs_smtputf8(const struct rcpt_scene *scene, struct text address)
{
    struct text ascii;
    return scene->sender_needs_smtputf8 || !mailbox_to_ascii(scene->arena, address, &ascii);
}

static struct reply refusal_of(const struct rcpt_scene *scene, const struct mailbox *mailbox,
                               const struct domain *domain, struct text address)
{
    const struct envelope *envelope = scene->envelope;
    bool is_from_outside = scene->listener->direction != DIRECTION_OUT;
    bool is_outside = !config_route_is_local(domain) && mailbox->domain.length > 0;
    if (scene->is_for_us) return no(452, "4.5.3", "others are not relayed, send it in another message");
    if (!goes_same_way(scene, envelope_domain_of(address)))
        return no(452, "4.5.3", "it goes another way, send it in another message");
    if (mailbox->needs_smtputf8 && !envelope->smtputf8) return no(553, "5.6.7", "the address needs SMTPUTF8");
    if (mailbox->is_literal) return no(550, "5.1.2", "mail to address literals is not taken");
    if (is_outside && is_from_outside && !scene->is_undecided) return no(550, "5.7.1", "relaying denied");
    if (is_from_outside && !domain->takes_routed && mailbox_is_routed(mailbox))
        return no(550, "5.7.1", "relaying denied: the address may be read as a way to somewhere else");
    if (needs_smtputf8(scene, address) && !domain->smtputf8) return rcpt_refusal_smtputf8;
    return mailbox_is_postmaster(mailbox) ? yes : refusal_by_table(scene, mailbox, domain, address);
}

static bool is_too_much(const struct rcpt_scene *scene, const struct recipient *recipient)
{
    return scene->envelope->recipient_count >= scene->config->limits.recipients ||
           scene->recipient_bytes + rcpt_bytes(recipient) > RECIPIENT_BYTES_MOST;
}

static enum rcpt_choice choice_of(const struct domain *domain, const struct mailbox *mailbox, bool is_for_us)
{
    bool is_asked = domain->recipients == RECIPIENTS_CALL_OUT && !mailbox_is_postmaster(mailbox);
    return is_asked && !is_for_us ? RCPT_CALL_OUT : RCPT_TAKEN;
}

/* Servers inside are asked while the sender is there; those of the world when the mail goes out. */
static void smtputf8_decide(const struct rcpt_scene *scene, const struct domain *domain,
                            struct rcpt_decision *decision)
{
    if (!scene->envelope->smtputf8 || decision->is_for_us || !config_route_is_local(domain)) return;
    decision->needs_smtputf8 = needs_smtputf8(scene, decision->recipient.address);
    decision->asks_smtputf8 = domain->smtputf8;
    decision->lacks_smtputf8 = !domain->smtputf8;
}

struct rcpt_decision rcpt_decide(const struct rcpt_scene *scene, const struct smtp_command *command)
{
    const struct mailbox *mailbox = &command->mailbox;
    struct text address = address_of(scene, mailbox);
    const struct domain *domain = config_find_domain(scene->config, envelope_domain_of(address));
    struct rcpt_decision decision = { .is_for_us = is_own(scene, mailbox, &address) };
    decision.recipient = (struct recipient){ address, command->orcpt, command->notify };
    decision.key = key_of(scene, domain, decision.is_for_us, address);
    decision.choice = choice_of(domain, mailbox, decision.is_for_us);
    if (has_recipient(scene, decision.key))
        decision.choice = RCPT_TAKEN_BEFORE;
    else if (is_too_much(scene, &decision.recipient))
        decision.reply = no(452, "4.5.3", "too many recipients, send the rest in another message");
    else
        decision.reply =
            decision.is_for_us ? refusal_by_us(scene) : refusal_of(scene, mailbox, domain, address);
    if (decision.reply.code) decision.choice = RCPT_REFUSED;
    if (rcpt_may_be_taken(&decision)) smtputf8_decide(scene, domain, &decision);
    return decision;
}
