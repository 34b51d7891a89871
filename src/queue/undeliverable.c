/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What becomes of mail that cannot be delivered. A notice goes to senders inside, and to senders outside whom
   the message truly came from; everything else is held, so that no forged sender ever gets one. */
#include <stdlib.h>

#include "base/log.h"
#include "config/refusal_text.h"
#include "mail/dsn.h"
#include "queue/queue_private.h"

enum { AGED_AGAIN_MS = 10 * 1000 };

static bool wants_failure(const struct recipient *recipient)
{
    return recipient->notify == 0 || (recipient->notify & NOTIFY_FAILURE);
}

static bool may_get_notice(const struct message *message, const struct envelope *envelope)
{
    bool is_true = message->direction == DIRECTION_OUT || (message->flags & MESSAGE_AUTHENTICATED);
    return is_true && envelope->sender.length > 0;
}

struct dsn_notice {
    struct queue *queue;
    struct message *about;
    const struct lead *lead;
    const struct envelope *envelope;
    enum dsn_action action;
    const struct failure *items;
    uint32_t count;
};

static void notice_compose(const struct dsn_notice *notice, struct text id, struct text notice_id,
                           struct buffer *out)
{
    struct queue *queue = notice->queue;
    struct buffer original = { 0 };
    if (!journal_read_content(queue->journal, notice->about, &original)) buffer_clear(&original);
    struct dsn_recipient *recipients = arena_alloc_array(queue->arena, notice->count, sizeof *recipients);
    for (uint32_t i = 0; i < notice->count; i++) {
        const struct failure *item = &notice->items[i];
        const struct recipient *recipient = &notice->envelope->recipients[item->number];
        recipients[i] = (struct dsn_recipient){ recipient->address, recipient->orcpt, item->status,
                                                item->relay,        item->reply,      item->is_smtp_reply };
    }
    struct dsn dsn = { .action = notice->action,
                       .hostname = queue->child.config->hostname,
                       .sender = notice->envelope->sender,
                       .envid = notice->envelope->envid,
                       .message_id = id,
                       .help = refusal_text_help(queue->arena, queue->child.config),
                       .notice_id = notice_id,
                       .arrived_ms = queue_shown(queue, notice->about->arrived_ms),
                       .now_ms = queue_wall(queue),
                       .until_ms = queue_shown(queue, notice->about->arrived_ms +
                                                          queue->child.config->queue.expire_ms),
                       .ret = notice->envelope->ret,
                       .recipient_count = notice->count,
                       .recipients = recipients,
                       .original = buffer_text(&original) };
    dsn_compose(&dsn, out);
    buffer_free(&original);
}

static void notice_send(const struct dsn_notice *notice)
{
    static const char *const names[] = { [DSN_FAILED] = "sender non-delivery notification",
                                         [DSN_DELAYED] = "sender delay notification",
                                         [DSN_RELAYED] = "sender delivery status notification" };
    struct queue *queue = notice->queue;
    char id[MESSAGE_ID_SIZE], notice_id[MESSAGE_ID_SIZE];
    uint64_t number = own_mail_id(queue);
    message_id_print(notice->about->id, id);
    message_id_print(number, notice_id);
    struct buffer content = { 0 };
    notice_compose(notice, text_of(id), text_of(notice_id), &content);
    log_of(LOG_LEVEL_INFO, id, "%s: %s: %s", id, names[notice->action], notice_id);
    own_mail_keep(queue, number, notice->envelope->sender, buffer_text(&content));
    buffer_free(&content);
}

static void failure_log(struct queue *queue, const struct message *message, const struct recipient *recipient,
                        const struct failure *failure, const char *status)
{
    struct logged_delivery logged = { .address = recipient->address,
                                      .orcpt = recipient->orcpt,
                                      .relay = failure->relay,
                                      .dsn = failure->status,
                                      .status = text_of(status),
                                      .reply = failure->reply,
                                      .arrived_ms = message->arrived_ms };
    event_log_recipient(queue, message->id, &logged);
}

static void failure_write(struct queue *queue, struct message *message, const struct failure *failure,
                          bool is_held)
{
    const struct queued_recipient *now = &message->recipients[failure->number];
    struct changed_recipient changed = { failure->number, is_held ? ENDING_NONE : ENDING_RETURNED,
                                         is_held ? HOLD_UNDELIVERABLE : now->hold, now->attempts };
    struct change change = { .when_ms = queue_wall(queue),
                             .count = 1,
                             .recipients = &changed,
                             .dsn = failure->status,
                             .relay = failure->relay,
                             .reply = failure->reply };
    journal_change(queue->journal, is_held ? RECORD_HOLD : RECORD_OUTCOME, message, &change);
    if (is_held) held_transfer_note(queue, message->id);
    event_log_steps(queue, is_held ? RECORD_HOLD : RECORD_OUTCOME, message->id, &change);
    if (!is_held)
        event_log_ended(queue, message->id, failure->number, ENDING_RETURNED, failure->status, failure->relay,
                        failure->reply);
}

