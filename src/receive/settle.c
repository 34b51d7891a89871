/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/settle.h"

#include "receive/account.h"
#include "receive/drop.h"
#include "receive/hour_limits.h"

void settle_measure(struct histogram *histogram, uint64_t since_us)
{
    if (since_us) histogram_add(histogram, MEASURES_WORK, measures_now_us() - since_us);
}

void settle_reply(struct session *session, struct reply reply)
{
    bool waited = session->state == SESSION_WAITING;
    if (reply.code == 0) return;
    settle_measure(&session->server->measures->reply, session->transaction.whole_us);
    if (reply.code >= 400) account_content_refused(session, &reply);
    if (reply.code == 250) hour_limits_kept(session);
    if (reply.code != 250 && session->transaction.is_reply_begun) { /* half a reply is none */
        drop_message(session);
        drop_session(session);
        return;
    }
    reply = server_dialogue_explain(&reply, session->server->config, session->transaction.envelope.smtputf8,
                                    session->mail);
    session_answer(session, &reply);
    drop_message(session);
    session_pace_renew(session, PACE_BETWEEN);
    if (waited)
        session_go_on(session, SESSION_COMMAND);
    else
        session->state = SESSION_COMMAND;
}

void settle_with(struct session *session, uint16_t code, const char *enhanced, const char *text)
{
    settle_reply(session, (struct reply){ code, enhanced, text });
}

void settle_too_large(struct session *session, const char *text)
{
    settle_reply(session, (struct reply){ 552, "5.3.4", text, REFUSAL_SIZE });
}
