/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each step ends in the next one or in a reply. Nothing here blocks. */
#include "receive/judging.h"

#include "base/log.h"
#include "config/domains.h"
#include "config/engines.h"
#include "config/hosted.h"
#include "config/spam_lines.h"
#include "ipc/ask_consult.h"
#include "receive/account.h"
#include "receive/campaign_count.h"
#include "receive/client_presence.h"
#include "receive/header_inquiry.h"
#include "receive/hour_limits.h"
#include "receive/lesson_offer.h"
#include "receive/list_check.h"
#include "receive/queue_request.h"
#include "receive/rate_check.h"
#include "receive/recipients.h"
#include "receive/sender_check.h"
#include "receive/settle.h"
#include "receive/trace.h"

enum { ANSWER_GRACE_MS = 1000 };   /* beyond the deadline at which lookup itself gives up */
enum { INQUIRY_MS = 50 };          /* what lookup knows it says within one, and the DNS mostly within these */
enum { ANSWERS_MOST = 32 * 1024 }; /* bytes that go along with a message to be read */
enum { REASON_MOST = 399 };        /* of a refusal by verdict */

static void decide(struct session *session);

/* --- ask --- */

/* Of a cloud's client: the name in `hosted` that its certificate has. A certificate that was shown before
   XCLIENT is the node's, and what stands behind the node showed is not known here. */
static struct text certificate_of(const struct session *session)
{
    const struct hosted *hosted = config_hosted(session->server->config, &session->client);
    bool is_shown = hosted && session->asked_as && !session->dialogue.speaks_for &&
                    text_equal(session->asked_as->name, hosted->name);
    for (size_t i = 0; is_shown && i < hosted->certificates.count; i++)
        if (stream_peer_has_name(session->stream, hosted->certificates.items[i]))
            return hosted->certificates.items[i];
    return TEXT_NONE;
}

static struct occasion occasion_of(struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    struct text *recipients = arena_alloc_array(session->mail, envelope->recipient_count, sizeof *recipients);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) recipients[i] = envelope->recipients[i].address;
    struct occasion occasion = { .id = session->transaction.id,
                                 .listener = session->port->number,
                                 .direction = session->port->listener.direction,
                                 .client = session->client,
                                 .helo = session->dialogue.helo,
                                 .sender = envelope->sender,
                                 .smtputf8 = envelope->smtputf8,
                                 .secure = session->dialogue.speaks_for ? session->client_tls.length > 0
                                                                        : stream_is_secure(session->stream),
                                 .is_undecided = session->transaction.is_undecided,
                                 .recipient_count = envelope->recipient_count,
                                 .recipients = recipients,
                                 .has_harvested = hour_limits_has_harvested(session) };
    if (occasion.is_undecided) occasion.certificate = certificate_of(session);
    return occasion;
}

/* The fields before it are made now, since scan vouches for them too: the client's name may have come. */
static struct scan_question question_of(struct session *session)
{
    struct occasion occasion = occasion_of(session);
    session->transaction.keep.prefix = trace_fields(session);
    return (struct scan_question){ occasion, session->transaction.keep.prefix, session->questions.items,
                                   session->questions.count };
}

/* Answers that leave no room for all else in the frame stay here until it is to be decided. */
static void answers_fit(struct session *session, struct scan_question *question)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < question->question_count; i++) bytes += question->questions[i].value.length;
    if (bytes <= ANSWERS_MOST) return;
    struct question *open = arena_alloc_array(session->mail, question->question_count, sizeof *open);
    for (uint32_t i = 0; i < question->question_count; i++)
        open[i] = (struct question){ .kind = question->questions[i].kind,
                                     .subject = question->questions[i].subject };
    question->questions = open;
}

/* Within what is left of the time for judging. */
static void judging_wait(struct session *session, uint64_t limit_ms)
{
    uint64_t now = loop_now_ms(session->server->loop), by = session->transaction.verdict_by_ms;
    uint64_t left = by > now ? by - now : 0;
    timer_set(session->timer, limit_ms < left ? limit_ms : left);
}

static void read_ask(struct session *session)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    struct scan_question question = question_of(session);
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    transaction->step = STEP_JUDGING;
    judging_wait(session, server->config->limits.verdict_ms);
    if (!server->scan) return; /* it is being restarted; transaction_scan_is_back asks */
    answers_fit(session, &question);
    struct buffer *out = channel_begin(server->scan, SCAN_READ, transaction->id);
    scan_read_put(&question, &transaction->body, out, fds, &fd_count);
    channel_end_fds(server->scan, fds, fd_count);
}

