/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts, and tells ledger and log. Called by queue_request.c, drop.c, judging.c, settle.c and all who refuse. */
#include "receive/account.h"

#include <stdio.h>

#include "base/log.h"
#include "config/closed_kinds.h"
#include "config/spam_lines.h"
#include "ipc/ask_scan.h"
#include "ipc/explanation.h"
#include "judge/signal_family.h"
#include "receive/refusals.h"

enum { REPLY_LINE_MOST = 600 };

void account_verdict(struct session *session)
{
    struct receive_counters *counters = session->server->counters;
    const struct verdict *verdict = &session->transaction.verdict;
    counters->scanned++;
    if (facts_has_virus(&session->transaction.read)) counters->infected++;
    if (session->transaction.read.virus == SCAN_UNSCANNED) counters->unscanned++;
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        if (verdict->recipients[i].action == ACTION_TAG) counters->tagged++;
        if (verdict->recipients[i].action == ACTION_QUARANTINE) counters->quarantined++;
        if (verdict->recipients[i].observed != ACTION_ACCEPT) counters->observed++;
    }
}

/* A message and its recipients that all fare alike. */
static void fate_measure(const struct session *session, enum measures_verdict fate)
{
    struct receive_measures *measures = session->server->measures;
    measures->messages[fate]++;
    measures->recipients[fate] += session->transaction.envelope.recipient_count;
}

/* One that is answered 250: each recipient by its action, the message by the severest. */
static void taken_measure(const struct session *session)
{
    static const enum measures_verdict fates[] = {
        [ACTION_ACCEPT] = MEASURES_ACCEPTED,        [ACTION_TAG] = MEASURES_TAGGED,
        [ACTION_QUARANTINE] = MEASURES_QUARANTINED, [ACTION_REJECT] = MEASURES_REJECTED,
        [ACTION_DISCARD] = MEASURES_DISCARDED,      [ACTION_DEFER] = MEASURES_DEFERRED
    };
    struct receive_measures *measures = session->server->measures;
    const struct verdict *verdict = &session->transaction.verdict;
    enum measures_verdict worst = MEASURES_ACCEPTED;
    if (verdict->recipient_count == 0) {
        fate_measure(session, session->transaction.is_poison ? MEASURES_QUARANTINED : MEASURES_ACCEPTED);
        return;
    }
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        enum measures_verdict fate = fates[verdict->recipients[i].action];
        measures->recipients[fate]++;
        if (fate > worst) worst = fate;
    }
    measures->messages[worst]++;
}

/* What the number of its points does not tell. */
static bool is_worth_words(struct text signal)
{
    static const char *const names[] = { "CAMPAIGN",    "ALLOWED_",  "BLOCKED_", "ALLOW_UNPROVEN_", "ENTRY_",
                                         "REPUTATION_", "GREYLIST_", "INSIDE_",  "SIGNUP_FLOOD" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(signal, text_of(names[i]))) return true;
    return false;
}

/* "CAMPAIGN: the same text came 312 times from 57 networks since 09:10". */
static void signals_log(const struct verdict *verdict, const char *id)
{
    for (uint32_t i = 0; i < verdict->signal_count; i++)
        if (is_worth_words(verdict->signals[i].name))
            log_of(LOG_LEVEL_INFO, id, "%s: %.*s: %.*s", id, TEXT_ARG(verdict->signals[i].name),
                   TEXT_ARG(verdict->signals[i].about));
}

void account_log_verdict(const struct session *session)
{
    char id[MESSAGE_ID_SIZE];
    message_id_print(session->transaction.id, id);
    const struct facts *facts = &session->transaction.read;
    if (session->transaction.verdict.recipient_count == 0) return;
    log_of(LOG_LEVEL_INFO, id, "%s: message-id=%.*s", id, TEXT_ARG(facts->message_id));
    log_of(LOG_LEVEL_INFO, id, "%s: verdict: %.*s subject=\"%.*s\"", id,
           TEXT_ARG(session->transaction.verdict.summary), TEXT_ARG(facts->subject));
    signals_log(&session->transaction.verdict, id);
}

enum { LIST_ROOM = 64 }; /* recipients and signals on the stack */

/* Of the worst that the virus check found; what could not be looked into stands behind an engine that failed.
 */
