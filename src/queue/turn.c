/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The turn: everything that came in is one batch, one write, one sync; then all are answered, deliveries go
   out, and there is time for housekeeping. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/log.h"
#include "queue/queue_private.h"

void turn_wanted(struct queue *queue)
{
    loop_defer(queue->child.loop, &queue->turn);
}

void turn_wanted_soon(struct queue *queue)
{
    if (!timer_is_set(queue->commit_timer)) timer_set(queue->commit_timer, OUTCOME_WAIT_MS);
}

static void page_write(struct queue *queue)
{
    if (queue->page) queue->page->queue = journal_counters(queue->journal);
}

static void why_full_tell(struct queue *queue)
{
    int error = journal_full_error(queue->journal);
    if (error == ENOSPC)
        snprintf(queue->why_full, sizeof queue->why_full, "the spool is full");
    else
        snprintf(queue->why_full, sizeof queue->why_full, "the spool takes no new segment: %s",
                 strerror(error));
}

void turn_space_look(struct queue *queue)
{
    bool is_full = journal_is_full(queue->journal);
    if (is_full == queue->is_full) return;
    queue->is_full = is_full;
    if (is_full) {
        why_full_tell(queue);
        log_error("%s: mail is refused for now", queue->why_full);
    } else {
        log_info("the spool has room again: mail is accepted");
    }
    intake_tell_space(queue);
}

static void waiter_answer(struct queue *queue, struct waiter *waiter, enum commit commit)
{
    bool is_kept = commit == COMMIT_DONE;
    if (waiter->receiver && is_kept) {
        if (waiter->receiver->flags)
            event_log_again(queue, &queue->accepted, waiter->id); /* receive tells its own */
        channel_send(waiter->receiver->channel, QUEUE_KEPT, waiter->id, TEXT_NONE);
    } else if (waiter->receiver) {
        struct buffer *out = channel_begin(waiter->receiver->channel, QUEUE_NOT_KEPT, waiter->id);
        put_u8(out, commit == COMMIT_DISK_FULL ? KEEP_DISK_FULL : KEEP_SYNC_FAILED);
        put_text(out, text_of(journal_error(queue->journal)));
        channel_end(waiter->receiver->channel);
    }
    body_free(&waiter->body);
    if (!is_kept) {
        char id[MESSAGE_ID_SIZE];
        log_of(LOG_LEVEL_WARNING, message_id_print(waiter->id, id), "%s: not kept: %s", id,
               journal_error(queue->journal));
        return;
    }
    schedule_add(queue->schedule, waiter->message, queue_now(queue));
    undeliverable_watch(queue, waiter->message);
}

/* Messages of our own stay in a batch that failed, and wait on. */
static void waiters_answer(struct queue *queue, enum commit commit)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->waiter_count; i++) {
        struct waiter waiter = queue->waiters[i];
        bool is_own = !waiter.receiver && commit != COMMIT_DONE &&
                      message_index_find(queue->message_index, waiter.id) == waiter.message;
        if (is_own && (waiter.message->flags & MESSAGE_PENDING))
            queue->waiters[kept++] = waiter;
        else
            waiter_answer(queue, &waiter, is_own ? COMMIT_DONE : commit);
    }
    queue->waiter_count = kept;
}

static void results_acknowledge(struct queue *queue)
{
    for (size_t i = 0; queue->carrier.channel && i < queue->acknowledgement_count; i++)
        channel_send(queue->carrier.channel, DELIVER_RESULT_KEPT, queue->acknowledgements[i], TEXT_NONE);
    queue->acknowledgement_count = 0;
}

bool turn_commit(struct queue *queue)
{
    if (!journal_has_batch(queue->journal)) return true;
    enum commit commit = journal_commit(queue->journal);
    page_write(queue);
    waiters_answer(queue, commit);
    if (journal_has_batch(queue->journal)) {
        timer_set(queue->commit_timer, RETRY_WAIT_MS);
        turn_space_look(queue);
        return false;
    }
    timer_clear(queue->commit_timer);
    results_acknowledge(queue);
    event_log_committed(queue);
    if (commit != COMMIT_DONE) turn_space_look(queue);
    return true;
}

static void wake_set(struct queue *queue)
{
    uint64_t wake = schedule_wake_ms(queue->schedule), now = queue_now(queue);
    if (wake == UINT64_MAX)
        timer_clear(queue->wake_timer);
    else
        timer_set(queue->wake_timer, wake > now ? wake - now : 1);
}

void turn_wake(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    for (struct message *message; (message = schedule_aged(queue->schedule, queue_now(queue)));)
        undeliverable_aged(queue, message);
    turn_wanted(queue);
}

/* A message does not wait for company beyond its turn; outcomes alone wait for their timer. */
void turn_run(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    if (queue->waiter_count > 0 || !timer_is_set(queue->commit_timer)) turn_commit(queue);
    if (!queue->is_stopping) dispatch_jobs(queue);
    if (!queue->is_stopping) held_transfer_offer(queue);
    journal_tidy(queue->journal);
    wake_set(queue);
}
