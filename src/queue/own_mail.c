/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages that queue makes itself: notices to senders, and alerts to the administrator. */
#include <stdio.h>

#include "base/log.h"
#include "mail/alert.h"
#include "queue/queue_private.h"

enum { ALERT_QUIET_MS = 60 * 60 * 1000 };

static uint16_t content_of(struct text bytes)
{
    size_t header = text_find(bytes, TEXT("\r\n\r\n"));
    uint16_t content = 0;
    bool is_start = true;
    if (!text_is_ascii(text_slice(bytes, 0, header))) content |= CONTENT_HEADER_8BIT;
    if (!text_is_ascii(text_slice(bytes, header, bytes.length))) content |= CONTENT_BODY_8BIT;
    for (size_t i = 0; i < bytes.length; i++) {
        if (is_start && bytes.at[i] == '.') content |= CONTENT_LEADING_DOT;
        is_start = bytes.at[i] == '\n';
    }
    return content;
}

uint64_t own_mail_id(struct queue *queue)
{
    uint64_t number = message_id_next(&queue->ids, queue_wall(queue));
    while (message_index_find(queue->message_index, number) ||
           message_index_was_kept(queue->message_index, number))
        number = message_id_next(&queue->ids, queue_wall(queue)); /* a clock that stepped back at a restart */
    return number;
}

void own_mail_keep(struct queue *queue, uint64_t id, struct text to, struct text content)
{
    struct recipient recipient = { .address = to };
    uint16_t flags = content_of(content);
    struct envelope envelope = { .recipient_count = 1,
                                 .recipients = &recipient,
                                 .smtputf8 = (flags & CONTENT_HEADER_8BIT) != 0 };
    struct buffer bytes = { 0 };
    envelope_put(&envelope, &bytes);
    struct lead_recipient to_domain = { .domain = queue_domain_of(queue, queue->arena, to) };
    struct lead lead = { .arrived_ms = queue_now(queue),
                         .direction = DIRECTION_OUT,
                         .flags = MESSAGE_OWN,
                         .content = flags,
                         .recipient_count = 1,
                         .recipients = &to_domain,
                         .edits_count = 1,
                         .edits = { edits_none },
                         .envelope = buffer_text(&bytes) };
    struct message *message = journal_keep(queue->journal, id, &lead, TEXT_NONE, content);
    waiter_add(queue, NULL, message, NULL);
    event_log_accepted(queue, id, &lead, &envelope, content.length);
    event_log_queued(queue, message, TEXT_NONE);
    buffer_free(&bytes);
}

/* --- alerts --- */

/* Whether this client is to be told of again: one host can send thousands of viruses a minute. */
static bool is_due(struct queue *queue, struct text client)
{
    uint64_t now = queue_now(queue);
    struct alerted *oldest = &queue->alerted[0];
    for (size_t i = 0; i < ALERTED_CLIENTS; i++) {
        struct alerted *one = &queue->alerted[i];
        if (one->when_ms && text_equal(text_of(one->client), client)) {
            if (now < one->when_ms + ALERT_QUIET_MS) return false;
            oldest = one;
            break;
        }
        if (one->when_ms < oldest->when_ms) oldest = one;
    }
    oldest->when_ms = now;
    snprintf(oldest->client, sizeof oldest->client, "%.*s", TEXT_ARG(client));
    return true;
}

static void alert_send(struct queue *queue, struct alert *alert)
{
    char id[MESSAGE_ID_SIZE];
    const struct config *config = queue->child.config;
    struct buffer content = { 0 };
    uint64_t number = own_mail_id(queue);
    alert->hostname = config->hostname;
    alert->admin = config->admin.length
                       ? config->admin
                       : arena_printf(queue->arena, "postmaster@%.*s", TEXT_ARG(config->hostname));
    alert->alert_id = text_of(message_id_print(number, id));
    alert->now_ms = queue_wall(queue);
    alert->quiet_ms = ALERT_QUIET_MS;
    alert_compose(alert, &content);
    log_info("%.*s: %.*s is told of %.*s: %s", TEXT_ARG(alert->message_id), TEXT_ARG(alert->admin),
             TEXT_ARG(alert->client), id);
    own_mail_keep(queue, number, alert->admin, buffer_text(&content));
    buffer_free(&content);
}

bool own_mail_alert_take(struct queue *queue, struct frame *frame)
{
    char id[MESSAGE_ID_SIZE];
    struct reader reader = reader_of(frame->payload);
    struct alert alert = { .message_id = text_of(message_id_print(frame->id, id)) };
    arena_reset(queue->arena);
    alert.client = get_text(&reader);
    alert.sender = get_text(&reader);
    alert.recipient = get_text(&reader);
    alert.reason = get_text(&reader);
    if (!reader_done(&reader)) return false;
    if (!queue->is_full && is_due(queue, alert.client)) alert_send(queue, &alert);
    return true;
}
