/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What queue tells: log lines in Postfix's words, and events for the ledger once they are true on disk. */
#include <stdio.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/log.h"
#include "queue/queue_private.h"

enum { REPLY_LOGGED_MOST = 400, ADDRESS_LOGGED_MOST = 600 };

void event_log_queued(const struct queue *queue, const struct message *message, struct text sender)
{
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_INFO, message_id_print(message->id, id),
           "%s: from=<%.*s>, size=%llu, nrcpt=%u (queue active)", id, TEXT_ARG(sender),
           (unsigned long long)message->prefix_length + message->body_length, message->recipient_count);
}

/* Milliseconds as seconds with two places: printf is slow with fractions, and this is said of each delivery.
 */
#define SECONDS "%llu.%02u"
#define SECONDS_ARG(ms) (unsigned long long)(((ms) + 5) / 1000), (unsigned)(((ms) + 5) % 1000 / 10)

/* delays: before us, in the queue, connecting, sending. */
void event_log_recipient(const struct queue *queue, uint64_t id_number,
                         const struct logged_delivery *delivery)
{
    char id[MESSAGE_ID_SIZE], original[ADDRESS_LOGGED_MOST + 16] = "";
    uint64_t now = queue_now(queue);
    uint64_t all = now > delivery->arrived_ms ? now - delivery->arrived_ms : 0;
    uint64_t busy = (uint64_t)delivery->connect_ms + delivery->transfer_ms;
    uint64_t waited = all > busy ? all - busy : 0;
    struct text orcpt = delivery->orcpt;
    size_t semicolon = text_find_char(orcpt, ';');
    if (semicolon < orcpt.length) orcpt = text_slice(orcpt, semicolon + 1, orcpt.length);
    if (orcpt.length && !text_equal_nocase(orcpt, delivery->address))
        snprintf(original, sizeof original, " orig_to=<%.*s>,",
                 TEXT_ARG(text_slice(orcpt, 0, ADDRESS_LOGGED_MOST)));
    message_id_print(id_number, id);
    const struct log_facts facts = { text_of(id), delivery->address, delivery->status };
    log_line_of(LOG_LEVEL_INFO, &facts,
                "%s: to=<%.*s>,%s relay=%.*s, delay=" SECONDS ", delays=0/" SECONDS "/" SECONDS "/" SECONDS
                ", dsn=%.*s, status=%.*s (%.*s)",
                id, TEXT_ARG(text_slice(delivery->address, 0, ADDRESS_LOGGED_MOST)), original,
                TEXT_ARG(delivery->relay.length ? delivery->relay : TEXT("none")), SECONDS_ARG(all),
                SECONDS_ARG(waited), SECONDS_ARG((uint64_t)delivery->connect_ms),
                SECONDS_ARG((uint64_t)delivery->transfer_ms), TEXT_ARG(delivery->dsn),
                TEXT_ARG(delivery->status), TEXT_ARG(text_slice(delivery->reply, 0, REPLY_LOGGED_MOST)));
}

/* Records stand in buffers with their length before each. */
static void ended_put(const struct queue *queue, uint64_t id, uint32_t number, enum ending ending,
                      struct text dsn, struct text relay, struct text reply, struct buffer *out)
{
    struct event_ended event = { id, queue_wall(queue), number, ending, dsn, relay, reply };
    struct buffer record = { 0 };
    event_ended_put(&event, &record);
    put_text(out, buffer_text(&record));
    buffer_free(&record);
}

static void accepted_put(const struct queue *queue, uint64_t id, const struct lead *lead,
                         const struct envelope *envelope, uint64_t size, struct buffer *out)
{
    struct event_recipient *recipients =
        arena_alloc_array(queue->arena, envelope->recipient_count, sizeof *recipients);
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        recipients[i] =
            (struct event_recipient){ .address = envelope->recipients[i].address,
                                      .hold = i < lead->recipient_count ? lead->recipients[i].hold : 0 };
    struct event_accepted event = { .id = id,
                                    .time_ms = queue_shown(queue, lead->arrived_ms),
                                    .size = size,
                                    .direction = lead->direction,
                                    .is_own = lead->flags & MESSAGE_OWN     ? 1
                                              : lead->flags & MESSAGE_AGAIN ? 2
                                                                            : 0,
                                    .sender = envelope->sender,
                                    .recipient_count = envelope->recipient_count,
                                    .recipients = recipients };
    struct buffer record = { 0 };
    for (uint32_t first = 0; first < event.recipient_count;) {
        buffer_clear(&record);
        uint32_t put = event_accepted_put(&event, first, &record);
        if (!put) break;
        put_text(out, buffer_text(&record));
        first += put;
    }
    buffer_free(&record);
}

void event_log_ended(struct queue *queue, uint64_t id, uint32_t number, enum ending ending, struct text dsn,
                     struct text relay, struct text reply)
{
    ended_put(queue, id, number, ending, dsn, relay, reply, &queue->events_pending);
}

static enum step_kind step_of(enum record_type type, const struct change *change)
{
    bool is_expired = text_equal(change->dsn, TEXT("4.4.7")); /* RFC 3463: its time is over */
    if (type == RECORD_DEFERRAL) return STEP_DEFERRED;
    if (type == RECORD_RELEASE) return STEP_RELEASED;
    return is_expired ? STEP_EXPIRED : STEP_HELD;
}

