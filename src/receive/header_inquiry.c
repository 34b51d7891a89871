/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/header_inquiry.h"

#include "auth/plain_header.h"
#include "auth/policy_question.h"
#include "config/domains.h"
#include "config/greylist.h"
#include "receive/sender_check.h"

static void question_add(struct session *session, enum question_kind kind, struct text subject)
{
    question_set_add(&session->questions, QUESTION_OF_MESSAGE, kind, subject);
}

static void authentication_put(struct session *session, const struct plain_header *header)
{
    struct text sender = session->transaction.envelope.sender;
    const struct policy_question policy = { &header->domain, 1,
                                            sender.length ? envelope_domain_of(sender)
                                                          : session->dialogue.helo,
                                            header->signers, header->signer_count };
    struct buffer bytes = { 0 };
    for (uint32_t i = 0; i < header->key_count; i++) question_add(session, QUESTION_KEY, header->keys[i]);
    policy_question_put(&policy, &bytes);
    question_add(session, QUESTION_POLICY, buffer_text(&bytes));
    buffer_free(&bytes);
}

bool header_inquiry_put(struct session *session)
{
    const struct config *config = session->server->config;
    struct transaction *transaction = &session->transaction;
    struct plain_header header;
    bool authenticates = config_authenticates(config), remembers = config_remembers(config);
    if (!session_is_judged(session) || transaction->is_undecided || !(authenticates || remembers))
        return false;
    if (!plain_header_read(session->mail, body_text(&transaction->body), &header)) return false;
    if (authenticates) authentication_put(session, &header);
    if (remembers) sender_check_question(session, header.author);
    return true;
}

bool header_inquiry_is_open(const struct session *session)
{
    return question_set_awaits(&session->questions, ANSWERER_LOOKUP);
}