/* The id leads to the line of the log that says why. */
static void settle_unjudged(struct session *session)
{
    char id[MESSAGE_ID_SIZE];
    struct text text =
        arena_printf(session->mail, "the message could not be judged now, try again later (id %s)",
                     message_id_print(session->transaction.id, id));
    settle_with(session, 451, "4.3.0", text.at);
}

/* Of some recipient's domain, by config_virus_mode. */
static bool has_other_mode(const struct session *session, enum mode mode,
                           enum mode (*mode_of)(const struct config *config, const struct domain *domain))
{
    const struct config *config = session->server->config;
    const struct envelope *envelope = &session->transaction.envelope;
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        struct text domain = envelope_domain_of(envelope->recipients[i].address);
        if (mode_of(config, config_find_domain(config, domain)) != mode) return true;
    }
    return false;
}

/* Begun as early as the whole message is there, beside scan's own look at it. Where it is open from where it
   comes, the engines of both ways are asked. */
static void engines_ask(struct session *session)
{
    const struct config *config = session->server->config;
    const struct transaction *transaction = &session->transaction;
    if (config->engine_count == 0 || !has_other_mode(session, MODE_OFF, config_virus_mode)) return;
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *engine = &config->engines[i];
        if (transaction->is_undecided || config_engine_minds(engine, session->port->listener.direction))
            question_set_add(&session->questions, QUESTION_OF_MESSAGE, QUESTION_ENGINE, engine->name);
    }
}

/* What second opinions are told of the envelope, once for all of them. */
static void opinion_envelope_write(struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    char id[MESSAGE_ID_SIZE];
    struct text recipients[CONSULT_RECIPIENTS_MOST];
    struct text trace = trace_fields(session);
    struct buffer bytes = { 0 };
    struct consult_envelope told = { .id = text_of(message_id_print(session->transaction.id, id)),
                                     .client = session->client_text,
                                     .client_name = session->client_name,
                                     .helo = session->dialogue.helo,
                                     .sender = envelope->sender,
                                     .trace = trace,
                                     .recipients = recipients };
    /* Text without a header begins behind an empty line, as for those who get it. */
    if (session->transaction.glance.is_missing)
        told.trace = arena_printf(session->mail, "%.*s\r\n", TEXT_ARG(trace));
    for (; told.recipient_count < envelope->recipient_count && told.recipient_count < CONSULT_RECIPIENTS_MOST;
         told.recipient_count++)
        recipients[told.recipient_count] = envelope->recipients[told.recipient_count].address;
    consult_envelope_put(&told, &bytes);
    session->transaction.opinion_envelope = arena_text(session->mail, buffer_text(&bytes));
    buffer_free(&bytes);
}

/* For some recipient. */
static bool is_spam_judged(const struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (config_spam_lines(session->server->config, envelope->recipients[i].address).mode != MODE_OFF)
            return true;
    return false;
}

/* Where it is open from where it comes, those of both ways are asked. */
static void opinions_ask(struct session *session)
{
    const struct config *config = session->server->config;
    if (config->opinion_count == 0 || !is_spam_judged(session)) return;
    for (size_t i = 0; i < config->opinion_count; i++) {
        const struct outside_engine *opinion = &config->opinions[i];
        if (!session->transaction.is_undecided &&
            !config_engine_minds(opinion, session->port->listener.direction))
            continue;
        if (session->transaction.opinion_envelope.length == 0) opinion_envelope_write(session);
        question_set_add(&session->questions, QUESTION_OF_MESSAGE, QUESTION_OPINION, opinion->name);
    }
}

/* Who gets it is protected from viruses in earnest, and what was found is held or refused: points change
   nothing. */
static bool is_lot_certain(const struct session *session, const struct facts *facts)
{
    const struct config *config = session->server->config;
    if (session->transaction.is_undecided || !facts_are_infected(facts)) return false;
    enum action action =
        config_virus_action(config, facts->virus_findings[0].class, session->port->listener.direction);
    return (action == ACTION_QUARANTINE || action == ACTION_REJECT || action == ACTION_DISCARD) &&
           !has_other_mode(session, MODE_ON, config_virus_mode);
}

/* What can be known before scan reads goes along with it: then it decides at once. */
static void inquire(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    transaction->step = STEP_INQUIRING;
    transaction->inquired_ms = loop_now_ms(session->server->loop);
    bool is_put = header_inquiry_put(session);
    session_ask(session);
    /* what is open elsewhere will be waited for in any case */
    if (is_put && header_inquiry_is_open(session) &&
        !question_set_awaits(&session->questions, ANSWERER_CONSULT))
        judging_wait(session, INQUIRY_MS);
    else
        read_ask(session);
}