static enum message_class virus_class_of(const struct facts *facts)
{
    if (facts->virus == SCAN_UNSCANNED) return CLASS_UNSCANNED;
    return facts->virus_finding_count ? class_of_virus(facts->virus_findings[0].class) : CLASS_NONE;
}

static enum message_class class_of(const struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    enum message_class class = virus_class_of(&transaction->read);
    if (class == CLASS_VIRUS || class == CLASS_PHISHING) return class;
    if (transaction->verdict.is_spam) return CLASS_SPAM;
    if (class != CLASS_NONE) return class;
    if (transaction->read.ambiguous) return CLASS_AMBIGUOUS;
    return transaction->verdict.newsletter.length ? CLASS_NEWSLETTER : CLASS_NONE;
}

/* An event has room for about thirty: of more, those that the ledger counts by what became of them come
 * first.
 */
static uint32_t signals_fill(const struct verdict *verdict, struct event_signal room[LIST_ROOM])
{
    enum { EVENT_ROOM = 30 };
    bool is_crowded = verdict->signal_count > EVENT_ROOM;
    uint32_t count = 0;
    for (int pass = is_crowded ? 0 : 1; pass < 2; pass++)
        for (uint32_t i = 0; i < verdict->signal_count && count < LIST_ROOM; i++) {
            const struct signal *signal = &verdict->signals[i];
            bool is_first = is_crowded && signal_family_of(signal->name) != SIGNAL_FAMILY_NONE;
            if (is_first == (pass == 0))
                room[count++] = (struct event_signal){ signal->name, signal->points };
        }
    return count;
}

/* What ledger is told of the judgement. Texts are borrowed; the signals stand in `room` as far as they fit.
 */
static struct event_judgement judgement_of(const struct session *session, struct event_signal room[LIST_ROOM])
{
    const struct facts *facts = &session->transaction.read;
    const struct verdict *verdict = &session->transaction.verdict;
    if (session->transaction.is_poison)
        return (struct event_judgement){ .is_judged = true, .class = CLASS_POISON };
    if (verdict->recipient_count == 0) return (struct event_judgement){ 0 };
    uint32_t count = signals_fill(verdict, room);
    return (struct event_judgement){ .is_judged = true,
                                     .class = class_of(session),
                                     .score = verdict->score,
                                     .virus = facts->virus_name,
                                     .engine = facts->engine,
                                     .subject = facts->subject,
                                     .message_id = facts->message_id,
                                     .author = facts->from,
                                     .signal_count = count,
                                     .signals = room,
                                     .proof = verdict->proof,
                                     .not_opened = closed_kinds_list(session->mail, facts->not_opened),
                                     .part_count = facts->part_digest_count,
                                     .parts = facts->part_digests };
}

/* The kept recipients, in their order; those that were discarded are left out, as in keep_judged. */
static void recipients_fill(const struct transaction *transaction, struct event_recipient *list)
{
    const struct envelope *envelope = &transaction->keep.envelope;
    const struct verdict *verdict = &transaction->verdict;
    uint32_t from = 0;
    for (uint32_t i = 0; i < envelope->recipient_count; i++, from++) {
        while (from < verdict->recipient_count && verdict->recipients[from].action == ACTION_DISCARD) from++;
        list[i] = (struct event_recipient){ .address = envelope->recipients[i].address,
                                            .hold = (uint8_t)transaction->keep.recipients[i].hold };
        if (from >= verdict->recipient_count) continue;
        list[i].action = (uint8_t)verdict->recipients[from].action;
        list[i].observed = (uint8_t)verdict->recipients[from].observed;
    }
}

/* Of what engines outside were asked about, the verdict comes with facts that have their answers already:
   what can be decided again are those before. */
static const struct facts *facts_undecided(struct session *session, struct facts *room)
{
    struct found found;
    struct text bytes = session->transaction.found;
    bool is_there = bytes.length && found_get(bytes, &found) && found_facts(session->mail, &found, room);
    return is_there ? room : &session->transaction.read;
}

static void evidence_fill(struct session *session, const struct occasion *occasion, struct buffer *room,
                          struct explanation *explanation)
{
    struct facts facts;
    struct explanation_evidence evidence = { .occasion = *occasion,
                                             .facts = *facts_undecided(session, &facts),
                                             .answers = session->questions.items,
                                             .answer_count = session->questions.count };
    if (!explanation_evidence_put(&evidence, room)) return;
    explanation->evidence_version = EVIDENCE_VERSION;
    explanation->evidence = buffer_text(room);
}

