/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What deliver says became of a job: outcomes, failures and deferrals into the batch, the delivery back to
   the schedule. Acknowledged when it is on disk. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "queue/queue_private.h"

struct result_work {
    struct queue *queue;
    struct message *message;
    const struct deliver_result *result;
    struct lead lead;
    struct envelope envelope;
    bool has_envelope;
};

static bool is_open(const struct result_work *work, const struct recipient_result *one)
{
    return one->number < work->message->recipient_count &&
           work->message->recipients[one->number].ending == ENDING_NONE;
}

static void recipient_log(const struct result_work *work, const struct recipient_result *one,
                          const char *status)
{
    struct logged_delivery logged = { .relay = work->result->relay,
                                      .dsn = one->enhanced,
                                      .status = text_of(status),
                                      .reply = one->reply,
                                      .arrived_ms = work->message->arrived_ms,
                                      .connect_ms = work->result->connect_ms,
                                      .transfer_ms = work->result->transfer_ms };
    if (work->has_envelope) {
        logged.address = work->envelope.recipients[one->number].address;
        logged.orcpt = work->envelope.recipients[one->number].orcpt;
    }
    event_log_recipient(work->queue, work->message->id, &logged);
}

static bool is_same_answer(const struct recipient_result *a, const struct recipient_result *b)
{
    return a->ending == b->ending && text_equal(a->enhanced, b->enhanced) && text_equal(a->reply, b->reply);
}

/* One change for all recipients from `first` on that got the same answer; `taken` marks them. */
static void change_gather(const struct result_work *work, uint32_t first, bool *taken, enum ending ending,
                          struct change *change)
{
    const struct recipient_result *all = work->result->recipients;
    change->count = 0;
    for (uint32_t i = first; i < work->result->recipient_count; i++) {
        if (taken[i] || !is_open(work, &all[i]) || !is_same_answer(&all[i], &all[first])) continue;
        taken[i] = true;
        const struct queued_recipient *now = &work->message->recipients[all[i].number];
        uint8_t attempts = now->attempts < UINT8_MAX ? (uint8_t)(now->attempts + 1) : now->attempts;
        change->recipients[change->count++] =
            (struct changed_recipient){ all[i].number, (uint8_t)ending, now->hold, attempts };
    }
}

static void passed_notice(struct result_work *work)
{
    struct failure *passed =
        arena_alloc_array(work->queue->arena, work->result->recipient_count, sizeof *passed);
    uint32_t count = 0;
    bool is_wanted = work->has_envelope && queue_may_write(work->queue, work->message);
    for (uint32_t i = 0; is_wanted && i < work->result->recipient_count; i++) {
        const struct recipient_result *one = &work->result->recipients[i];
        if (one->ending != RECIPIENT_DELIVERED || one->dsn_relayed || !is_open(work, one)) continue;
        if (!(work->envelope.recipients[one->number].notify & NOTIFY_SUCCESS)) continue;
        passed[count++] =
            (struct failure){ one->number, one->enhanced, one->reply, work->result->relay, one->code > 0 };
    }
    if (count) undeliverable_relayed(work->queue, work->message, passed, count);
}

/* A deferral may be forgotten by a restart: it takes no room that outcomes need. */
static void change_keep(struct queue *queue, enum record_type type, struct message *message,
                        const struct change *change)
{
    if (type == RECORD_DEFERRAL && !queue_may_write(queue, message))
        journal_change_in_memory(queue->journal, message, change);
    else
        journal_change(queue->journal, type, message, change);
}

