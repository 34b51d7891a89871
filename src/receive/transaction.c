/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The life of a message, from its MAIL to the reply to its data: what happens before and behind its content
   (receive/mail_data.h) and its judging (receive/judging.h). Nothing here blocks. */
#include "receive/transaction.h"

#include "base/log.h"
#include "config/domains.h"
#include "config/engines.h"
#include "config/hosted.h"
#include "receive/client_presence.h"
#include "receive/judging.h"
#include "receive/list_check.h"
#include "receive/mail_data.h"
#include "receive/queue_request.h"
#include "receive/relay.h"
#include "receive/settle.h"

/* Begun as early as may be: by the end of the message the answer is there. */
static void sender_ask(struct session *session)
{
    struct buffer bytes = { 0 };
    if (!session_is_judged(session) || !config_authenticates(session->server->config)) return;
    const struct spf_subject subject = { session->client, session->dialogue.helo,
                                         session->transaction.envelope.sender };
    spf_subject_put(&subject, &bytes);
    spf_memory_add(&session->spf, &session->questions, buffer_text(&bytes),
                   loop_now_ms(session->server->loop));
    buffer_free(&bytes);
    session_ask(session);
}

void transaction_open(struct session *session, const struct smtp_command *command)
{
    struct transaction *transaction = &session->transaction;
    *transaction = (struct transaction){ .step = STEP_OPEN, .offered = -1 };
    transaction->envelope = (struct envelope){
        .sender = arena_text(session->mail, command->mailbox.address),
        .envid = arena_text(session->mail, command->envid),
        .size = command->size,
        .body = command->body,
        .ret = command->ret,
        .smtputf8 = (command->given & PARAMETER_SMTPUTF8) != 0,
    };
    struct text ascii;
    transaction->sender_needs_smtputf8 =
        !mailbox_to_ascii(session->mail, transaction->envelope.sender, &ascii);
    if (session->has_transaction_id)
        transaction->envelope.transaction =
            arena_text(session->mail, text_from(session->transaction_id, TRANSACTION_BYTES));
    session->has_transaction_id = false; /* it is of one message */
    transaction->is_undecided =
        config_is_undecided(session->server->config, &session->port->listener, &session->client);
    session_pace_reach(session, PACE_MESSAGE);
    session_await(session);
    sender_ask(session);
    list_check_sender(session);
}

/* --- keep, reply --- */

void transaction_kept(struct session *session)
{
    if (session->transaction.step != STEP_KEEPING) return;
    settle_measure(&session->server->measures->commit, session->transaction.asked_us);
    struct reply reply = keep_accepted(session);
    session->messages++;
    server_dialogue_message_taken(&session->dialogue);
    if (session->transaction.envelope.transaction.length) session->unconfirmed = session->transaction.id;
    settle_reply(session, reply);
}

void transaction_kept_before(struct session *session, uint64_t as)
{
    if (session->transaction.step != STEP_KEEPING) return;
    struct reply reply = keep_accepted_before(session, as);
    session->unconfirmed = as;
    settle_reply(session, reply);
}

void transaction_not_kept(struct session *session, enum keep_refusal why, struct text reason)
{
    if (session->transaction.step == STEP_KEEPING) settle_reply(session, keep_refused(session, why, reason));
}

void transaction_relayed(struct session *session, struct frame *frame)
{
    settle_reply(session, relay_done(session, frame));
}

/* The old queue's answer was lost with it. The new one knows what is in the journal. */
void transaction_queue_is_back(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    if (transaction->step == STEP_KEEPING)
        channel_send(session->server->queue, QUEUE_RESOLVE, transaction->id, TEXT_NONE);
    if (transaction->waits_for_file)
        channel_send(session->server->queue, QUEUE_BODY_FILE, transaction->id, TEXT_NONE);
}

void transaction_resolved(struct session *session, bool kept)
{
    if (kept)
        transaction_kept(session);
    else if (session->transaction.step == STEP_KEEPING)
        keep_send(session);
}

/* Once queue has been asked its word counts, so a client told 451 may find its message delivered twice: SMTP
 * cannot tell. */
void transaction_timed_out(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    char id[MESSAGE_ID_SIZE];
    if (transaction->step == STEP_PROBING) {
        settle_reply(session, client_presence_look(session));
        return;
    }
    if (transaction->waits_for_file) {
        mail_data_file(session, -1);
        return;
    }
    if (judging_goes_on(session)) return;
    bool is_relaying = transaction->step == STEP_RELAYING;
    log_of(LOG_LEVEL_WARNING, message_id_print(transaction->id, id), "%s: no %s in time", id,
           is_relaying ? "reply of the next server" : "verdict");
    settle_with(session, 451, is_relaying ? "4.4.2" : "4.3.0",
                is_relaying ? "the next server gave no reply in time, try again later"
                            : "no verdict in time, try again later");
}