static void lines_fill(const struct config *config, const struct occasion *occasion, bool is_newsletter,
                       struct explanation *explanation)
{
    for (uint32_t i = 0; i < explanation->recipient_count && i < occasion->recipient_count; i++) {
        const struct spam_lines lines = config_spam_lines(config, occasion->recipients[i]);
        struct explanation_recipient *one = &explanation->recipients[i];
        one->tag = (float)(is_newsletter ? config_newsletter_line(config, &lines) : lines.tag);
        one->quarantine = (float)lines.quarantine;
        one->reject = (float)lines.reject;
    }
}

void account_explain(struct session *session, const struct occasion *occasion)
{
    struct server *server = session->server;
    const struct facts *facts = &session->transaction.read;
    struct buffer evidence = { 0 }, record = { 0 }, event = { 0 };
    if (server->config->ledger.explanations_ms == 0) return;
    const struct spam_lines lines = config_spam_lines(
        server->config, occasion->recipient_count > 0 ? occasion->recipients[0] : TEXT_NONE);
    bool is_newsletter = session->transaction.verdict.newsletter.length > 0;
    struct explanation explanation = { .id = session->transaction.id,
                                       .time_ms = loop_wall_ms(server->loop),
                                       .class = class_of(session),
                                       .tag = is_newsletter ? config_newsletter_line(server->config, &lines)
                                                            : lines.tag,
                                       .quarantine = lines.quarantine,
                                       .reject = lines.reject,
                                       .virus = facts->virus,
                                       .is_ambiguous = facts->ambiguous,
                                       .virus_name = facts->virus_name,
                                       .engine = facts->engine,
                                       .findings = facts->findings };
    explanation_verdict(&explanation, &session->transaction.verdict);
    lines_fill(server->config, occasion, is_newsletter, &explanation);
    evidence_fill(session, occasion, &evidence, &explanation);
    explanation_put(&explanation, &record);
    explanation_event_put(buffer_text(&record), &event);
    ring_append_spare(server->ring, buffer_text(&event));
    buffer_free(&event);
    buffer_free(&record);
    buffer_free(&evidence);
}

void account_event(struct server *server, struct text record)
{
    if (ring_append(server->ring, record)) return;
    if (allowance_take(&server->trouble, 1, 1, loop_now_ms(server->loop)))
        log_error("the event record is full: an event is lost, balance will show it");
}

static void tell_ledger(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->keep.envelope;
    struct event_recipient recipients[LIST_ROOM];
    struct event_signal signals[LIST_ROOM];
    struct event_recipient *list =
        envelope->recipient_count <= LIST_ROOM
            ? recipients
            : arena_alloc_array(session->mail, envelope->recipient_count, sizeof *list);
    recipients_fill(transaction, list);
    struct event_accepted event = { .id = transaction->id,
                                    .time_ms = transaction->arrived_ms,
                                    .size = transaction->body.size,
                                    .direction = transaction->keep.direction,
                                    .client = session->client,
                                    .helo = session->dialogue.helo,
                                    .sender = envelope->sender,
                                    .judgement = judgement_of(session, signals),
                                    .recipient_count = envelope->recipient_count,
                                    .recipients = list };
    struct buffer record = { 0 };
    for (uint32_t first = 0; first < event.recipient_count;) {
        buffer_clear(&record);
        first += event_accepted_put(&event, first, &record);
        account_event(session->server, buffer_text(&record));
    }
    buffer_free(&record);
}

/* Of what nobody receives only the infected files matter: they stand first. */
static void infected_alone(struct event_judgement *judgement)
{
    uint32_t count = 0;
    while (count < judgement->part_count && count < PART_DIGESTS_INFECTED_MOST &&
           judgement->parts[count].is_infected)
        count++;
    judgement->part_count = count;
}

