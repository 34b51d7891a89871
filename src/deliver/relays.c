/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Relays by message id, from the frame that brings one to the frame that answers. */
#include "deliver/relays.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/owner.h"
#include "deliver/hash_table.h"
#include "ipc/child.h"

struct relay {
    struct errand errand; /* first */
    struct hash_node node;
    struct relays *relays;
    struct arena *arena;
    struct channel *asker; /* NULL: nobody waits any more */
    uint64_t id;
    struct relay_request request; /* borrows from the arena */
    struct relay *next_spare;
};

enum { SPARE_MOST = 64, ARENA_BYTES = 16 * 1024, SPARE_BYTES_MOST = 64 * 1024 };

struct relays {
    struct pool *pool;
    struct callouts *callouts;
    struct hash_table by_id;
    struct relay *spare;
    unsigned spare_count;
    uint64_t passed, refused, no_server, moved;
    bool is_stopping;
};

struct relays *relays_new(struct pool *pool, struct callouts *callouts)
{
    struct relays *relays = memory_alloc(sizeof *relays);
    relays->pool = pool;
    relays->callouts = callouts;
    return relays;
}

static struct relay *relay_new(struct relays *relays)
{
    struct relay *relay = relays->spare;
    struct arena *arena = relay ? relay->arena : arena_new(ARENA_BYTES);
    if (relay) {
        relays->spare = relay->next_spare;
        relays->spare_count--;
    } else {
        relay = memory_alloc(sizeof *relay);
    }
    *relay = (struct relay){ .relays = relays, .arena = arena };
    return relay;
}

static void relay_free(struct relay *relay)
{
    struct relays *relays = relay->relays;
    bool is_large = arena_used(relay->arena) > SPARE_BYTES_MOST;
    payload_close(&relay->errand.payload);
    body_free(&relay->request.body);
    if (is_large || relays->spare_count >= SPARE_MOST) {
        arena_free(relay->arena);
        free(relay);
        return;
    }
    arena_reset(relay->arena);
    relay->next_spare = relays->spare;
    relays->spare = relay;
    relays->spare_count++;
}

void relays_free(struct relays *relays)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&relays->by_id, &slot, &next)))
        relay_free(OWNER_OF(node, struct relay, node));
    for (struct relay *relay = relays->spare, *after; relay; relay = after) {
        after = relay->next_spare;
        arena_free(relay->arena);
        free(relay);
    }
    hash_table_free(&relays->by_id);
    free(relays);
}

/* --- the reply --- */

static bool is_same(const struct recipient_result *a, const struct recipient_result *b)
{
    return a->ending == b->ending && a->code == b->code;
}

/* What the next server was not asked about, or gave no reply to, is ours to word. */
static uint16_t code_of(const struct recipient_result *result)
{
    if (result->code) return result->code == 421 ? 451 : result->code; /* our own connection goes on */
    return result->ending == RECIPIENT_FAILED ? 550 : 451;
}

/* One reply for all recipients. Where they differ the message went to none: the client is to try again, and
   then hears at RCPT which of them is refused. */
static struct relay_reply reply_of(struct relay *relay)
{
    const struct recipient_result *results = relay->errand.handover.results;
    uint32_t count = relay->request.envelope.recipient_count;
    struct relay_reply reply = { .outcome = relay->errand.unreachable ? RELAY_NO_SERVER : RELAY_REPLIED,
                                 .code = code_of(&results[0]),
                                 .enhanced = results[0].enhanced,
                                 .text = results[0].reply,
                                 .server = relay->errand.relay };
    bool is_one = true;
    for (uint32_t i = 1; i < count; i++) is_one = is_one && is_same(&results[0], &results[i]);
    if (is_one) return reply;
    for (uint32_t i = 0; i < count; i++)
        if (results[i].ending == RECIPIENT_FAILED)
            callout_learn_refused(relay->relays->callouts, relay->request.envelope.recipients[i].address,
                                  &results[i]);
    reply.code = 451;
    reply.enhanced = TEXT("4.5.0");
    reply.text = TEXT("some of the recipients are refused now; try again to be told which");
    return reply;
}

static void on_done(struct errand *errand)
{
    struct relay *relay = (struct relay *)errand;
    struct relays *relays = relay->relays;
    struct relay_reply reply = reply_of(relay);
    if (reply.outcome == RELAY_NO_SERVER)
        relays->no_server++;
    else if (reply.code < 400)
        relays->passed++;
    else
        relays->refused++;
    relays->moved += errand->tries;
    if (relay->asker) {
        relay_reply_put(&reply, channel_begin(relay->asker, DELIVER_RELAYED, relay->id));
        channel_end(relay->asker);
    }
    hash_table_remove(&relays->by_id, &relay->node);
    relay_free(relay);
}

