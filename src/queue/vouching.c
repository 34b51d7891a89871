/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A receive that somebody took over can say that mail was judged, or came where nothing is judged. The first
   is seen here; the second is bounded by the configuration that this process has. */
#include "queue/vouching.h"

#include "base/log.h"
#include "ipc/voucher.h"
#include "queue/queue_private.h"

enum { SAID_AT_ONCE = 10 }; /* lines, and one a second */

void vouching_begin(struct queue *queue)
{
    queue->voucher_key = voucher_key_read(&queue->child);
    queue->taken = taken_ids_new();
}

static bool is_held(const struct keep_request *request)
{
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++)
        if (request->recipients[i].hold == HOLD_NONE) return false;
    return true;
}

static bool is_unjudged(const struct config *config, const struct keep_request *request)
{
    if (request->listener >= config->listener_count) return false;
    const struct listener *listener = &config->listeners[request->listener];
    return request->direction == (uint8_t)listener->direction &&
           !voucher_is_wanted(config, listener, &request->client, &request->envelope);
}

static void refused_say(struct queue *queue, const struct keep_request *request, const char *why)
{
    char id[MESSAGE_ID_SIZE];
    queue->unvouched++;
    if (log_has_room(&queue->unvouched_said, SAID_AT_ONCE, 1, loop_now_ms(queue->child.loop), LOG_LEVEL_ERROR,
                     "%llu more messages that scan does not vouch for were refused"))
        log_error("%s: receive wants it kept, but %s: it is refused", message_id_print(request->id, id), why);
}

/* NULL: it does. */
static const char *why_not(struct queue *queue, const struct keep_request *request, struct text body)
{
    const struct config *config = queue->child.config;
    uint64_t now_ms = loop_now_ms(queue->child.loop), life_ms = VOUCHER_VERDICTS * config->limits.verdict_ms;
    uint8_t digest[DIGEST_BYTES];
    if (request->voucher.at_ms == 0) return "has no word of scan for it";
    digest_sha256(body, digest);
    if (!voucher_is_good(queue->voucher_key, request, digest, now_ms, life_ms))
        return "scan's word is not for this, or too old";
    bool is_new = !message_index_was_kept(queue->message_index, request->id) &&
                  taken_ids_add(queue->taken, request->id, now_ms, life_ms);
    return is_new ? NULL : "it was kept before";
}

bool vouching_admits(struct queue *queue, const struct keep_request *request, struct text body)
{
    if (is_held(request) || is_unjudged(queue->child.config, request)) return true;
    const char *why = why_not(queue, request, body);
    if (why) refused_say(queue, request, why);
    return !why;
}
