/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands messages to queue and keeps the account of it: an offer stands in the counters file from before queue
   is asked until its answer is known, so that no crash leaves a recipient uncounted. */
#include "receive/keeping.h"

#include "base/log.h"
#include "config/settings.h"
#include "ipc/event.h"
#include "mail/digest.h"
#include "mail/edits.h"
#include "receive/refusals.h"
#include "receive/transaction.h"

static void content_flags(struct session *session, const struct header_glance *glance)
{
    struct transaction *transaction = &session->transaction;
    const struct dotted *dotted = &transaction->dotted;
    unsigned flags = 0;
    if (glance->has_8bit) flags |= CONTENT_HEADER_8BIT;
    if (glance->body_has_8bit) flags |= CONTENT_BODY_8BIT;
    if (dotted->has_leading_dot) flags |= CONTENT_LEADING_DOT;
    if (dotted->has_long_line) flags |= CONTENT_LONG_LINE;
    if (!dotted_ends_line(dotted)) flags |= CONTENT_NO_END_OF_LINE;
    if (!dotted->has_nul && (!dotted->has_bare || dotted->repair)) flags |= CONTENT_IS_LINES;
    transaction->keep.content = (uint16_t)flags;
}

struct text keep_name(struct session *session, const struct text *pieces, size_t count)
{
    uint8_t name[DIGEST_BYTES];
    digest_signed(session->server->names, pieces, count, name);
    return arena_text(session->mail, text_from((const char *)name, TRANSACTION_BYTES));
}

/* The node names the message; from its journal it may send that in parts, each to some of the recipients. So
   the recipients that are named here belong to the name, or one part would be taken for another. */
static void transaction_narrow(struct session *session)
{
    struct envelope *envelope = &session->transaction.envelope;
    uint32_t count = envelope->recipient_count;
    if (envelope->transaction.length == 0) return;
    struct text *pieces = arena_alloc_array(session->mail, count + 1, sizeof *pieces);
    for (uint32_t i = 0; i < count; i++) pieces[i] = envelope->recipients[i].address;
    pieces[count] = envelope->transaction;
    envelope->transaction = keep_name(session, pieces, count + 1);
}

void keep_prepare(struct session *session, const struct header_glance *glance)
{
    struct transaction *transaction = &session->transaction;
    content_flags(session, glance);
    transaction_narrow(session);
    transaction->keep.id = transaction->id;
    transaction->keep.arrived_ms = transaction->arrived_ms;
    transaction->keep.direction = (uint8_t)session->port->listener.direction;
    transaction->keep.recipients = arena_alloc_array(session->mail, transaction->envelope.recipient_count,
                                                     sizeof *transaction->keep.recipients);
}

/* --- the offer --- */

static bool offer(struct session *session)
{
    struct receive_counters *counters = session->server->counters;
    static uint32_t next;
    for (uint32_t i = 0; i < COUNTERS_OFFERED_SLOTS; i++) {
        uint32_t slot = (next + i) % COUNTERS_OFFERED_SLOTS;
        if (counters->offered[slot].id != 0) continue;
        counters->offered[slot].recipients = session->transaction.keep.envelope.recipient_count;
        atomic_signal_fence(memory_order_seq_cst);
        counters->offered[slot].id = session->transaction.id;
        session->transaction.offered = (int32_t)slot;
        next = slot + 1;
        return true;
    }
    return false;
}

static void offer_clear(struct session *session)
{
    if (session->transaction.offered < 0) return;
    session->server->counters->offered[session->transaction.offered].id = 0;
    session->transaction.offered = -1;
}

void keep_withdraw(struct session *session)
{
    offer_clear(session);
}

void keep_send(struct session *session)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (!server->queue) return; /* it is being restarted; transaction_queue_is_back asks */
    struct buffer *out = channel_begin(server->queue, QUEUE_KEEP, transaction->id);
    transaction->keep.body = transaction->body;
    keep_request_put(&transaction->keep, out, fds, &fd_count);
    transaction->body = transaction->keep.body;
    channel_end_fds(server->queue, fds, fd_count);
}

static void keep(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    if (transaction->keep.envelope.recipient_count == 0) {
        transaction_discarded(session);
        return;
    }
    transaction->keep.prefix = trace_fields(session); /* as late as this: the client's name may have come */
    if (!offer(session)) {
        transaction->step = STEP_KEEPING;
        transaction_not_kept(session, KEEP_DISK_FULL, TEXT("too many messages on their way to queue"));
        return;
    }
    transaction->step = STEP_KEEPING;
    keep_send(session);
}

/* As it is, for all recipients. */
static void keep_whole(struct session *session, enum hold_reason hold)
{
    struct keep_request *request = &session->transaction.keep;
    request->envelope = session->transaction.envelope;
    request->edits_count = 1;
    request->edits[0] = edits_none;
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++) request->recipients[i].hold = hold;
    keep(session);
}

void keep_unjudged(struct session *session)
{
    keep_whole(session, HOLD_NONE);
}

