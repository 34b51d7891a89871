/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/rate_check.h"

#include "ipc/ask_rate.h"
#include "judge/sender_rate.h"
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
    const struct question *question =
        questions_answered(set->items + set->of_session, set->count - set->of_session, QUESTION_RATE);
    return question && rate_answer_get(question->value, out);
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
    struct buffer says = { 0 };
    rate_answer_say(answer, &says);
    keep_alert_send(session, session->transaction.id, kind_of(session->server->config, answer),
                    recipient_of(session, answer), buffer_text(&says));
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
