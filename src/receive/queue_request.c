/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands messages to queue and keeps the account of it: an offer stands in the counters file from before queue
   is asked until its answer is known, so that no crash leaves a recipient uncounted. */
#include "receive/queue_request.h"

#include "base/log.h"
#include "config/settings.h"
#include "ipc/voucher.h"
#include "mail/edits.h"
#include "receive/account.h"
#include "receive/trace.h"

static void content_flags(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    const struct header_glance *glance = &transaction->glance;
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

void keep_prepare(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    content_flags(session);
    transaction_narrow(session);
    transaction->keep.id = transaction->id;
    transaction->keep.arrived_ms = transaction->arrived_ms;
    transaction->keep.listener = session->port->number;
    transaction->keep.client = session->client;
    transaction->keep.direction = (uint8_t)session->port->listener.direction;
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

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: a message can ask receive to say of it what scan did not, as whoever took receive over would.
 */
static void misbehave(struct transaction *transaction)
{
    struct keep_request *keep = &transaction->keep;
    struct text body = body_text(&transaction->body);
    if (text_starts(body, TEXT("X-Test-Receive: unjudged\r\n"))) keep->voucher = (struct voucher){ 0 };
    if (text_starts(body, TEXT("X-Test-Receive: sender\r\n")))
        keep->envelope.sender = TEXT("rector@example.test");
    if (text_starts(body, TEXT("X-Test-Receive: hold\r\n"))) keep->recipients[0].hold = HOLD_NONE;
    if (text_starts(body, TEXT("X-Test-Receive: prefix\r\n"))) keep->prefix = TEXT("Subject: forged\r\n\r\n");
}
#endif

void keep_send(struct session *session)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (!server->queue) return; /* it is being restarted; transaction_queue_is_back asks */
    if (!transaction->asked_us) transaction->asked_us = measures_now_us();
    struct buffer *out = channel_begin(server->queue, QUEUE_KEEP, transaction->id);
#ifdef SEKIMORI_JAIL_PROBE
    misbehave(transaction);
#endif
    transaction->keep.body = transaction->body;
    keep_request_put(&transaction->keep, out, fds, &fd_count);
    transaction->body = transaction->keep.body;
    channel_end_fds(server->queue, fds, fd_count);
}

static struct reply saying(struct session *session, const char *what, uint64_t as)
{
    char id[MESSAGE_ID_SIZE];
    return (struct reply){ 250, "2.0.0",
                           arena_printf(session->mail, "%s as %s", what, message_id_print(as, id)).at };
}

static struct reply keep(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    if (transaction->keep.envelope.recipient_count == 0) {
        account_discarded(session);
        return saying(session, "taken", transaction->id);
    }
    transaction->step = STEP_KEEPING;
    if (!offer(session))
        return keep_refused(session, KEEP_DISK_FULL, TEXT("too many messages on their way to queue"));
    keep_send(session);
    return (struct reply){ 0 };
}

/* As it is, for all recipients. Text without a header begins behind an empty line, the last thing before its
   first byte; scan does the same for what it judges. */
static struct reply keep_whole(struct session *session, enum hold_reason hold)
{
    struct transaction *transaction = &session->transaction;
    struct keep_request *request = &transaction->keep;
    request->envelope = transaction->envelope;
    request->prefix = trace_fields(session);
    request->edits_count = 1;
    request->edits[0] = transaction->glance.is_missing ? edits_empty_line : edits_none;
    request->recipients =
        arena_alloc_array(session->mail, request->envelope.recipient_count, sizeof *request->recipients);
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++) request->recipients[i].hold = hold;
    return keep(session);
}

struct reply keep_unjudged(struct session *session)
{
    return keep_whole(session, HOLD_NONE);
}

struct reply keep_poison(struct session *session)
{
    session->transaction.is_poison = true;
    return keep_whole(session, HOLD_POISON);
}

struct reply keep_for_us(struct session *session)
{
    session_wait(session, session->server->config->limits.verdict_ms);
    return keep_whole(session, HOLD_REPORT);
}

/* --- by verdict --- */

bool keep_is_judged(const struct session *session)
{
    return voucher_is_wanted(session->server->config, &session->port->listener, &session->client,
                             &session->transaction.envelope);
}

struct reply keep_judged(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    keep_by_verdict(session->mail, &transaction->envelope, &transaction->read, &transaction->verdict,
                    &transaction->keep);
    return keep(session);
}

/* --- queue's answer --- */

struct reply keep_accepted(struct session *session)
{
    account_accepted(session);
    offer_clear(session);
    account_log_accepted(session);
    return saying(session, "kept", session->transaction.id);
}

struct reply keep_accepted_before(struct session *session, uint64_t as)
{
    char id[MESSAGE_ID_SIZE], before[MESSAGE_ID_SIZE];
    offer_clear(session);
    log_of(LOG_LEVEL_INFO, message_id_print(session->transaction.id, id),
           "%s: came before and was kept as %s", id, message_id_print(as, before));
    return saying(session, "kept", as);
}

struct reply keep_refused(struct session *session, enum keep_refusal why, struct text reason)
{
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_ERROR, message_id_print(session->transaction.id, id), "%s: queue did not keep it: %.*s",
           id, TEXT_ARG(reason));
    offer_clear(session);
    if (why == KEEP_DISK_FULL)
        return (struct reply){ 452, "4.3.1", "no room for the message now, try again later" };
    return (struct reply){ 451, "4.3.0", "the message could not be kept now, try again later" };
}

/* --- the administrator --- */

static bool is_stopped(const struct verdict *verdict)
{
    bool stopped = verdict->code != 250;
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict->recipients[i].action == ACTION_QUARANTINE ||
            verdict->recipients[i].action == ACTION_DISCARD)
            stopped = true;
    return stopped;
}

void keep_alert_send(struct session *session, uint64_t id, enum alert_kind kind, struct text recipient,
                     struct text reason)
{
    struct channel *queue = session->server->queue;
    if (!queue) return;
    struct buffer *out = channel_begin(queue, QUEUE_ALERT, id);
    queue_alert_put(&(struct alert){ .kind = kind,
                                     .client = session->client_text,
                                     .sender = session->transaction.envelope.sender,
                                     .recipient = recipient,
                                     .reason = reason },
                    out);
    channel_end(queue);
}

void keep_alert(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    bool is_virus_from_inside = facts_has_virus(&transaction->read) &&
                                transaction->keep.direction == DIRECTION_OUT &&
                                is_stopped(&transaction->verdict);
    if (!is_virus_from_inside) return;
    keep_alert_send(session, transaction->id, ALERT_VIRUS, transaction->envelope.recipients[0].address,
                    transaction->verdict.reason);
}

/* --- after a crash --- */

static bool is_alive(struct server *server, uint64_t id)
{
    return session_by_message(server, id) != NULL;
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
