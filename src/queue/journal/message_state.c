/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How messages and their recipients stand in memory, and the counts of it: as records are appended or read
   back, never otherwise. */
#include <stdlib.h>

#include "base/arena.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"
#include "queue/journal/journal_private.h"

/* What is kept free for the message's outcomes, as long as it lives: deliveries are runs of recipients that
   share domain and edits, or fewer. */
static uint64_t claim_of(const struct message *message)
{
    uint32_t runs = 1;
    for (uint32_t i = 1; i < message->recipient_count; i++)
        runs += message->recipients[i].domain != message->recipients[i - 1].domain ||
                message->recipients[i].edits != message->recipients[i - 1].edits;
    return journal_outcome_bytes(runs, message->recipient_count);
}

void journal_message_enter(struct journal *journal, struct message *message)
{
    message_index_add(journal->message_index, message);
    journal->totals.messages_live++;
    journal->claimed += claim_of(message);
}

struct message *journal_message_make(struct journal *journal, uint64_t id, const struct lead *lead,
                                     uint32_t lead_length, uint32_t body_length)
{
    struct message_index *message_index = journal->message_index;
    struct message *message =
        memory_alloc(sizeof *message + lead->recipient_count * sizeof message->recipients[0]);
    message->id = id;
    message->arrived_ms = lead->arrived_ms;
    message->direction = lead->direction;
    message->flags = lead->flags & (MESSAGE_AUTHENTICATED | MESSAGE_OWN | MESSAGE_WARNED | MESSAGE_AGAIN);
    message->content = lead->content;
    message->lead_length = lead_length;
    message->prefix_length = lead->prefix_length;
    message->body_length = body_length;
    message->recipient_count = lead->recipient_count;
    for (uint32_t i = 0; i < lead->recipient_count; i++) {
        const struct lead_recipient *from = &lead->recipients[i];
        struct queued_recipient *to = &message->recipients[i];
        to->domain = string_pool_hold(message_index->domains, from->domain);
        to->ending = from->ending < ENDING_COUNT ? from->ending : ENDING_REMOVED;
        to->hold = from->hold;
        to->edits = from->edits;
        if (from->hold) to->reason = string_pool_hold(message_index->reasons, lead->hold_reason);
        if (to->ending != ENDING_NONE) continue;
        message->live_count++;
        journal->totals.live++;
        if (to->hold) journal->totals.held++;
    }
    journal_message_enter(journal, message);
    return message;
}

void journal_message_at_home(struct journal *journal, struct message *message, struct segment *segment)
{
    message->segment = segment->number;
    segment->live++;
    segment->live_bytes += message_bytes(message);
}

void journal_message_forget(struct journal *journal, struct message *message)
{
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        if (message->recipients[i].ending != ENDING_NONE) continue;
        journal->totals.live--;
        if (message->recipients[i].hold) journal->totals.held--;
    }
    struct segment *segment = message->segment ? segment_find(journal, message->segment) : NULL;
    if (segment) {
        segment->live--;
        segment->live_bytes -= message_bytes(message);
    }
    journal->totals.messages_live--;
    journal->claimed -= claim_of(message);
    message_index_remove(journal->message_index, message);
}

static void recipient_apply(struct journal *journal, struct message *message,
                            const struct changed_recipient *changed, struct text reply)
{
    struct queued_recipient *recipient = &message->recipients[changed->number];
    if (recipient->ending != ENDING_NONE) return; /* exactly one ending */
    if (recipient->hold && (changed->ending || !changed->hold)) journal->totals.held--;
    if (!recipient->hold && !changed->ending && changed->hold) journal->totals.held++;
    recipient->ending = changed->ending < ENDING_COUNT ? changed->ending : ENDING_REMOVED;
    recipient->hold = changed->hold;
    recipient->attempts = changed->attempts;
    uint32_t old = recipient->reason;
    recipient->reason = string_pool_hold(journal->message_index->reasons, reply);
    string_pool_drop(journal->message_index->reasons, old);
    if (recipient->ending == ENDING_NONE) return;
    message->live_count--;
    journal->totals.live--;
}

void journal_change_apply(struct journal *journal, struct message *message, const struct change *change)
{
    if (change->due_ms) message->due_ms = change->due_ms;
    message->flags |= change->flags & MESSAGE_WARNED;
    for (uint32_t i = 0; i < change->count; i++)
        if (change->recipients[i].number < message->recipient_count)
            recipient_apply(journal, message, &change->recipients[i], change->reply);
}