/* --- frames --- */

static void fail(struct relay *relay, struct text why)
{
    handover_end_rest_by_us(&relay->errand.handover, RECIPIENT_DEFERRED, "4.3.2", why);
    on_done(&relay->errand);
}

/* The frame's bytes live only for the call: an inline body is copied with them, another one is its own. */
static struct relay *relay_read(struct relays *relays, struct frame *frame)
{
    struct relay *relay = relay_new(relays);
    relay->id = frame->id;
    frame->payload = arena_text(relay->arena, frame->payload);
    if (relay_request_get(relay->arena, frame, &relay->request)) return relay;
    relay->request.body = (struct body){ 0 };
    relay_free(relay);
    return NULL;
}

static void relay_begin(struct relay *relay)
{
    struct relay_request *request = &relay->request;
    struct errand *errand = &relay->errand;
    bool is_in_file = request->body.fd > 0;
    errand->domain = request->domain;
    errand->has_content = errand->wants_answer_now = errand->may_move = true;
    errand->on_done = on_done;
    errand->handover.arena = relay->arena;
    errand->handover.envelope = &request->envelope;
    errand->handover.one_fate = true;
    handover_start(&errand->handover);
    payload_open_body(&errand->payload, relay->arena, request->prefix,
                      is_in_file ? TEXT_NONE : body_text(&request->body), request->body.fd,
                      request->body.size, request->content);
    hash_table_add(&relay->relays->by_id, &relay->node, hash_table_number(relay->id));
    if (relay->relays->is_stopping)
        fail(relay, TEXT("shutting down, try again later"));
    else if (request->body.is_lost)
        fail(relay, TEXT("no descriptor is left for the content, try again later"));
    else
        pool_add(relay->relays->pool, errand, true);
}

static struct relay *find(const struct relays *relays, uint64_t id)
{
    struct hash_node *node = hash_table_first(&relays->by_id, hash_table_number(id));
    for (; node; node = hash_table_next(node))
        if (OWNER_OF(node, struct relay, node)->id == id) return OWNER_OF(node, struct relay, node);
    return NULL;
}

static void cancel(struct relay *relay)
{
    relay->asker = NULL;
    relay->errand.is_unwanted = true;
    if (relay->errand.is_started) return;
    pool_remove(relay->relays->pool, &relay->errand);
    fail(relay, TEXT("the client has gone"));
}

bool relays_frame(struct relays *relays, struct channel *asker, struct frame *frame)
{
    struct relay *relay = find(relays, frame->id);
    if (frame->type == DELIVER_RELAY_DOUBT) {
        if (relay) relay->errand.is_unwanted = true;
        return true;
    }
    if (frame->type == DELIVER_RELAY_CANCEL) {
        if (relay) cancel(relay);
        return true;
    }
    if (relay || !(relay = relay_read(relays, frame))) return false;
    relay->asker = asker;
    relay_begin(relay);
    return true;
}

/* --- upkeep --- */

void relays_forget(struct relays *relays, const struct channel *asker)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    while ((node = hash_table_walk(&relays->by_id, &slot, &next)))
        if (OWNER_OF(node, struct relay, node)->asker == asker) cancel(OWNER_OF(node, struct relay, node));
}

void relays_stop(struct relays *relays)
{
    size_t slot = 0;
    struct hash_node *next = NULL, *node;
    relays->is_stopping = true;
    while ((node = hash_table_walk(&relays->by_id, &slot, &next))) {
        struct relay *relay = OWNER_OF(node, struct relay, node);
        if (relay->errand.is_started) continue;
        pool_remove(relays->pool, &relay->errand);
        fail(relay, TEXT("shutting down, try again later"));
    }
}

void relays_status(const struct relays *relays, struct buffer *out)
{
    child_status_add(out, "relays now", "%zu", relays->by_id.count);
    child_status_add(out, "relayed", "%llu", (unsigned long long)relays->passed);
    child_status_add(out, "relays refused", "%llu", (unsigned long long)relays->refused);
    child_status_add(out, "relays without a server", "%llu", (unsigned long long)relays->no_server);
    child_status_add(out, "relays moved", "%llu", (unsigned long long)relays->moved);
}
