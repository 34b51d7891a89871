/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The checks of RCPT, in the order in which they cost. Nothing is rewritten: what is taken is relayed as
 * given. */
#include "receive/recipients.h"

#include <stdio.h>

#include "config/domains.h"
#include "config/own_address.h"
#include "receive/account.h"
#include "receive/relay.h"
#include "receive/tables.h"

enum { RECIPIENT_BYTES_MOST = 64 * 1024 };

static void reject(struct session *session, struct text address, uint16_t code, const char *enhanced,
                   const char *text)
{
    session_reply(session, code, enhanced, "<%.*s>: %s", TEXT_ARG(address), text);
    account_refused(session, STAGE_RCPT, address, &(struct reply){ code, enhanced, text });
}

/* What a recipient takes in the frames to scan and queue, about. */
static size_t bytes_of(const struct recipient *recipient)
{
    return recipient->address.length + recipient->orcpt.length + 12;
}

static struct recipient copy_in(struct arena *arena, const struct recipient *recipient)
{
    return (struct recipient){ .address = arena_text(arena, recipient->address),
                               .orcpt = arena_text(arena, recipient->orcpt),
                               .notify = recipient->notify };
}

/* The texts go from where they are into the transaction's memory: only those of recipients that it has. */
static void take(struct session *session, const struct recipient *recipient)
{
    struct transaction *transaction = &session->transaction;
    struct envelope *envelope = &transaction->envelope;
    if (envelope->recipient_count == transaction->recipient_room) {
        uint32_t room = transaction->recipient_room ? transaction->recipient_room * 2 : 4;
        struct recipient *grown = arena_alloc_array(session->mail, room, sizeof *grown);
        if (envelope->recipient_count)
            memcpy(grown, envelope->recipients, envelope->recipient_count * sizeof *grown);
        envelope->recipients = grown;
        transaction->recipient_room = room;
    }
    envelope->recipients[envelope->recipient_count++] = copy_in(session->mail, recipient);
    transaction->recipient_bytes += bytes_of(recipient);
    session_reply(session, 250, "2.1.5", "recipient ok");
}

/* RFC 5321 section 4.5.1: <postmaster> is ours, with or without a domain. */
static struct text address_of(struct session *session, const struct mailbox *mailbox)
{
    const struct config *config = session->server->config;
    if (mailbox->domain.length > 0) return mailbox->address;
    if (config->admin.length > 0) return config->admin;
    return arena_printf(session->server->line, "postmaster@%.*s", TEXT_ARG(config->hostname));
}

static enum tables_answer ask_table(const struct server *server, const struct domain *domain,
                                    struct text address)
{
    return tables_ask(server->tables, (size_t)(domain - server->config->domains), address);
}

static void call_out_ask(struct session *session)
{
    struct server *server = session->server;
    if (!server->deliver) return; /* it is being restarted; recipient_deliver_is_back asks */
    struct buffer *out = channel_begin(server->deliver, DELIVER_CALL_OUT, session->callout);
    put_text(out, session->transaction.envelope.sender);
    put_text(out, session->candidate.address);
    channel_end(server->deliver);
}

static void call_out(struct session *session)
{
    if (!session->asked) session->asked = arena_new(512);
    arena_reset(session->asked);
    session->candidate = copy_in(session->asked, &session->candidate);
    session->callout = session_question_id(session);
    call_out_ask(session);
    session_wait(session, session->server->config->limits.command_ms / 4 + 1000);
}

void recipient_deliver_is_back(struct session *session)
{
    if (session->callout) call_out_ask(session);
}

/* Is it an address of the node's own, however it is spelled? *address becomes the spelling without quotes and
   U-labels, by which report finds it. Else who writes "spam"@ from outside is relayed, and a server inside
   that takes the quotes off hands it on to us, as from inside. */
static bool is_for_us(struct session *session, const struct mailbox *mailbox, struct text *address)
{
    const struct config *config = session->server->config;
    if (mailbox->is_quoted || mailbox->needs_smtputf8) {
        struct text plain = mailbox_canonical(session->server->line, mailbox);
        if (own_address_find(config, plain, NULL) == OWN_ADDRESS_NONE) return false;
        *address = plain;
        return true;
    }
    return own_address_find(config, *address, NULL) != OWN_ADDRESS_NONE;
}

