/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What follows from a decision on RCPT. Called by connection.c; the decision is rcpt.c's, deliver asks the
 * servers. */
#include "receive/recipients.h"

#include <stdio.h>

#include "ipc/message_id.h"
#include "receive/account.h"
#include "receive/hour_limits.h"
#include "receive/list_check.h"
#include "receive/rcpt.h"
#include "receive/sender_check.h"

static void answer(struct session *session, struct text address, const struct reply *reply)
{
    struct server *server = session->server;
    server_dialogue_rcpt_answer(&session->dialogue, server->config, address, reply, &server->replies);
    session_speak(session);
}

/* The reply names the refusal, for who asks us about it. */
static void reject(struct session *session, struct text address, const struct reply *reply)
{
    char id[MESSAGE_ID_SIZE], text[SERVER_DIALOGUE_REPLY_MOST];
    struct reply named = *reply;
    message_id_print(account_refused(session, STAGE_RCPT, address, reply), id);
    int length = snprintf(text, sizeof text, "%s (id %s)", reply->text, id);
    if (length < (int)sizeof text) named.text = text;
    struct reply explained = server_dialogue_explain(&named, session->server->config,
                                                     session->transaction.envelope.smtputf8, session->mail);
    answer(session, address, &explained);
}

/* --- taken --- */

static struct recipient copy_in(struct arena *arena, const struct recipient *recipient)
{
    return (struct recipient){ .address = arena_text(arena, recipient->address),
                               .orcpt = arena_text(arena, recipient->orcpt),
                               .notify = recipient->notify };
}

static void room_make(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct envelope *envelope = &transaction->envelope;
    if (envelope->recipient_count < transaction->recipient_room) return;
    uint32_t room = transaction->recipient_room ? transaction->recipient_room * 2 : 4;
    struct recipient *grown = arena_alloc_array(session->mail, room, sizeof *grown);
    if (envelope->recipient_count)
        memcpy(grown, envelope->recipients, envelope->recipient_count * sizeof *grown);
    envelope->recipients = grown;
    uint64_t *keys = arena_alloc_array(session->mail, room, sizeof *keys);
    if (envelope->recipient_count)
        memcpy(keys, transaction->recipient_keys, envelope->recipient_count * sizeof *keys);
    transaction->recipient_keys = keys;
    transaction->recipient_room = room;
}

/* The texts go from where they are into the transaction's memory: only those of recipients that it has. */
static void take(struct session *session, const struct recipient *recipient, uint64_t key)
{
    struct transaction *transaction = &session->transaction;
    room_make(session);
    transaction->recipient_keys[transaction->envelope.recipient_count] = key;
    transaction->envelope.recipients[transaction->envelope.recipient_count++] =
        copy_in(session->mail, recipient);
    transaction->recipient_bytes += rcpt_bytes(recipient);
    answer(session, recipient->address, &(struct reply){ 250, "2.1.5", "recipient ok" });
}

static void take_again(struct session *session, struct text address)
{
    server_dialogue_count_junk(&session->dialogue);
    answer(session, address, &(struct reply){ 250, "2.1.5", "recipient ok" });
}

/* --- call-outs --- */

/* "@" and the domain: what its servers offer. */
static struct text question_of(const struct candidate *candidate)
{
    struct text address = candidate->recipient.address;
    size_t at = candidate->asks_smtputf8 ? text_find_last_char(address, '@') : 0;
    return text_slice(address, at, address.length);
}

static void call_out_ask(struct session *session)
{
    struct server *server = session->server;
    if (!server->deliver) return; /* it is being restarted; recipient_deliver_is_back asks */
    struct buffer *out = channel_begin(server->deliver, DELIVER_CALL_OUT, session->callout);
    put_text(out, session->transaction.envelope.sender);
    put_text(out, question_of(&session->candidate));
    channel_end(server->deliver);
}

static void call_out(struct session *session)
{
    session->callout = session_question_id(session);
    call_out_ask(session);
    session_wait(session, session->server->config->limits.command_ms / 4 + 1000);
}

static void candidate_put(struct session *session, const struct rcpt_decision *decision)
{
    if (!session->asked) session->asked = arena_new(512);
    arena_reset(session->asked);
    session->candidate = (struct candidate){ .recipient = copy_in(session->asked, &decision->recipient),
                                             .key = decision->key,
                                             .asks_smtputf8 = decision->asks_smtputf8,
                                             .needs_smtputf8 = decision->needs_smtputf8,
                                             .is_called_out = decision->choice == RCPT_CALL_OUT };
}

static void candidate_ask(struct session *session, const struct rcpt_decision *decision)
{
    candidate_put(session, decision);
    call_out(session);
}

static void candidate_take(struct session *session)
{
    hour_limits_asked(session, session->candidate.recipient.address, false);
    take(session, &session->candidate.recipient, session->candidate.key);
}

/* --- what is known of the sender --- */

/* True: the session waits for the answer. */
static bool sender_ask(struct session *session, const struct rcpt_decision *decision)
{
    if (!sender_check_is_due(session, decision)) return false;
    candidate_put(session, decision);
    return sender_check_ask(session, session->candidate.recipient.address);
}