static void inquiry_end(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    transaction->inquiring_ms = loop_now_ms(session->server->loop) - transaction->inquired_ms;
    read_ask(session);
}

void judging_begin(struct session *session)
{
    uint64_t limit_ms = session->server->config->limits.verdict_ms;
    session->transaction.verdict_by_ms = loop_now_ms(session->server->loop) + limit_ms;
    session_wait(session, limit_ms);
    if (session->transaction.is_undecided || keep_is_judged(session)) {
        engines_ask(session);
        opinions_ask(session);
        inquire(session);
    } else {
        if (session->port->listener.direction == DIRECTION_OUT) sender_check_tell(session);
        settle_reply(session, keep_unjudged(session));
    }
}

/* How long the open questions may take, of which each answerer keeps its own time. The wait before scan read
 * counts.
 */
static uint64_t answers_ms(const struct session *session)
{
    const struct config *config = session->server->config;
    uint64_t most = config->dns.timeout_ms, waited = session->transaction.inquiring_ms;
    if (!question_set_awaits(&session->questions, ANSWERER_CONSULT))
        return most + ANSWER_GRACE_MS - (waited < ANSWER_GRACE_MS ? waited : ANSWER_GRACE_MS);
    for (size_t i = 0; i < config->engine_count; i++)
        if (config->engines[i].time_ms > most) most = config->engines[i].time_ms;
    for (size_t i = 0; i < config->opinion_count; i++)
        if (config->opinions[i].time_ms > most) most = config->opinions[i].time_ms;
    return most + ANSWER_GRACE_MS;
}

void judging_facts(struct session *session, struct frame *frame)
{
    struct transaction *transaction = &session->transaction;
    struct question_set *set = &session->questions;
    struct found found;
    struct facts facts;
    if (transaction->step != STEP_JUDGING) return;
    transaction->found = arena_text(session->mail, frame->payload);
    if (!found_get(transaction->found, &found) || !found_facts(session->mail, &found, &facts)) {
        log_error("scan sent facts that make no sense");
        settle_unjudged(session);
        return;
    }
    question_set_drop_strays(set, &facts);
    for (uint32_t i = 0; i < facts.question_count; i++)
        question_set_add(set, QUESTION_OF_MESSAGE, facts.questions[i].kind, facts.questions[i].subject);
    session_ask(session);
    if (is_lot_certain(session, &facts)) question_set_drop_opinions(set, session->server->consult);
    transaction->step = STEP_ASKING;
    if (question_set_is_open(set))
        judging_wait(session, answers_ms(session));
    else
        decide(session);
}

/* --- decide --- */

static void decide(struct session *session)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    struct scan_question question = question_of(session);
    transaction->step = STEP_DECIDING;
    judging_wait(session, server->config->limits.verdict_ms);
    if (!server->scan) return;
    struct buffer *payload = &server->scratch;
    buffer_clear(payload);
    scan_decide_put(&question, transaction->found, payload);
    if (buffer_length(payload) <= SCAN_PAYLOAD_MOST) {
        channel_send(server->scan, SCAN_DECIDE, transaction->id, buffer_text(payload));
        return;
    }
    log_error("facts, answers and recipients of a message do not fit a frame");
    settle_unjudged(session);
}

/* Goes on where the last answer was waited for. */
static void answers_look(struct session *session)
{
    enum transaction_step step = session->transaction.step;
    if (step == STEP_ASKING && !question_set_is_open(&session->questions))
        decide(session);
    else if (step == STEP_INQUIRING && !header_inquiry_is_open(session))
        inquiry_end(session);
    else
        list_check_answered(session);
}

void judging_answered(struct session *session, uint64_t id, const struct question_answer *answer)
{
    if (!question_set_answer(&session->questions, id, answer)) return;
    const struct question *name = session_name(session);
    if (name && name->status == ANSWER_FOUND) session->client_name = name->value;
    answers_look(session);
}

void judging_unanswered(struct session *session, enum question_answerer gone)
{
    question_set_close_of(&session->questions, gone);
    if (gone == ANSWERER_LOOKUP && session->sender_ask)
        recipient_sender_known(session, NULL);
    else
        answers_look(session);
}