void undeliverable_fail(struct queue *queue, struct message *message, const struct failure *failures,
                        uint32_t count)
{
    struct lead lead;
    struct envelope envelope;
    if (!queue_envelope(queue, message, &lead, &envelope)) {
        for (uint32_t i = 0; i < count; i++) failure_write(queue, message, &failures[i], true);
        return;
    }
    struct failure *noticed = arena_alloc_array(queue->arena, count, sizeof *noticed);
    uint32_t notices = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct recipient *recipient = &envelope.recipients[failures[i].number];
        bool is_wanted = wants_failure(recipient);
        bool is_held = is_wanted && !may_get_notice(message, &envelope);
        failure_log(queue, message, recipient, &failures[i], is_held ? "held" : "bounced");
        failure_write(queue, message, &failures[i], is_held);
        if (is_wanted && !is_held) noticed[notices++] = failures[i];
    }
    if (notices)
        notice_send(&(struct dsn_notice){ queue, message, &lead, &envelope, DSN_FAILED, noticed, notices });
    turn_wanted_soon(queue);
}

void undeliverable_relayed(struct queue *queue, struct message *message, const struct failure *passed,
                           uint32_t count)
{
    struct lead lead;
    struct envelope envelope;
    if (!queue_envelope(queue, message, &lead, &envelope) || !may_get_notice(message, &envelope)) return;
    notice_send(&(struct dsn_notice){ queue, message, &lead, &envelope, DSN_RELAYED, passed, count });
}

/* Age */

bool undeliverable_is_expired(const struct queue *queue, const struct message *message)
{
    return queue_now(queue) >= message->arrived_ms + queue->child.config->queue.expire_ms;
}

static uint64_t warn_at(const struct queue *queue, const struct message *message)
{
    uint64_t after = queue->child.config->queue.warn_ms;
    bool is_due = after && message->direction == DIRECTION_OUT && !(message->flags & MESSAGE_WARNED) &&
                  !(message->flags & MESSAGE_OWN);
    return is_due ? message->arrived_ms + after : UINT64_MAX;
}

void undeliverable_watch(struct queue *queue, struct message *message)
{
    if (!message->deliveries) return;
    uint64_t expires = message->arrived_ms + queue->child.config->queue.expire_ms;
    uint64_t warns = warn_at(queue, message);
    schedule_watch(queue->schedule, message, warns < expires ? warns : expires);
}

static struct text reason_of(const struct queue *queue, const struct message *message,
                             const struct queued_recipient *recipient)
{
    struct text reason = string_pool_text(queue->message_index->reasons, recipient->reason);
    const struct delivery *delivery = schedule_delivery_of(message, recipient);
    if (!reason.length && delivery) reason = schedule_down_reason(queue->schedule, delivery);
    return reason.length ? reason : TEXT("it could not be delivered in time");
}

/* Recipients that wait: neither ended, nor held, nor with deliver at this moment; nor, of a message whose
   time is over, with a last attempt before them. */
static uint32_t waiting_list(struct queue *queue, const struct message *message, bool is_over,
                             struct failure *list, const char *status)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        if (recipient->ending != ENDING_NONE || recipient->hold != HOLD_NONE) continue;
        struct delivery *delivery = schedule_delivery_of(message, recipient);
        if (delivery && delivery->state == DELIVERY_OUT) continue;
        if (delivery && is_over && !schedule_last_try(queue->schedule, delivery)) continue;
        struct text reason = arena_text(queue->arena, reason_of(queue, message, recipient));
        list[count++] = (struct failure){ i, text_of(status), reason, TEXT_NONE, false };
    }
    return count;
}

/* Where only outcomes have room, notices wait. */
static void look_again(struct queue *queue, struct message *message)
{
    schedule_watch(queue->schedule, message, queue_now(queue) + AGED_AGAIN_MS);
}

static void expire(struct queue *queue, struct message *message)
{
    struct failure *list = arena_alloc_array(queue->arena, message->recipient_count, sizeof *list);
    uint32_t count = waiting_list(queue, message, true, list, "4.4.7");
    for (uint32_t i = 0; i < count; i++)
        list[i].reply = arena_printf(queue->arena, "expired, last tried: %.*s", TEXT_ARG(list[i].reply));
    if (count) undeliverable_fail(queue, message, list, count);
    dispatch_settle(queue, message);
    if (message->deliveries) look_again(queue, message);
}

static void warn(struct queue *queue, struct message *message)
{
    struct lead lead;
    struct envelope envelope;
    struct failure *list = arena_alloc_array(queue->arena, message->recipient_count, sizeof *list);
    uint32_t all = waiting_list(queue, message, false, list, "4.4.1"), count = 0;
    if (!queue_envelope(queue, message, &lead, &envelope)) return;
    for (uint32_t i = 0; i < all; i++) {
        uint8_t notify = envelope.recipients[list[i].number].notify;
        if (notify == 0 || (notify & NOTIFY_DELAY)) list[count++] = list[i];
    }
    struct change change = { .when_ms = queue_wall(queue), .flags = MESSAGE_WARNED };
    journal_change(queue->journal, RECORD_DEFERRAL, message, &change);
    if (count && envelope.sender.length)
        notice_send(&(struct dsn_notice){ queue, message, &lead, &envelope, DSN_DELAYED, list, count });
    turn_wanted_soon(queue);
}

void undeliverable_aged(struct queue *queue, struct message *message)
{
    arena_reset(queue->arena);
    if (!queue_may_write(queue, message)) {
        look_again(queue, message);
        return;
    }
    if (undeliverable_is_expired(queue, message)) {
        expire(queue, message);
        return;
    }
    if (queue_now(queue) >= warn_at(queue, message)) warn(queue, message);
    undeliverable_watch(queue, message);
}