/* One recipient that does not come into the queue, or at MAIL a sender. Returns the id of the refusal. */
static uint64_t tell_refused(struct session *session, enum event_stage stage, uint32_t number,
                             struct text address, uint16_t code, struct text reply, struct text cause,
                             bool is_message)
{
    const struct transaction *transaction = &session->transaction;
    bool is_sender = stage == STAGE_MAIL;
    struct event_signal signals[LIST_ROOM];
    bool is_content = stage == STAGE_CONTENT;
    bool is_found = is_content && transaction->verdict.tenancy != TENANCY_NOT_ASKED;
    struct event_refused event = { .time_ms = loop_wall_ms(session->server->loop),
                                   .id = is_content ? transaction->id : 0,
                                   .code = code,
                                   .stage = (uint8_t)stage,
                                   .direction = is_found ? transaction->keep.direction
                                                         : (uint8_t)session->port->listener.direction,
                                   .is_message = is_message,
                                   .number = number,
                                   .size = is_content ? transaction->body.size : 0,
                                   .client = session->client,
                                   .helo = session->dialogue.helo,
                                   .sender = is_sender ? address : transaction->envelope.sender,
                                   .recipient = is_sender ? TEXT_NONE : address,
                                   .reply = reply,
                                   .cause = cause };
    if (is_content) event.judgement = judgement_of(session, signals);
    infected_alone(&event.judgement);
    return refusals_add(session->server->refusals,
                        &(struct refusal){ event, session->client_name, session_protocol(session) });
}

/* The counters; the reply on one line. */
static struct text reply_note(struct session *session, enum event_stage stage, const struct reply *reply,
                              char room[REPLY_LINE_MOST])
{
    struct receive_counters *counters = session->server->counters;
    uint64_t *counter = reply->code >= 500 ? &counters->refused_5xx : &counters->refused_4xx;
    (*counter)++;
    session->server->measures->refused[stage][reply->code >= 500]++;
    snprintf(room, REPLY_LINE_MOST, "%u %s %s", reply->code, reply->enhanced, reply->text);
    return text_of(room);
}

uint64_t account_refused(struct session *session, enum event_stage stage, struct text address,
                         const struct reply *reply)
{
    char room[REPLY_LINE_MOST];
    struct text line = reply_note(session, stage, reply, room);
    return tell_refused(session, stage, 0, address, reply->code, line, text_of(reply->cause), false);
}

void account_content_refused(struct session *session, const struct reply *reply)
{
    const struct envelope *envelope = &session->transaction.envelope;
    char room[REPLY_LINE_MOST];
    fate_measure(session, reply->code >= 500 ? MEASURES_REJECTED : MEASURES_DEFERRED);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        struct text line = reply_note(session, STAGE_CONTENT, reply, room);
        session->server->counters->refused_content++;
        tell_refused(session, STAGE_CONTENT, i, envelope->recipients[i].address, reply->code, line, TEXT_NONE,
                     i == 0);
    }
}

void account_discarded(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    bool is_message = transaction->keep.envelope.recipient_count == 0;
    if (is_message) taken_measure(session);
    for (uint32_t i = 0; i < transaction->verdict.recipient_count; i++) {
        if (transaction->verdict.recipients[i].action != ACTION_DISCARD) continue;
        session->server->counters->discarded++;
        tell_refused(session, STAGE_CONTENT, i, transaction->envelope.recipients[i].address, 250,
                     TEXT("250 2.0.0 taken and discarded"), TEXT_NONE, is_message);
        is_message = false;
    }
}

/* Queue may have it once it was asked to keep it: then it counts as kept, whoever hears of it. */
void account_aborted(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    if (transaction->step < STEP_READING || transaction->step > STEP_PROBING) return;
    fate_measure(session, MEASURES_ABORTED);
    for (uint32_t i = 0; i < transaction->envelope.recipient_count; i++) {
        session->server->counters->aborted++;
        tell_refused(session, STAGE_CONTENT, i, transaction->envelope.recipients[i].address, 0, TEXT_NONE,
                     TEXT_NONE, i == 0);
    }
}

void account_accepted(struct session *session)
{
    struct receive_counters *counters = session->server->counters;
    tell_ledger(session);
    account_discarded(session);
    taken_measure(session);
    counters->accepted += session->transaction.keep.envelope.recipient_count;
    counters->messages++;
}

void account_relayed(struct session *session)
{
    session->server->counters->messages_relayed++;
    fate_measure(session, MEASURES_RELAYED);
}

void account_log_client(const struct session *session)
{
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_INFO, message_id_print(session->transaction.id, id),
           "%s: client=%.*s[%.*s], helo=<%.*s>, proto=%s", id, TEXT_ARG(session->client_name),
           TEXT_ARG(session->client_text), TEXT_ARG(session->dialogue.helo), session_protocol(session));
}

void account_log_accepted(const struct session *session)
{
    account_log_client(session);
    account_log_verdict(session);
}