/* Judged without what nobody answered; false: the time for judging is over too. */
static bool decide_late(struct session *session)
{
    char id[MESSAGE_ID_SIZE];
    struct buffer open = { 0 };
    if (loop_now_ms(session->server->loop) >= session->transaction.verdict_by_ms) return false;
    question_set_print_open(&session->questions, &open);
    log_of(LOG_LEVEL_WARNING, message_id_print(session->transaction.id, id), "%s: no answer in time: %.*s",
           id, TEXT_ARG(buffer_text(&open)));
    buffer_free(&open);
    question_set_close(&session->questions);
    decide(session);
    return true;
}

/* By the verdict, for all recipients. */
static void settle_refused(struct session *session)
{
    const struct verdict *verdict = &session->transaction.verdict;
    char id[MESSAGE_ID_SIZE];
    struct text enhanced = arena_text(session->mail, text_slice(verdict->enhanced, 0, 15));
    struct text reason = arena_printf(session->mail, "%.*s (id %s)", TEXT_ARG(verdict->reason),
                                      message_id_print(session->transaction.id, id));
    account_log_verdict(session);
    settle_reply(session, (struct reply){ verdict->code, enhanced.at,
                                          arena_text(session->mail, text_slice(reason, 0, REASON_MOST)).at,
                                          verdict->kind });
}

static bool has_foreign(const struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        struct text address = envelope->recipients[i].address;
        if (config_is_foreign(session->server->config, address, envelope_domain_of(address))) return true;
    }
    return false;
}

/* From a cloud that strangers use too nothing goes to others but what is proven to be ours, whatever a
   verdict says. */
static bool is_relaying(const struct session *session, const struct verdict *verdict)
{
    return session->transaction.is_undecided && verdict->direction == DIRECTION_IN && verdict->code == 250 &&
           has_foreign(session);
}

static bool is_sensible(const struct session *session, const struct verdict *verdict)
{
    const struct transaction *transaction = &session->transaction;
    return verdict->recipient_count == transaction->envelope.recipient_count &&
           (transaction->is_undecided || verdict->direction == session->port->listener.direction) &&
           !is_relaying(session, verdict);
}

void judging_verdict(struct session *session, struct frame *frame)
{
    struct transaction *transaction = &session->transaction;
    if (transaction->step != STEP_JUDGING && transaction->step != STEP_DECIDING) return;
    struct judged judged;
    bool good = judged_get(session->mail, arena_text(session->mail, frame->payload), &judged) &&
                is_sensible(session, &judged.verdict);
    if (!good) {
        log_error("scan sent a verdict that makes no sense");
        settle_unjudged(session);
        return;
    }
    question_set_drop_strays(&session->questions, &judged.facts);
    transaction->read = judged.facts;
    transaction->verdict = judged.verdict;
    transaction->keep.voucher = judged.voucher;
    transaction->keep.direction = (uint8_t)judged.verdict.direction;
    settle_measure(&session->server->measures->judging, transaction->whole_us);
    account_verdict(session);
    struct occasion occasion = occasion_of(session);
    account_explain(session, &occasion);
    campaign_count_tell(session);
    sender_check_tell(session);
    lesson_offer_tell(session);
    rate_check_tell(session);
    keep_alert(session);
    if (transaction->verdict.code == 250)
        settle_reply(session, client_presence_begin(session));
    else
        settle_refused(session);
}

void judging_scan_failed(struct session *session, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    enum scan_failure why = get_u8(&reader);
    struct text text = get_text(&reader);
    char id[MESSAGE_ID_SIZE];
    if (session->transaction.step != STEP_JUDGING && session->transaction.step != STEP_DECIDING) return;
    log_of(LOG_LEVEL_WARNING, message_id_print(session->transaction.id, id), "%s: could not be judged: %.*s",
           id, TEXT_ARG(text));
    session->server->counters->unscanned++;
    if (why == SCAN_POISON && session->transaction.is_undecided && has_foreign(session))
        settle_reply(session, (struct reply){ 550, "5.7.1", "relaying denied: the message cannot be judged",
                                              REFUSAL_POLICY });
    else if (why == SCAN_POISON)
        settle_reply(session, keep_poison(session));
    else
        settle_unjudged(session);
}

void judging_scan_is_back(struct session *session)
{
    if (session->transaction.step == STEP_JUDGING) read_ask(session);
    if (session->transaction.step == STEP_DECIDING) decide(session);
}

bool judging_goes_on(struct session *session)
{
    if (session->transaction.step != STEP_INQUIRING)
        return session->transaction.step == STEP_ASKING && decide_late(session);
    inquiry_end(session);
    return true;
}
