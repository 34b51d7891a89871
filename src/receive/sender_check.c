/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/sender_check.h"

#include "config/greylist.h"
#include "ipc/ask_sender.h"

enum { WAIT_MS = 1000 }; /* lookup answers out of memory: later, and the recipient is taken */

bool sender_check_is_due(const struct session *session, const struct rcpt_decision *decision)
{
    const struct config *config = session->server->config;
    const struct transaction *transaction = &session->transaction;
    return rcpt_may_be_taken(decision) && config_remembers(config) && !decision->is_for_us &&
           !transaction->is_undecided && !transaction->is_sender_checked && session_is_judged(session) &&
           config_greylist_mode(config, decision->recipient.address) == MODE_ON &&
           !mailbox_is_for_postmaster(decision->recipient.address);
}

static struct sender_subject subject_of(const struct session *session, const struct text *recipients,
                                        uint32_t count)
{
    return (struct sender_subject){ .direction = session->port->listener.direction,
                                    .client = session->client,
                                    .sender = session->transaction.envelope.sender,
                                    .recipient_count = count,
                                    .recipients = recipients };
}

bool sender_check_ask(struct session *session, struct text recipient)
{
    struct channel *lookup = session->server->lookup;
    const struct sender_subject subject = subject_of(session, &recipient, 1);
    struct buffer bytes = { 0 };
    if (!lookup) return false;
    session->sender_ask = session_question_id(session);
    sender_subject_put(&subject, &bytes);
    lookup_subject_ask(lookup, LOOKUP_SENDER, session->sender_ask, WAIT_MS, buffer_text(&bytes));
    buffer_free(&bytes);
    session_wait(session, WAIT_MS);
    return true;
}

struct reply sender_check_reply(struct session *session, const struct sender_rcpt_answer *answer)
{
    session->transaction.is_sender_checked = answer->is_for_all;
    if (answer->delay != SENDER_GREYLISTED) return (struct reply){ 0 };
    struct text text = arena_printf(session->mail, GREYLIST_SAYS, answer->wait_s);
    return (struct reply){ 451, "4.7.1", text.at, REFUSAL_POLICY, .cause = "GREYLISTED" };
}

void sender_check_question(struct session *session, struct text from)
{
    const struct envelope *envelope = &session->transaction.envelope;
    struct text recipients[SENDER_RECIPIENTS_MOST];
    struct buffer bytes = { 0 };
    uint32_t count = 0;
    for (; count < envelope->recipient_count && count < SENDER_RECIPIENTS_MOST; count++)
        recipients[count] = envelope->recipients[count].address;
    struct sender_subject subject = subject_of(session, recipients, count);
    subject.from = from;
    sender_subject_put(&subject, &bytes);
    question_set_add(&session->questions, QUESTION_OF_MESSAGE, QUESTION_HISTORY, buffer_text(&bytes));
    buffer_free(&bytes);
}

/* --- telling --- */

/* What is not judged is taken for all. */
static bool is_taken(const struct verdict *verdict, uint32_t i)
{
    return verdict->recipient_count == 0 || verdict_is_taken(verdict, i);
}

/* The address in From, as scan found it. */
static struct text from_of(struct session *session)
{
    const struct question_set *set = &session->questions;
    struct sender_subject subject;
    for (uint32_t i = set->of_session; i < set->count; i++)
        if (set->items[i].kind == QUESTION_HISTORY &&
            sender_subject_get(session->mail, set->items[i].subject, &subject))
            return subject.from;
    return TEXT_NONE;
}

void sender_check_tell(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->envelope;
    const struct verdict *verdict = &transaction->verdict;
    if (!config_remembers(session->server->config) || !session->server->lookup) return;
    struct text recipients[SENDER_RECIPIENTS_MOST];
    struct sender_seen seen = { .event = SENDER_MESSAGE,
                                .proven =
                                    verdict->proof.dmarc == PROOF_PASS ? verdict->proof.author : TEXT_NONE,
                                .is_spam = verdict->is_spam_alone || facts_are_infected(&transaction->read),
                                .is_greylisted = verdict->is_greylisted };
    uint32_t count = 0;
    for (; count < envelope->recipient_count && count < SENDER_RECIPIENTS_MOST; count++) {
        recipients[count] = envelope->recipients[count].address;
        if (is_taken(verdict, count)) seen.taken |= UINT64_C(1) << count;
    }
    seen.subject = subject_of(session, recipients, count);
    if (verdict->recipient_count > 0) seen.subject.direction = verdict->direction;
    seen.subject.from = from_of(session);
    sender_tell(session->server->lookup, transaction->id, &seen);
}
