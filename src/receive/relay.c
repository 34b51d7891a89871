/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The way of a message through this node to the next, from its last octet to the reply. */
#include "receive/relay.h"

#include "base/log.h"
#include "receive/account.h"
#include "receive/origin.h"
#include "receive/queue_request.h"
#include "receive/rcpt.h"
#include "receive/trace.h"

/* The next node gives up first: its reply says more than ours could. */
enum { REPLY_MARGIN_MS = 5000, LINE_MOST = 480, REPLY_MOST = 999 };

/* What a client sends again is the same in these, and nothing else is: who could make two alike would have
   one taken for the other, "kept before", and lost. */
static struct text transaction_name(struct session *session)
{
    const struct envelope *envelope = &session->transaction.envelope;
    uint32_t count = envelope->recipient_count;
    struct text *pieces = arena_alloc_array(session->mail, count + 2, sizeof *pieces);
    pieces[0] = envelope->sender;
    for (uint32_t i = 0; i < count; i++) pieces[i + 1] = envelope->recipients[i].address;
    pieces[count + 1] = body_text(&session->transaction.body);
    return keep_name(session, pieces, count + 2);
}

/* The next node gets our fields as the header of a text that has none. */
static struct text prefix_of(struct session *session)
{
    struct text fields = trace_fields(session);
    if (!session->transaction.glance.is_missing) return fields;
    return arena_printf(session->mail, "%.*s\r\n", TEXT_ARG(fields));
}

static void relay_send(struct session *session)
{
    struct server *server = session->server;
    struct transaction *transaction = &session->transaction;
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    if (!server->deliver) return; /* it is being restarted; relay_deliver_is_back asks */
    struct relay_request request = { .domain = rcpt_way(server->config, &transaction->envelope),
                                     .content = transaction->keep.content,
                                     .envelope = transaction->envelope,
                                     .prefix = prefix_of(session),
                                     .body = transaction->body };
    struct buffer *out = channel_begin(server->deliver, DELIVER_RELAY, transaction->id);
    relay_request_put(&request, out, fds, &fd_count);
    transaction->body = request.body;
    channel_end_fds(server->deliver, fds, fd_count);
    if (session->has_closed_side)
        channel_send(server->deliver, DELIVER_RELAY_DOUBT, transaction->id, TEXT_NONE);
}

void relay_begin(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    session_wait(session, session->server->config->limits.verdict_ms + REPLY_MARGIN_MS);
    transaction->envelope.transaction = transaction_name(session);
    transaction->envelope.origin = origin_of(session, transaction->envelope.transaction);
    transaction->step = STEP_RELAYING;
    relay_send(session);
}

void relay_deliver_is_back(struct session *session)
{
    if (session->transaction.step == STEP_RELAYING) relay_send(session);
}

void relay_doubt(struct session *session)
{
    struct channel *deliver = session->server->deliver;
    if (session->transaction.step != STEP_RELAYING || !deliver)
        return; /* relay_send says it to the next one */
    channel_send(deliver, DELIVER_RELAY_DOUBT, session->transaction.id, TEXT_NONE);
}

/* --- the reply --- */

/* In Postfix's words, as for mail that went by the journal. */
static void reply_log(const struct session *session, const struct relay_reply *reply)
{
    const struct transaction *transaction = &session->transaction;
    char id[MESSAGE_ID_SIZE];
    const char *status = reply->code < 400 ? "sent" : reply->code < 500 ? "deferred" : "bounced";
    uint64_t now = loop_wall_ms(session->server->loop);
    double delay = now > transaction->arrived_ms ? (double)(now - transaction->arrived_ms) / 1000 : 0;
    message_id_print(transaction->id, id);
    account_log_client(session);
    for (uint32_t i = 0; i < transaction->envelope.recipient_count; i++) {
        const struct log_facts facts = { text_of(id), transaction->envelope.recipients[i].address,
                                         text_of(status) };
        log_line_of(LOG_LEVEL_INFO, &facts,
                    "%s: to=<%.*s>, relay=%.*s, delay=%.2f, delays=0/0/0/%.2f, dsn=%.*s, status=%s (%.*s)",
                    id, TEXT_ARG(transaction->envelope.recipients[i].address),
                    TEXT_ARG(reply->server.length ? reply->server : TEXT("none")), delay, delay,
                    TEXT_ARG(reply->enhanced), status, TEXT_ARG(reply->text));
    }
}

