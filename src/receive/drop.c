/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Ends messages and sessions. Called by all who find that there is nothing more to do for one. */
#include "receive/drop.h"

#include "base/log.h"
#include "receive/account.h"

static void cancel(struct channel *peer, uint16_t type, uint64_t id)
{
    if (peer) channel_send(peer, type, id, TEXT_NONE);
}

void drop_message(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct server *server = session->server;
    bool at_scan = transaction->step == STEP_JUDGING || transaction->step == STEP_DECIDING;
    if (at_scan) cancel(server->scan, SCAN_CANCEL, transaction->id);
    if (transaction->step == STEP_RELAYING) cancel(server->deliver, DELIVER_RELAY_CANCEL, transaction->id);
    server->bodies_bytes -= transaction->body.size;
    body_free(&transaction->body);
    session_forget_id(session);
    question_set_cancel(&session->questions, server->consult);
    spf_memory_keep(&session->spf, &session->questions, session->mail);
    question_set_forget(&session->questions);
    server_dialogue_mail_over(&session->dialogue);
    *transaction = (struct transaction){ .offered = -1 };
    arena_reset(session->mail);
}

void drop_unfinished(struct session *session)
{
    account_aborted(session);
    drop_message(session);
}

void drop_session(struct session *session)
{
    if (!session->is_quiet || session->messages > 0)
        log_info("disconnect from %.*s[%.*s] messages=%u errors=%u", TEXT_ARG(session->client_name),
                 TEXT_ARG(session->client_text), session->messages, session->dialogue.errors);
    drop_unfinished(session);
    session_free(session);
}

void drop_goodbye(struct session *session, const char *enhanced, const char *text)
{
    session_reply(session, 421, enhanced, "%.*s %s", TEXT_ARG(session->server->config->hostname), text);
    drop_session(session);
}

void drop_out_of_step(struct session *session, const char *why)
{
    if (!session->is_quiet)
        log_info("out of step with %.*s[%.*s]: %s", TEXT_ARG(session->client_name),
                 TEXT_ARG(session->client_text), why);
    drop_session(session);
}

void drop_slow(struct session *session)
{
    if (!session->is_quiet)
        log_info("no room: %.*s[%.*s] is the slowest and goes", TEXT_ARG(session->client_name),
                 TEXT_ARG(session->client_text));
    drop_unfinished(session);
    session_leave(session);
    session->state = SESSION_CLOSING;
    session_reply(session, 421, "4.3.2", "%.*s has no room for clients as slow as you",
                  TEXT_ARG(session->server->config->hostname));
    timer_set(session->timer, 0);
}