void recipient_sender_known(struct session *session, const struct sender_rcpt_answer *answer)
{
    const struct candidate *candidate = &session->candidate;
    session->sender_ask = 0;
    if (!answer) session->transaction.is_sender_checked = true; /* one wait for lookup is enough */
    struct reply delayed = answer ? sender_check_reply(session, answer) : (struct reply){ 0 };
    if (delayed.code) {
        reject(session, candidate->recipient.address, &delayed);
    } else if (candidate->asks_smtputf8 || candidate->is_called_out) {
        call_out(session);
        return;
    } else {
        candidate_take(session);
    }
    session_go_on(session, SESSION_COMMAND);
}

/* --- what deliver says --- */

void recipient_deliver_is_back(struct session *session)
{
    if (session->callout) call_out_ask(session);
}

/* The server's no, to the recipient. */
static void candidate_refuse(struct session *session, struct text enhanced, struct text reply)
{
    char text[400], status[16];
    hour_limits_asked(session, session->candidate.recipient.address, true);
    snprintf(text, sizeof text, "the server behind says: %.*s", TEXT_ARG(reply));
    snprintf(status, sizeof status, "%.*s", TEXT_ARG(enhanced));
    reject(session, session->candidate.recipient.address,
           &(struct reply){ 550, enhanced.length ? status : "5.1.1", text });
}

/* Whether the servers offer SMTPUTF8 is known, or cannot be found out now. False: the recipient is asked for
   next. */
static bool smtputf8_known(struct session *session, bool is_lacking)
{
    struct candidate *candidate = &session->candidate;
    candidate->asks_smtputf8 = false;
    if (is_lacking && candidate->needs_smtputf8) {
        reject(session, candidate->recipient.address, &rcpt_refusal_smtputf8);
        return true;
    }
    session->transaction.lacks_smtputf8 |= is_lacking;
    if (candidate->is_called_out)
        call_out(session);
    else
        candidate_take(session);
    return !candidate->is_called_out;
}

/* Only a clear no of the server refuses. When it cannot be asked the recipient is taken: queue waits for the
   server. */
void recipient_called_out(struct session *session, enum recipient_ending ending, struct text enhanced,
                          struct text reply)
{
    if (!session->callout) return;
    session->callout = 0;
    if (session->candidate.asks_smtputf8) {
        if (!smtputf8_known(session, ending == RECIPIENT_FAILED)) return;
    } else if (ending != RECIPIENT_FAILED) {
        candidate_take(session);
    } else {
        candidate_refuse(session, enhanced, reply);
    }
    session_go_on(session, SESSION_COMMAND); /* last: commands that came along are done in it */
}

void recipient_timed_out(struct session *session)
{
    session->callout = 0;
    session_reply(session, 450, "4.1.1", "the recipient could not be verified now, try again later");
    session_go_on(session, SESSION_COMMAND);
}

/* --- RCPT --- */

/* Refused since no such user is here. */
static bool is_unknown(const struct rcpt_decision *decision)
{
    return decision->choice == RCPT_REFUSED && decision->reply.code == 550 &&
           strcmp(decision->reply.enhanced, "5.1.1") == 0;
}

void recipient_offer(struct session *session, const struct smtp_command *command)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    struct reply harvested = hour_limits_harvest(session, command);
    if (harvested.code) {
        reject(session, command->mailbox.address, &harvested);
        return;
    }
    const struct rcpt_scene scene = { .config = server->config,
                                      .listener = &session->port->listener,
                                      .tables = server->tables,
                                      .envelope = &transaction->envelope,
                                      .keys = transaction->recipient_keys,
                                      .recipient_bytes = transaction->recipient_bytes,
                                      .is_for_us = transaction->is_for_us,
                                      .is_undecided = transaction->is_undecided,
                                      .sender_needs_smtputf8 = transaction->sender_needs_smtputf8,
                                      .arena = server->line };
    struct rcpt_decision decision = rcpt_decide(&scene, command);
    transaction->lacks_smtputf8 |= decision.lacks_smtputf8;
    struct reply listed = list_check_refusal(session, &decision);
    if (listed.code) {
        reject(session, decision.recipient.address, &listed);
        return;
    }
    struct reply over = hour_limits_take(session, &decision);
    if (over.code) {
        reject(session, decision.recipient.address, &over);
        return;
    }
    if (sender_ask(session, &decision)) return;
    if (decision.asks_smtputf8) {
        candidate_ask(session, &decision);
        return;
    }
    switch (decision.choice) {
    case RCPT_REFUSED:
        if (is_unknown(&decision)) hour_limits_asked(session, decision.recipient.address, true);
        reject(session, decision.recipient.address, &decision.reply);
        break;
    case RCPT_TAKEN:
        transaction->is_for_us = decision.is_for_us;
        hour_limits_asked(session, decision.recipient.address, false);
        take(session, &decision.recipient, decision.key);
        break;
    case RCPT_TAKEN_BEFORE:
        take_again(session, decision.recipient.address);
        break;
    case RCPT_CALL_OUT:
        candidate_ask(session, &decision);
        break;
    }
}
