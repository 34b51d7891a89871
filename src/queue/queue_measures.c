/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What monitors are told of the queue. Results count as they come; how old what waits is, and what is held,
   is found by a walk over the message index, a piece a tick, so that a queue of a million stops nobody. */
#include <string.h>

#include "queue/queue_private.h"

enum { SLOTS_A_TICK = 16384 };

_Static_assert((int)HOLD_COUNT <= (int)MEASURES_HOLDS, "the page has no room for a reason to hold");

static void recipient_measure(const struct queue *queue, const struct message *message,
                              enum recipient_ending ending)
{
    struct queue_measures *measures = queue->measures;
    uint64_t now = queue_now(queue);
    if (ending == RECIPIENT_DELIVERED) {
        measures->deliveries[MEASURES_DELIVERED]++;
        histogram_add(&measures->waited, MEASURES_WAIT,
                      now > message->arrived_ms ? now - message->arrived_ms : 0);
    } else if (ending == RECIPIENT_DEFERRED) {
        measures->deliveries[MEASURES_PUT_OFF]++;
    } else if (ending == RECIPIENT_FAILED) {
        measures->deliveries[MEASURES_FAILED]++;
    }
}

/* What was told before changes nothing. */
void queue_measures_result(struct queue *queue, const struct message *message,
                           const struct deliver_result *result)
{
    bool is_attempt = false;
    for (uint32_t i = 0; queue->measures && i < result->recipient_count; i++) {
        const struct recipient_result *one = &result->recipients[i];
        bool is_open =
            one->number < message->recipient_count && message->recipients[one->number].ending == ENDING_NONE;
        if (!is_open || one->ending == RECIPIENT_NOT_TRIED) continue;
        recipient_measure(queue, message, one->ending);
        is_attempt = true;
    }
    if (is_attempt)
        histogram_add(&queue->measures->delivery, MEASURES_WORK,
                      ((uint64_t)result->connect_ms + result->transfer_ms) * 1000);
}

static void message_measure(struct queue *queue, const struct message *message)
{
    struct queue_measures *found = &queue->walk.found;
    uint64_t now = queue_now(queue);
    histogram_add(&found->age, MEASURES_WAIT, now > message->arrived_ms ? now - message->arrived_ms : 0);
    for (uint32_t i = 0; i < message->recipient_count; i++)
        if (message->recipients[i].ending == ENDING_NONE) found->held[message->recipients[i].hold]++;
}

/* A table that grew or shrank meanwhile has other places: the walk begins again. */
static void walk_step(struct queue *queue)
{
    const struct message_index *index = queue->message_index;
    if (queue->walk.slot_count != index->slot_count) queue->walk.place = 0;
    if (queue->walk.place == 0) queue->walk.found = (struct queue_measures){ 0 };
    queue->walk.slot_count = index->slot_count;
    size_t end = queue->walk.place + SLOTS_A_TICK;
    if (end > index->slot_count) end = index->slot_count;
    for (; queue->walk.place < end; queue->walk.place++)
        if (index->slots[queue->walk.place]) message_measure(queue, index->slots[queue->walk.place]);
    if (end < index->slot_count) return;
    queue->measures->age = queue->walk.found.age;
    memcpy(queue->measures->held, queue->walk.found.held, sizeof queue->measures->held);
    queue->walk.place = 0;
}

void queue_measures_tick(struct queue *queue)
{
    if (!queue->measures) return;
    struct journal_facts journal = journal_facts(queue->journal);
    walk_step(queue);
    queue->measures->commits = journal.commits;
    queue->measures->records = journal.commit_records;
    queue->measures->sync_us = journal.sync_us;
    queue->measures->segments = journal.segments;
    queue->measures->journal_bytes = journal.bytes;
}
