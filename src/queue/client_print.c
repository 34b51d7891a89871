/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori queue` is shown, as JSON: the command line makes it readable. */
#include <stdlib.h>

#include "base/json_text.h"
#include "queue/client_private.h"

static const char *state_of(const struct message *message, const struct queued_recipient *recipient)
{
    static const char *const names[] = {
        [DELIVERY_READY] = "ready", [DELIVERY_WAITING] = "waiting", [DELIVERY_OUT] = "delivering"
    };
    if (recipient->ending != ENDING_NONE) return ending_name(recipient->ending);
    if (recipient->hold != HOLD_NONE) return "held";
    const struct delivery *delivery = schedule_delivery_of(message, recipient);
    if (delivery && schedule_waits_until(delivery)) return names[DELIVERY_WAITING];
    return delivery ? names[delivery->state] : "arriving";
}

static void recipient_print(const struct client *client, const struct message *message, uint32_t number,
                            const struct recipient *recipient, struct buffer *out)
{
    const struct queued_recipient *now = &message->recipients[number];
    const struct delivery *delivery =
        now->ending == ENDING_NONE && !now->hold ? schedule_delivery_of(message, now) : NULL;
    buffer_printf(out, "%s{\"address\":", number ? "," : "");
    json_text_add(out, recipient->address);
    buffer_printf(out, ",\"state\":\"%s\"", state_of(message, now));
    if (now->hold && now->hold < HOLD_COUNT && now->ending == ENDING_NONE)
        buffer_printf(out, ",\"hold\":\"%s\"", hold_reason_name(now->hold));
    uint64_t until = delivery ? schedule_waits_until(delivery) : 0;
    if (until) buffer_printf(out, ",\"next_ms\":%llu", (unsigned long long)queue_shown(client->queue, until));
    buffer_printf(out, ",\"attempts\":%u,\"reason\":", now->attempts);
    struct text reason = string_pool_text(client->queue->message_index->reasons, now->reason);
    if (!reason.length && delivery) reason = schedule_down_reason(client->queue->schedule, delivery);
    json_text_add(out, reason);
    buffer_add_char(out, '}');
}

static void long_print(const struct message *message, const struct lead *lead,
                       const struct envelope *envelope, struct buffer *out)
{
    buffer_add_text(out, TEXT(",\"envid\":"));
    json_text_add(out, envelope->envid);
    buffer_printf(out, ",\"smtputf8\":%s,\"authenticated\":%s,\"own\":%s",
                  envelope->smtputf8 ? "true" : "false",
                  message->flags & MESSAGE_AUTHENTICATED ? "true" : "false",
                  message->flags & MESSAGE_OWN ? "true" : "false");
    buffer_printf(out, ",\"segment\":%u,\"offset\":%u,\"edits\":%u", message->segment, message->offset,
                  lead->edits_count);
}

void client_print_message(const struct client *client, const struct message *message, const struct lead *lead,
                          const struct envelope *envelope, bool is_long, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE];
    buffer_printf(out, "{\"id\":\"%s\",\"arrived_ms\":%llu,\"size\":%llu,\"direction\":\"%s\",\"sender\":",
                  message_id_print(message->id, id),
                  (unsigned long long)queue_shown(client->queue, message->arrived_ms),
                  (unsigned long long)message->prefix_length + message->body_length,
                  message->direction == DIRECTION_OUT ? "out" : "in");
    json_text_add(out, envelope->sender);
    if (is_long) long_print(message, lead, envelope, out);
    buffer_add_text(out, TEXT(",\"recipients\":["));
    for (uint32_t i = 0; i < message->recipient_count; i++)
        recipient_print(client, message, i, &envelope->recipients[i], out);
    buffer_add_text(out, TEXT("]}"));
}

void client_tally(struct client *client, const struct message *message, uint32_t number)
{
    const struct queued_recipient *recipient = &message->recipients[number];
    uint32_t limit = string_pool_limit(client->queue->message_index->domains);
    if (recipient->domain >= client->tally_count) {
        client->tallies = memory_grow(client->tallies, limit * sizeof *client->tallies);
        memset(&client->tallies[client->tally_count], 0,
               (limit - client->tally_count) * sizeof *client->tallies);
        client->tally_count = limit;
    }
    struct tally *tally = &client->tallies[recipient->domain];
    uint64_t now = queue_now(client->queue);
    uint64_t minutes = now > message->arrived_ms ? (now - message->arrived_ms) / 60000 : 0;
    int bucket = 0;
    for (uint64_t edge = 5; bucket < AGE_BUCKETS - 1 && minutes >= edge; edge *= 2) bucket++;
    tally->domain = recipient->domain;
    tally->total++;
    tally->held += recipient->hold != HOLD_NONE;
    tally->ages[bucket]++;
}

void client_print_tally(const struct client *client, const struct tally *tally, struct buffer *out)
{
    buffer_add_text(out, TEXT("{\"destination\":"));
    json_text_add(out, string_pool_text(client->queue->message_index->domains, tally->domain));
    buffer_printf(out, ",\"total\":%llu,\"held\":%llu,\"ages\":{", (unsigned long long)tally->total,
                  (unsigned long long)tally->held);
    for (int i = 0, edge = 5; i < AGE_BUCKETS - 1; i++, edge *= 2)
        buffer_printf(out, "\"%d\":%llu,", edge, (unsigned long long)tally->ages[i]);
    buffer_printf(out, "\"more\":%llu}}", (unsigned long long)tally->ages[AGE_BUCKETS - 1]);
}