static uint32_t changes_write(struct result_work *work, enum recipient_ending wanted, enum ending ending,
                              enum record_type type, const char *status, uint64_t due_ms)
{
    struct queue *queue = work->queue;
    uint32_t count = work->result->recipient_count, written = 0;
    bool *taken = arena_alloc_array(queue->arena, count, sizeof *taken);
    struct change change = { .when_ms = queue_wall(queue), .due_ms = due_ms, .relay = work->result->relay };
    change.recipients = arena_alloc_array(queue->arena, count, sizeof *change.recipients);
    for (uint32_t i = 0; i < count; i++) {
        const struct recipient_result *one = &work->result->recipients[i];
        if (one->ending != wanted || taken[i] || !is_open(work, one)) continue;
        change_gather(work, i, taken, ending, &change);
        change.dsn = one->enhanced;
        change.reply = one->reply;
        for (uint32_t k = 0; k < count; k++)
            if (taken[k] && is_open(work, &work->result->recipients[k]) &&
                is_same_answer(&work->result->recipients[k], one)) {
                recipient_log(work, &work->result->recipients[k], status);
                if (ending == ENDING_DELIVERED)
                    event_log_remember_delivered(queue, work->message->id, work->result->recipients[k].number,
                                                 one->enhanced, work->result->relay, one->reply);
            }
        change_keep(queue, type, work->message, &change);
        event_log_steps(queue, type, work->message->id, &change);
        written += change.count;
    }
    return written;
}

static uint32_t results_count(const struct result_work *work, enum recipient_ending ending)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < work->result->recipient_count; i++)
        count += work->result->recipients[i].ending == ending && is_open(work, &work->result->recipients[i]);
    return count;
}

static void failures_take(struct result_work *work, enum recipient_ending ending)
{
    uint32_t count = 0;
    struct failure *failures =
        arena_alloc_array(work->queue->arena, work->result->recipient_count, sizeof *failures);
    for (uint32_t i = 0; i < work->result->recipient_count; i++) {
        const struct recipient_result *one = &work->result->recipients[i];
        if (one->ending != ending || !is_open(work, one)) continue;
        failures[count++] =
            (struct failure){ one->number, one->enhanced, one->reply, work->result->relay, one->code > 0 };
        if (ending == RECIPIENT_DEFERRED) failures[count - 1].status = TEXT("4.4.7"); /* RFC 3463: expired */
    }
    if (count) undeliverable_fail(work->queue, work->message, failures, count);
}

static struct text first_reason(const struct result_work *work)
{
    for (uint32_t i = 0; i < work->result->recipient_count; i++)
        if (work->result->recipients[i].ending == RECIPIENT_DEFERRED)
            return work->result->recipients[i].reply;
    return TEXT_NONE;
}

/* The delivery comes back; what was deferred is written down with the time of its next try. */
static void delivery_back(struct result_work *work, struct delivery *delivery)
{
    struct queue *queue = work->queue;
    uint64_t now = queue_now(queue), due = 0;
    bool is_down = work->result->destination_down;
    if (results_count(work, RECIPIENT_DEFERRED) && undeliverable_is_expired(queue, work->message) &&
        queue_may_write(queue, work->message))
        failures_take(work, RECIPIENT_DEFERRED);
    bool is_deferred = results_count(work, RECIPIENT_DEFERRED) > 0;
    if (is_down)
        due = schedule_destination_down(queue->schedule, delivery, first_reason(work), now);
    else if (results_count(work, RECIPIENT_NOT_TRIED) < work->result->recipient_count)
        schedule_destination_up(queue->schedule, delivery, now);
    if (!delivery_has_recipient(delivery))
        schedule_done(queue->schedule, delivery);
    else if (is_deferred && !is_down)
        due = schedule_defer(queue->schedule, delivery, now);
    else
        schedule_give_back(queue->schedule, delivery);
    if (is_deferred) changes_write(work, RECIPIENT_DEFERRED, ENDING_NONE, RECORD_DEFERRAL, "deferred", due);
}

static struct delivery *delivery_of_result(const struct message *message, const struct deliver_result *result)
{
    if (!result->recipient_count || result->recipients[0].number >= message->recipient_count) return NULL;
    return schedule_delivery_of(message, &message->recipients[result->recipients[0].number]);
}

