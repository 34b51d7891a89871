/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages that queue makes itself: notices to senders, and alerts to the administrator. */
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "mail/alert.h"
#include "queue/queue_private.h"

enum { ALERT_QUIET_MS = 60 * 60 * 1000, ALERTS_BY_STRANGERS = 10 /* of a kind in that time */ };

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

/* About whom: one host can send thousands of viruses a minute; strangers can have as many clients as they
   like, and write to everybody. 0: one is enough, whoever it is about. */
static uint64_t whom_of(const struct alert *alert)
{
    switch (alert->kind) {
    case ALERT_VIRUS:
        return hash_text(alert->client) | 1;
    case ALERT_INSIDE_HELD:
    case ALERT_INSIDE_OBSERVED:
        return hash_text_nocase(alert->sender) | 1;
    case ALERT_SIGNUPS_HELD:
    case ALERT_SIGNUPS_OBSERVED:
        return hash_text_nocase(alert->recipient) | 1;
    default:
        return 0;
    }
}

/* Of what strangers bring about. */
static bool is_by_strangers(enum alert_kind kind)
{
    return kind == ALERT_SIGNUPS_HELD || kind == ALERT_SIGNUPS_OBSERVED || kind == ALERT_HARVEST;
}

static bool is_due(struct queue *queue, const struct alert *alert)
{
    uint64_t now = queue_now(queue), whom = whom_of(alert);
    struct alerted *oldest = &queue->alerted[0];
    unsigned of_kind = 0;
    for (size_t i = 0; i < ALERTED_MOST; i++) {
        struct alerted *one = &queue->alerted[i];
        bool is_quiet = one->when_ms && now < one->when_ms + ALERT_QUIET_MS && one->kind == alert->kind;
        if (is_quiet && one->whom == whom) return false;
        of_kind += is_quiet;
        if (one->when_ms < oldest->when_ms) oldest = one;
    }
    if (is_by_strangers(alert->kind) && of_kind >= ALERTS_BY_STRANGERS) return false;
    *oldest = (struct alerted){ now, alert->kind, whom };
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
             TEXT_ARG(alert->kind == ALERT_VIRUS || alert->kind == ALERT_HARVEST ? alert->client
                      : is_by_strangers(alert->kind)                             ? alert->recipient
                                                                                 : alert->sender),
             id);
    own_mail_keep(queue, number, alert->admin, buffer_text(&content));
    buffer_free(&content);
}

bool own_mail_alert_take(struct queue *queue, struct frame *frame)
{
    char id[MESSAGE_ID_SIZE];
    struct alert alert;
    arena_reset(queue->arena);
    if (!queue_alert_get(frame->payload, &alert)) return false;
    if (frame->id) alert.message_id = text_of(message_id_print(frame->id, id));
    if (queue->is_full || !is_due(queue, &alert)) return true;
    alert_send(queue, &alert);
    intake_tell_alert(queue, frame->id, frame->payload);
    return true;
}
