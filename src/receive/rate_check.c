/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/rate_check.h"

#include "ipc/ask_rate.h"
#include "judge/sender_rate.h"
#include "mail/alert.h"
#include "receive/queue_request.h"
#include "receive/session.h"

void rate_check_ask(struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    const struct config *config = session->server->config;
    struct buffer bytes = { 0 };
    if (session->port->listener.direction != DIRECTION_OUT || session->transaction.is_for_us ||
        !rate_is_asked_inside(config, envelope->sender) || !keep_is_judged(session))
        return;
    rate_inside_put(&session->client, envelope->sender, envelope->recipient_count, &bytes);
    question_set_add(&session->questions, QUESTION_OF_MESSAGE, QUESTION_RATE, buffer_text(&bytes));
    buffer_free(&bytes);
    session_ask(session);
}

/* False: nobody asked, or no line was passed. */
static bool answer_find(const struct session *session, struct rate_answer *out)
{
    const struct question_set *set = &session->questions;
    for (uint32_t i = set->of_session; i < set->count; i++)
        if (set->items[i].kind == QUESTION_RATE && set->items[i].status == ANSWER_FOUND)
            return rate_answer_get(set->items[i].value, out);
    return false;
}

static enum alert_kind kind_of(const struct config *config, const struct rate_answer *answer)
{
    if (answer->cause == RATE_SIGNUPS)
        return config->signups.mode == MODE_ON ? ALERT_SIGNUPS_HELD : ALERT_SIGNUPS_OBSERVED;
    return config->inside.mode == MODE_ON ? ALERT_INSIDE_HELD : ALERT_INSIDE_OBSERVED;
}

/* The recipient whose flood it is. */
static struct text recipient_of(const struct session *session, const struct rate_answer *answer)
{
    const struct envelope *envelope = &session->transaction.envelope;
    uint32_t first = answer->recipients ? (uint32_t)__builtin_ctzll(answer->recipients) : 0;
    return envelope->recipients[first < envelope->recipient_count ? first : 0].address;
}

static void alert_send(struct session *session, const struct rate_answer *answer)
{
    struct channel *queue = session->server->queue;
    struct buffer says = { 0 };
    if (!queue) return;
    rate_answer_say(answer, &says);
    struct buffer *out = channel_begin(queue, QUEUE_ALERT, session->transaction.id);
    put_u8(out, (uint8_t)kind_of(session->server->config, answer));
    put_text(out, session->client_text);
    put_text(out, session->transaction.envelope.sender);
    put_text(out, recipient_of(session, answer));
    put_text(out, buffer_text(&says));
    channel_end(queue);
    buffer_free(&says);
}

void rate_check_tell(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    struct rate_answer answer;
    if (answer_find(session, &answer) && answer.is_first) alert_send(session, &answer);
    if (transaction->verdict.direction == DIRECTION_OUT && transaction->verdict.is_spam)
        rate_tell(session->server->lookup, RATE_EVENT_SPAM, transaction->envelope.sender);
}