/* A failure means a notice, or a hold and a copy: where there is no room for that, it waits like a deferral.
 */
static void failures_wait(struct queue *queue, const struct message *message, struct deliver_result *result)
{
    if (queue_may_write(queue, message)) return;
    for (uint32_t i = 0; i < result->recipient_count; i++)
        if (result->recipients[i].ending == RECIPIENT_FAILED)
            result->recipients[i].ending = RECIPIENT_DEFERRED;
}

static void result_apply(struct queue *queue, struct message *message, struct deliver_result *result)
{
    struct result_work work = { .queue = queue, .message = message, .result = result };
    struct delivery *delivery = delivery_of_result(message, result);
    bool is_out = delivery && delivery->state == DELIVERY_OUT;
    bool is_ours = is_out && (delivery->job_id == result->id || delivery->job_id == JOB_ADOPTED);
    if (is_out && !is_ours) {
        log_warning("deliver tells of job %llu, which was given up", (unsigned long long)result->id);
        return;
    }
    uint32_t segment = message->segment;
    failures_wait(queue, message, result);
    queue_measures_result(queue, message, result);
    work.has_envelope = queue_envelope(queue, message, &work.lead, &work.envelope);
    passed_notice(&work);
    changes_write(&work, RECIPIENT_DELIVERED, ENDING_DELIVERED, RECORD_OUTCOME, "sent", 0);
    failures_take(&work, RECIPIENT_FAILED);
    if (is_ours) {
        delivery_back(&work, delivery);
        journal_segment_use(queue->journal, segment, -1);
    }
    dispatch_settle(queue, message);
}

static void acknowledge_later(struct queue *queue, uint64_t id)
{
    if (queue->acknowledgement_count == queue->acknowledgement_capacity) {
        queue->acknowledgement_capacity =
            queue->acknowledgement_capacity ? queue->acknowledgement_capacity * 2 : 64;
        queue->acknowledgements = memory_grow(queue->acknowledgements, queue->acknowledgement_capacity *
                                                                           sizeof *queue->acknowledgements);
    }
    queue->acknowledgements[queue->acknowledgement_count++] = id;
}

/* "421 …", or "mail.example.jp[192.0.2.7]:25: 421 …" of a server that could not be talked to. */
static bool says_its_code(const struct recipient_result *result)
{
    char code[16];
    snprintf(code, sizeof code, ": %u ", result->code);
    return text_starts(result->reply, text_slice(text_of(code), 2, 5)) ||
           text_find(result->reply, text_of(code)) < result->reply.length;
}

/* The whole line as the server said it, for log, notices and list. */
static void replies_complete(struct queue *queue, struct deliver_result *result)
{
    for (uint32_t i = 0; i < result->recipient_count; i++) {
        struct recipient_result *one = &result->recipients[i];
        if (!one->code || says_its_code(one)) continue;
        one->reply = arena_printf(queue->arena, "%u %.*s%s%.*s", one->code, TEXT_ARG(one->enhanced),
                                  one->enhanced.length ? " " : "", TEXT_ARG(one->reply));
    }
}

bool result_take(struct queue *queue, struct frame *frame)
{
    struct deliver_result result;
    arena_reset(queue->arena);
    queue->moved_ms = loop_now_ms(queue->child.loop);
    if (!deliver_result_get(queue->arena, frame, &result)) return false;
    replies_complete(queue, &result);
    struct message *message = message_index_find(queue->message_index, result.message_id);
    if (message && message->live_count && !(message->flags & MESSAGE_PENDING))
        result_apply(queue, message, &result);
    acknowledge_later(queue, frame->id);
    if (!journal_has_batch(queue->journal)) { /* it said nothing new */
        channel_send(queue->carrier.channel, DELIVER_RESULT_KEPT, frame->id, TEXT_NONE);
        queue->acknowledgement_count--;
    }
    turn_wanted_soon(queue);
    turn_wanted(queue);
    return true;
}