void keep_poison(struct session *session)
{
    session->transaction.is_poison = true;
    keep_whole(session, HOLD_POISON);
}

void keep_for_us(struct session *session)
{
    session_wait(session, session->server->config->limits.verdict_ms);
    keep_whole(session, HOLD_REPORT);
}

/* --- by verdict --- */

_Static_assert((int)RECIPES_MOST <= (int)KEEP_EDITS_LIMIT, "queue keeps each recipe of a verdict");

/* They go to queue as they came from scan, if they fit the message: deliver could do nothing with others. */
static struct text edits_checked(const struct recipe *recipe, uint64_t body_size)
{
    if (edits_are_whole(recipe->edits, body_size)) return recipe->edits;
    log_error("scan sent edits that make no sense: they are left out");
    return edits_none;
}

void keep_judged(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct keep_request *request = &transaction->keep;
    const struct verdict *verdict = &transaction->verdict;
    request->envelope = transaction->envelope;
    request->envelope.recipient_count = 0;
    request->envelope.recipients =
        arena_alloc_array(session->mail, verdict->recipient_count, sizeof *request->envelope.recipients);
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        const struct recipient_verdict *one = &verdict->recipients[i];
        if (one->action == ACTION_DISCARD) continue;
        uint32_t at = request->envelope.recipient_count++;
        request->envelope.recipients[at] = transaction->envelope.recipients[i];
        request->recipients[at].edits = one->recipe;
        request->recipients[at].hold = one->action == ACTION_QUARANTINE ? HOLD_QUARANTINE : HOLD_NONE;
    }
    request->edits_count = (uint8_t)verdict->recipe_count;
    for (uint32_t i = 0; i < verdict->recipe_count; i++)
        request->edits[i] = edits_checked(&verdict->recipes[i], transaction->body.size);
    keep(session);
}

/* --- the account --- */

void keep_count_verdict(struct session *session)
{
    struct receive_counters *counters = session->server->counters;
    const struct verdict *verdict = &session->transaction.verdict;
    counters->scanned++;
    if (session->transaction.read.virus == SCAN_FOUND) counters->infected++;
    if (session->transaction.read.virus == SCAN_UNSCANNED) counters->unscanned++;
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        if (verdict->recipients[i].action == ACTION_TAG) counters->tagged++;
        if (verdict->recipients[i].action == ACTION_QUARANTINE) counters->quarantined++;
        if (verdict->recipients[i].observed != ACTION_ACCEPT) counters->observed++;
    }
}

void keep_log_verdict(struct session *session)
{
    char id[MESSAGE_ID_SIZE];
    message_id_print(session->transaction.id, id);
    const struct facts *facts = &session->transaction.read;
    if (session->transaction.verdict.recipient_count == 0) return;
    log_info("%s: message-id=%.*s", id, TEXT_ARG(facts->message_id));
    log_info("%s: verdict: %.*s subject=\"%.*s\"", id, TEXT_ARG(session->transaction.verdict.summary),
             TEXT_ARG(facts->subject));
}

static bool is_stopped(const struct verdict *verdict)
{
    bool stopped = verdict->code != 250;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action == ACTION_QUARANTINE ||
            verdict->recipients[i].action == ACTION_DISCARD)
            stopped = true;
    return stopped;
}

void keep_alert(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    struct channel *queue = session->server->queue;
    bool is_virus_from_inside = transaction->read.virus == SCAN_FOUND &&
                                session->port->listener.direction == DIRECTION_OUT &&
                                is_stopped(&transaction->verdict);
    if (!is_virus_from_inside || !queue) return;
    struct buffer *out = channel_begin(queue, QUEUE_ALERT, transaction->id);
    put_text(out, session->client_text);
    put_text(out, transaction->envelope.sender);
    put_text(out, transaction->envelope.recipients[0].address);
    put_text(out, transaction->verdict.reason);
    channel_end(queue);
}

/* --- events --- */

enum { LIST_ROOM = 64 }; /* recipients and signals on the stack */

static enum message_class class_of(const struct session *session)
{
    static const enum message_class classes[] = { [SCAN_NOT_ASKED] = CLASS_NONE,
                                                  [SCAN_CLEAN] = CLASS_NONE,
                                                  [SCAN_FOUND] = CLASS_VIRUS,
                                                  [SCAN_LIMITS] = CLASS_LIMITS,
                                                  [SCAN_UNSCANNED] = CLASS_UNSCANNED };
    const struct transaction *transaction = &session->transaction;
    enum message_class class = classes[transaction->read.virus];
    bool is_spam = transaction->verdict.score >= session->server->config->spam.tag;
    if (class == CLASS_VIRUS) return class;
    if (is_spam) return CLASS_SPAM;
    return class == CLASS_NONE && transaction->read.ambiguous ? CLASS_AMBIGUOUS : class;
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
    uint32_t count = verdict->signal_count < LIST_ROOM ? verdict->signal_count : LIST_ROOM;
    for (uint32_t i = 0; i < count; i++)
        room[i] = (struct event_signal){ verdict->signals[i].name, verdict->signals[i].points };
    return (struct event_judgement){ .is_judged = true,
                                     .class = class_of(session),
                                     .score = verdict->score,
                                     .virus = facts->virus_name,
                                     .engine = facts->engine,
                                     .subject = facts->subject,
                                     .message_id = facts->message_id,
                                     .author = facts->from,
                                     .signal_count = count,
                                     .signals = room };
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
                                    .helo = session->helo,
                                    .sender = envelope->sender,
                                    .judgement = judgement_of(session, signals),
                                    .recipient_count = envelope->recipient_count,
                                    .recipients = list };
    struct buffer record = { 0 };
    for (uint32_t first = 0; first < event.recipient_count;) {
        buffer_clear(&record);
        first += event_accepted_put(&event, first, &record);
        if (!ring_append(session->server->ring, buffer_text(&record)))
            log_error("the event record is full: an event is lost, balance will show it");
    }
    buffer_free(&record);
}

