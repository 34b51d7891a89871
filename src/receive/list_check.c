/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/list_check.h"

#include "base/log.h"
#include "config/list_setting.h"
#include "config/spam_lines.h"
#include "judge/list_answer.h"

enum { ANSWER_GRACE_MS = 500 }; /* beyond the deadline at which lookup itself gives up */

static bool is_asked(const struct session *session, enum list_about about)
{
    return session_is_judged(session) && config_lists_about(session->server->config) >> about & 1;
}

static void question_put(struct session *session, enum question_life life, enum list_about about,
                         struct text value)
{
    struct buffer subject = { 0 };
    if (value.length == 0 || !is_asked(session, about)) return;
    list_subject_put(about, value, &subject);
    question_set_add(&session->questions, life, QUESTION_LIST, buffer_text(&subject));
    buffer_free(&subject);
}

void list_check_client(struct session *session)
{
    question_put(session, QUESTION_OF_SESSION, LIST_ABOUT_CLIENT, session->client_text);
    session_ask(session);
}

void list_check_sender(struct session *session)
{
    question_put(session, QUESTION_OF_MESSAGE, LIST_ABOUT_HELO, session->dialogue.helo);
    question_put(session, QUESTION_OF_MESSAGE, LIST_ABOUT_SENDER,
                 envelope_domain_of(session->transaction.envelope.sender));
    session_ask(session);
}

/* NULL: it was not asked. */
static const struct question *client_question(const struct session *session)
{
    struct buffer subject = { 0 };
    list_subject_put(LIST_ABOUT_CLIENT, session->client_text, &subject);
    const struct question *question =
        question_set_find(&session->questions, QUESTION_LIST, buffer_text(&subject));
    buffer_free(&subject);
    return question;
}

/* --- waiting --- */

static bool is_awaited(const struct session *session)
{
    const struct question *question = client_question(session);
    return question && question->status == ANSWER_PENDING;
}

bool list_check_wait(struct session *session)
{
    const struct config *config = session->server->config;
    if (session->lists_missed || !config_lists_refuse_clients(config) || !is_awaited(session)) return false;
    session->waits_for_lists = true;
    session_wait(session, config->dns.timeout_ms + ANSWER_GRACE_MS);
    return true;
}

void list_check_answered(struct session *session)
{
    if (!session->waits_for_lists || is_awaited(session)) return;
    session->waits_for_lists = false;
    session_go_on(session, SESSION_COMMAND);
}

void list_check_missed(struct session *session)
{
    session->lists_missed = true;
    session->waits_for_lists = false;
    session_go_on(session, SESSION_COMMAND);
}

/* --- refusing --- */

/* The first of the lists that refuse clients; NULL: none has it. */
static const struct list_hit *refusing_hit(const struct config *config, const struct list_answer *answer,
                                           const struct list_setting **out_setting)
{
    for (uint32_t i = 0; i < answer->hit_count; i++) {
        *out_setting = config_list_find(config, answer->hits[i].list);
        if (*out_setting && (*out_setting)->action == ACTION_REJECT) return &answer->hits[i];
    }
    return NULL;
}

/* Mail for the postmaster is taken from everybody (RFC 5321 section 4.5.1): who is listed by mistake writes
   there. */
static bool may_refuse(const struct session *session, const struct rcpt_decision *decision)
{
    const struct config *config = session->server->config;
    if (!rcpt_may_be_taken(decision) || decision->is_for_us || session->transaction.is_undecided)
        return false;
    if (mailbox_is_for_postmaster(decision->recipient.address)) return false;
    return config_spam_lines(config, decision->recipient.address).mode == MODE_ON;
}

struct reply list_check_refusal(struct session *session, const struct rcpt_decision *decision)
{
    const struct config *config = session->server->config;
    const struct question *question = client_question(session);
    const struct list_setting *setting;
    struct list_answer answer;
    struct buffer says = { 0 };
    if (!question || question->status != ANSWER_FOUND || !may_refuse(session, decision))
        return (struct reply){ 0 };
    if (!list_answer_get(question->value, &answer)) return (struct reply){ 0 };
    const struct list_hit *hit = refusing_hit(config, &answer, &setting);
    if (!hit) return (struct reply){ 0 };
    list_hit_say(question->subject, hit, list_setting_means(setting, &hit->answer), &says);
    struct text text = arena_printf(session->mail, "%.*s", TEXT_ARG(buffer_text(&says)));
    buffer_free(&says);
    char room[LIST_SIGNAL_SIZE];
    struct text cause = arena_printf(session->mail, "%s", list_setting_signal(setting, room));
    return (struct reply){ 554, "5.7.1", text.at, REFUSAL_POLICY, .cause = cause.at };
}