/* The time is the record's, so that the same step told again is known as the same. */
void event_log_steps(struct queue *queue, enum record_type type, uint64_t id, const struct change *change)
{
    struct buffer record = { 0 };
    if (type != RECORD_DEFERRAL && type != RECORD_HOLD && type != RECORD_RELEASE) return;
    for (uint32_t i = 0; i < change->count; i++) {
        struct event_step event = { .id = id,
                                    .time_ms = change->when_ms,
                                    .recipient = change->recipients[i].number,
                                    .kind = step_of(type, change),
                                    .hold = change->recipients[i].hold,
                                    .due_ms = change->due_ms ? queue_shown(queue, change->due_ms) : 0,
                                    .dsn = change->dsn,
                                    .relay = change->relay,
                                    .reply = change->reply };
        buffer_clear(&record);
        event_step_put(&event, &record);
        put_text(&queue->events_pending, buffer_text(&record));
    }
    buffer_free(&record);
}

void event_log_accepted(struct queue *queue, uint64_t id, const struct lead *lead,
                        const struct envelope *envelope, uint64_t size)
{
    accepted_put(queue, id, lead, envelope, size, &queue->events_pending);
}

static void recent_add(struct recent *recent, uint64_t id, struct buffer *records)
{
    put_u64(&recent->bytes, id);
    put_text(&recent->bytes, buffer_text(records));
    buffer_free(records);
    while (buffer_length(&recent->bytes) > RECENT_BYTES) {
        struct reader reader = reader_of(buffer_text(&recent->bytes));
        get_u64(&reader);
        get_text(&reader);
        buffer_consume(&recent->bytes, buffer_length(&recent->bytes) - reader.rest.length);
    }
}

void event_log_remember_delivered(struct queue *queue, uint64_t id, uint32_t number, struct text dsn,
                                  struct text relay, struct text reply)
{
    struct buffer records = { 0 };
    ended_put(queue, id, number, ENDING_DELIVERED, dsn, relay, reply, &records);
    recent_add(&queue->delivered, id, &records);
}

void event_log_remember_accepted(struct queue *queue, uint64_t id, const struct lead *lead,
                                 const struct envelope *envelope, uint64_t size)
{
    struct buffer records = { 0 };
    accepted_put(queue, id, lead, envelope, size, &records);
    recent_add(&queue->accepted, id, &records);
}

static void records_append(struct queue *queue, struct text records)
{
    struct reader reader = reader_of(records);
    while (reader.rest.length && !reader.failed) {
        struct text record = get_text(&reader);
        if (queue->events && !reader.failed) ring_append(queue->events, record);
    }
}

void event_log_again(struct queue *queue, const struct recent *recent, uint64_t only)
{
    struct reader reader = reader_of(buffer_text(&recent->bytes));
    while (reader.rest.length && !reader.failed) {
        uint64_t id = get_u64(&reader);
        struct text records = get_text(&reader);
        if (only && id != only) continue;
        if (message_index_was_kept(queue->message_index, id)) records_append(queue, records);
    }
}

void event_log_committed(struct queue *queue)
{
    records_append(queue, buffer_text(&queue->events_pending));
    buffer_clear(&queue->events_pending);
}

/* What the journal holds since the last clean mark; the ledger ignores what it has. */

static void on_message(void *context, uint64_t id, const struct lead *lead, uint64_t size)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    arena_reset(queue->arena);
    struct reader reader = reader_of(lead->envelope);
    struct envelope envelope;
    if (envelope_get(queue->arena, &reader, &envelope)) {
        event_log_accepted(queue, id, lead, &envelope, size);
        transactions_add(queue->transactions, envelope.transaction, id, lead->arrived_ms);
    }
    event_log_committed(queue);
}

/* A hold by new signatures says what they found: the event of before may not have left. */
static void found_again(struct queue *queue, uint64_t id, const struct change *change)
{
    static const struct text words = TEXT(QUEUE_RESCAN_FOUND);
    size_t at = text_find(change->reply, words);
    struct event_found event = { .id = id, .time_ms = change->when_ms, .is_queued = true };
    bool is_found = at < change->reply.length &&
                    class_from_name(text_slice(change->reply, 0, at), &event.class) &&
                    (event.class == CLASS_VIRUS || event.class == CLASS_PHISHING);
    if (!is_found) return;
    struct buffer record = { 0 };
    event.virus = text_slice(change->reply, at + words.length, change->reply.length);
    event_found_put(&event, &record);
    put_text(&queue->events_pending, buffer_text(&record));
    buffer_free(&record);
}

static void on_change(void *context, enum record_type type, uint64_t id, const struct change *change)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    if (type == RECORD_HOLD) found_again(queue, id, change);
    event_log_steps(queue, type, id, change);
    for (uint32_t i = 0; i < change->count; i++)
        if (change->recipients[i].ending != ENDING_NONE)
            event_log_ended(queue, id, change->recipients[i].number, change->recipients[i].ending,
                            change->dsn, change->relay, change->reply);
    event_log_committed(queue);
}

struct journal_listener event_log_listener(struct queue *queue)
{
    return (struct journal_listener){ queue, on_message, on_change };
}