static bool has_recipient(const struct envelope *envelope, struct text address)
{
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (text_equal_nocase(envelope->recipients[i].address, address)) return true;
    return false;
}

/* Mail to the node itself is not judged, so it has a transaction of its own; and it teaches, so it comes from
 * inside. An address given again is the same recipient: what a mail wants is done once. */
static void offer_to_us(struct session *session, struct text address)
{
    struct transaction *transaction = &session->transaction;
    if (session->port->listener.direction != DIRECTION_OUT) {
        reject(session, address, 550, "5.7.1", "only users inside may write to this address");
    } else if (transaction->envelope.recipient_count > 0 && !transaction->is_for_us) {
        reject(session, address, 452, "4.5.3", "it is not relayed, send it in another message");
    } else if (has_recipient(&transaction->envelope, address)) {
        session_count_junk(session);
        session_reply(session, 250, "2.1.5", "recipient ok, as before");
    } else {
        transaction->is_for_us = true;
        take(session, &session->candidate);
    }
}

void recipient_offer(struct session *session, const struct smtp_command *command)
{
    struct server *server = session->server;
    const struct listener *listener = &session->port->listener;
    const struct envelope *envelope = &session->transaction.envelope;
    struct text address = address_of(session, &command->mailbox);
    const struct domain *domain = config_find_domain(server->config, envelope_domain_of(address));
    bool is_local = config_route_is_local(domain);
    bool is_postmaster = mailbox_is_postmaster(&command->mailbox);
    bool is_own = is_for_us(session, &command->mailbox, &address);
    session->candidate = (struct recipient){ address, command->orcpt, command->notify };
    if (envelope->recipient_count >= server->config->limits.recipients ||
        session->transaction.recipient_bytes + bytes_of(&session->candidate) > RECIPIENT_BYTES_MOST)
        reject(session, address, 452, "4.5.3", "too many recipients, send the rest in another message");
    else if (is_own)
        offer_to_us(session, address);
    else if (session->transaction.is_for_us)
        reject(session, address, 452, "4.5.3", "others are not relayed, send it in another message");
    else if (!relay_takes_same_way(session, envelope_domain_of(address)))
        reject(session, address, 452, "4.5.3", "it goes another way, send it in another message");
    else if (command->mailbox.needs_smtputf8 && !envelope->smtputf8)
        reject(session, address, 553, "5.6.7", "the address needs SMTPUTF8");
    else if (command->mailbox.is_literal)
        reject(session, address, 550, "5.1.2", "mail to address literals is not taken");
    else if (!is_local && command->mailbox.domain.length > 0 && listener->direction != DIRECTION_OUT)
        reject(session, address, 550, "5.7.1", "relaying denied");
    else if (envelope->smtputf8 && !domain->smtputf8)
        reject(session, address, 553, "5.6.7", "the server behind does not take SMTPUTF8");
    else if (!is_postmaster && ask_table(server, domain, address) == TABLES_UNREADABLE)
        reject(session, address, 450, "4.3.0", "recipients cannot be checked now, try again later");
    else if (!is_postmaster && ask_table(server, domain, address) == TABLES_UNKNOWN)
        reject(session, address, 550, "5.1.1", "no such user here");
    else if (domain->recipients == RECIPIENTS_CALL_OUT && !is_postmaster)
        call_out(session);
    else
        take(session, &session->candidate);
}

/* Only a clear no of the server refuses. When it cannot be asked the recipient is taken: queue waits for the
 * server. */
void recipient_called_out(struct session *session, enum recipient_ending ending, struct text enhanced,
                          struct text reply)
{
    if (!session->callout) return;
    session->callout = 0;
    if (ending != RECIPIENT_FAILED) {
        take(session, &session->candidate);
    } else {
        char text[400], status[16];
        snprintf(text, sizeof text, "the server behind says: %.*s", TEXT_ARG(reply));
        snprintf(status, sizeof status, "%.*s", TEXT_ARG(enhanced));
        reject(session, session->candidate.address, 550, enhanced.length ? status : "5.1.1", text);
    }
    session_go_on(session, SESSION_COMMAND); /* last: commands that came along are done in it */
}

void recipient_timed_out(struct session *session)
{
    session->callout = 0;
    session_reply(session, 450, "4.1.1", "the recipient could not be verified now, try again later");
    session_go_on(session, SESSION_COMMAND);
}