/* The count stands right behind each record: a death between them lets the two differ for good. */
static void tell_ledger(struct session *session, const struct relay_reply *reply)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->envelope;
    struct text *recipients = arena_alloc_array(session->mail, envelope->recipient_count, sizeof *recipients);
    struct event_relayed event = { .id = transaction->id,
                                   .time_ms = transaction->arrived_ms,
                                   .size = transaction->body.size,
                                   .direction = (uint8_t)session->port->listener.direction,
                                   .client = session->client,
                                   .helo = session->dialogue.helo,
                                   .sender = envelope->sender,
                                   .dsn = reply->enhanced,
                                   .relay = reply->server,
                                   .reply = reply->text,
                                   .recipient_count = envelope->recipient_count,
                                   .recipients = recipients };
    struct buffer record = { 0 };
    for (uint32_t i = 0; i < envelope->recipient_count; i++) recipients[i] = envelope->recipients[i].address;
    for (uint32_t first = 0; first < event.recipient_count;) {
        buffer_clear(&record);
        uint32_t told = event_relayed_put(&event, first, &record);
        account_event(session->server, buffer_text(&record));
        session->server->counters->relayed += told;
        first += told;
    }
    buffer_free(&record);
}

static void count(struct session *session, const struct relay_reply *reply)
{
    bool is_told = session->server->config->ledger.collectors.count > 0; /* else nothing is written for it */
    if (is_told) tell_ledger(session, reply);
    account_relayed(session);
    session->messages++;
    server_dialogue_message_taken(&session->dialogue);
}

static struct reply pass_on(struct session *session, const struct relay_reply *reply)
{
    reply_log(session, reply);
    if (reply->code < 400) count(session, reply);
    session->transaction.step = STEP_NONE; /* there is nothing to cancel */
    struct text text = text_slice(reply->text, 0, REPLY_MOST), more;
    size_t cut = text.length > LINE_MOST ? LINE_MOST : text.length;
    while (cut < text.length && cut > 0 && text.at[cut] != ' ') cut--;
    if (cut == 0) cut = text.length; /* it has no blanks: nobody reads it */
    more = text_slice(text, cut + 1, text.length);
    return (struct reply){ reply->code, arena_text(session->mail, text_slice(reply->enhanced, 0, 15)).at,
                           arena_text(session->mail, text_slice(text, 0, cut)).at, REFUSAL_NONE,
                           arena_text(session->mail, more).at };
}

struct reply relay_done(struct session *session, struct frame *frame)
{
    struct relay_reply reply;
    char id[MESSAGE_ID_SIZE];
    if (session->transaction.step != STEP_RELAYING) return (struct reply){ 0 };
    if (!relay_reply_get(frame, &reply))
        reply =
            (struct relay_reply){ .outcome = RELAY_REPLIED,
                                  .code = 451,
                                  .enhanced = TEXT("4.3.0"),
                                  .text = TEXT("the message could not be handed on now, try again later") };
    if (reply.outcome == RELAY_REPLIED) return pass_on(session, &reply);
    log_of(LOG_LEVEL_WARNING, message_id_print(session->transaction.id, id),
           "%s: no next server can be connected to (%.*s): the journal keeps the message", id,
           TEXT_ARG(reply.text));
    session->transaction.envelope.transaction = TEXT_NONE; /* told to the next node, not known by this one */
    return keep_unjudged(session);
}