/* One recipient that does not come into the queue. */
static void tell_refused(struct session *session, enum event_stage stage, uint32_t number,
                         struct text recipient, uint16_t code, struct text reply, bool is_message)
{
    const struct transaction *transaction = &session->transaction;
    struct event_signal signals[LIST_ROOM];
    bool is_content = stage == STAGE_CONTENT;
    struct event_refused event = { .time_ms = loop_wall_ms(session->server->loop),
                                   .id = is_content ? transaction->id : 0,
                                   .code = code,
                                   .stage = (uint8_t)stage,
                                   .direction = (uint8_t)session->port->listener.direction,
                                   .is_message = is_message,
                                   .number = number,
                                   .size = is_content ? transaction->body.size : 0,
                                   .client = session->client,
                                   .helo = session->helo,
                                   .sender = transaction->envelope.sender,
                                   .recipient = recipient,
                                   .reply = reply };
    if (is_content) event.judgement = judgement_of(session, signals);
    refusals_add(session->server->refusals,
                 &(struct refusal){ event, session->client_name, session_protocol(session) });
}

void keep_tell_refused(struct session *session, enum event_stage stage, struct text recipient, uint16_t code,
                       struct text reply)
{
    tell_refused(session, stage, 0, recipient, code, reply, false);
}

void keep_tell_content_refused(struct session *session, uint32_t number, uint16_t code, struct text reply)
{
    session->server->counters->refused_content++;
    tell_refused(session, STAGE_CONTENT, number, session->transaction.envelope.recipients[number].address,
                 code, reply, number == 0);
}

void keep_count_discarded(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    bool is_message = transaction->keep.envelope.recipient_count == 0;
    for (uint32_t i = 0; i < transaction->verdict.recipient_count; i++) {
        if (transaction->verdict.recipients[i].action != ACTION_DISCARD) continue;
        session->server->counters->discarded++;
        tell_refused(session, STAGE_CONTENT, i, transaction->envelope.recipients[i].address, 250,
                     TEXT("250 2.0.0 taken and discarded"), is_message);
        is_message = false;
    }
}

/* Queue may have it once it was asked to keep it: then it counts as kept, whoever hears of it. */
void keep_count_aborted(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    if (transaction->step < STEP_READING || transaction->step > STEP_PROBING) return;
    for (uint32_t i = 0; i < transaction->envelope.recipient_count; i++) {
        session->server->counters->aborted++;
        tell_refused(session, STAGE_CONTENT, i, transaction->envelope.recipients[i].address, 0, TEXT_NONE,
                     i == 0);
    }
}

void keep_count_accepted(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    struct receive_counters *counters = session->server->counters;
    char id[MESSAGE_ID_SIZE];
    tell_ledger(session);
    keep_count_discarded(session);
    counters->accepted += transaction->keep.envelope.recipient_count;
    counters->messages++;
    offer_clear(session);
    log_info("%s: client=%.*s[%.*s], helo=<%.*s>, proto=%s", message_id_print(transaction->id, id),
             TEXT_ARG(session->client_name), TEXT_ARG(session->client_text), TEXT_ARG(session->helo),
             session_protocol(session));
    keep_log_verdict(session);
}

/* --- after a crash --- */

static bool is_alive(struct server *server, uint64_t id)
{
    return transaction_by_id(server, id) != NULL;
}

void keep_resolve_old(struct server *server)
{
    for (int i = 0; i < COUNTERS_OFFERED_SLOTS; i++) {
        uint64_t id = server->counters->offered[i].id;
        if (id != 0 && !is_alive(server, id)) channel_send(server->queue, QUEUE_RESOLVE, id, TEXT_NONE);
    }
}

void keep_old_resolved(struct server *server, uint64_t id, bool kept)
{
    for (int i = 0; i < COUNTERS_OFFERED_SLOTS; i++) {
        if (server->counters->offered[i].id != id) continue;
        if (kept) server->counters->unreplied += server->counters->offered[i].recipients;
        server->counters->offered[i].id = 0;
        return;
    }
}
