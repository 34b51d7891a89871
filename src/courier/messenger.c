/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Waiting, connecting, greeting, telling; any failure goes back to waiting. */
#include "courier/messenger.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/log.h"
#include "base/stream.h"
#include "base/tls.h"
#include "config/value.h"
#include "courier/wire.h"
#include "ipc/child.h"

enum {
    TICK_MS = 5000,
    GREETING_MS = 20000, /* from connecting to WELCOME */
    AGAIN_FIRST_MS = 500,
    AGAIN_MOST_MS = 30000
};

enum messenger_state { MESSENGER_WAITING, MESSENGER_CONNECTING, MESSENGER_GREETING, MESSENGER_TELLING };

struct messenger {
    enum { MESSENGER_MAGIC = 0x290382d7 } magic;
    struct loop *loop;
    const struct config *config;
    struct tls_context *tls;
    struct channel *ledger;
    struct stream *stream;
    struct timer *again, *tick;
    enum messenger_state state;
    size_t collector; /* the one that is tried, or told */
    uint64_t series;  /* 0: ledger has not said it yet */
    uint64_t wish;    /* the one that ledger has not answered is the last */
    bool is_wishing;
    uint64_t sent, stored; /* parcel numbers */
    unsigned on_the_way;
    uint16_t version; /* that is offered */
    uint64_t peers;   /* connections over which declarations went, since the start */
    uint64_t peer;    /* this one's id for ledger; 0: none go over it */
    bool is_saying;   /* the collector has, and ledger has not stored it */
    bool is_heard;    /* the collector takes what this node says */
    uint64_t again_ms, began_ms, heard_ms, said_ms;
    uint64_t parcels;  /* since the start */
    char trouble[256]; /* the last failure, for status and so that it is logged once */
};

static void begin(void *context);
static void tick(void *context);

struct messenger *messenger_new(struct loop *loop)
{
    struct messenger *messenger = memory_alloc(sizeof *messenger);
    messenger->magic = MESSENGER_MAGIC;
    messenger->loop = loop;
    messenger->version = WIRE_VERSION;
    messenger->again = timer_new(loop, begin, messenger);
    messenger->tick = timer_new(loop, tick, messenger);
    return messenger;
}

void messenger_free(struct messenger *messenger)
{
    stream_close(messenger->stream);
    tls_context_free(messenger->tls);
    timer_free(messenger->again);
    timer_free(messenger->tick);
    free(messenger);
}

static struct text collector_word(const struct messenger *messenger)
{
    const struct text_list *collectors = &messenger->config->ledger.collectors;
    return messenger->collector < collectors->count ? collectors->items[messenger->collector] : TEXT_NONE;
}

/* --- beginning and ending --- */

static void leave(struct messenger *messenger)
{
    if (messenger->peer && messenger->ledger)
        channel_send(messenger->ledger, COURIER_NODE_GONE, messenger->peer, TEXT_NONE);
    messenger->peer = 0;
    messenger->is_saying = false;
    stream_close(messenger->stream);
    messenger->stream = NULL;
    messenger->state = MESSENGER_WAITING;
    messenger->is_wishing = false;
    messenger->on_the_way = 0;
    timer_clear(messenger->tick);
}

static void wait(struct messenger *messenger)
{
    messenger->again_ms = messenger->again_ms ? messenger->again_ms * 2 : AGAIN_FIRST_MS;
    if (messenger->again_ms > AGAIN_MOST_MS) messenger->again_ms = AGAIN_MOST_MS;
    timer_set(messenger->again, messenger->again_ms);
}

/* The next collector at once; after the last one a pause. One that was told before is tried first again. */
static void fail(struct messenger *messenger, const char *why)
{
    char trouble[sizeof messenger->trouble];
    bool was_telling = messenger->state == MESSENGER_TELLING;
    snprintf(trouble, sizeof trouble, "%.*s: %s", TEXT_ARG(collector_word(messenger)), why);
    if (was_telling || strcmp(trouble, messenger->trouble) != 0) log_warning("events for %s", trouble);
    snprintf(messenger->trouble, sizeof messenger->trouble, "%s", trouble);
    leave(messenger);
    messenger->collector = was_telling ? 0 : messenger->collector + 1;
    if (messenger->collector < messenger->config->ledger.collectors.count && !was_telling) {
        timer_set(messenger->again, 0);
        return;
    }
    messenger->collector = 0;
    wait(messenger);
}

/* Whatever is different, the next connection begins with it. */
static void anew(struct messenger *messenger)
{
    leave(messenger);
    messenger->version = WIRE_VERSION;
    messenger->collector = 0;
    messenger->again_ms = 0;
    timer_set(messenger->again, 0);
}

static void say(struct messenger *messenger, const struct wire_frame *frame)
{
    struct buffer out = { 0 };
    wire_put(frame, &out);
    stream_write(messenger->stream, buffer_text(&out));
    buffer_free(&out);
    messenger->said_ms = loop_now_ms(messenger->loop);
}

/* --- telling --- */

static void wish(struct messenger *messenger)
{
    if (messenger->is_wishing || messenger->on_the_way >= COURIER_WINDOW) return;
    messenger->is_wishing = true;
    courier_number_send(messenger->ledger, COURIER_PARCEL_WANTED, ++messenger->wish, messenger->sent);
}

static void peer_tell(struct messenger *messenger, bool is_listening)
{
    messenger->peer = ++messenger->peers | COURIER_OUTWARD;
    messenger->is_heard = is_listening;
    const char *name = stream_peer_name(messenger->stream);
    courier_peer_put(&(struct courier_peer){ .is_listening = is_listening, .name = text_of(name) },
                     channel_begin(messenger->ledger, COURIER_PEER, messenger->peer));
    channel_end(messenger->ledger);
}

static void welcome(struct messenger *messenger, const struct wire_frame *frame)
{
    if (frame->version != messenger->version) {
        fail(messenger, "it speaks another version");
        return;
    }
    messenger->state = MESSENGER_TELLING;
    messenger->again_ms = 0;
    messenger->trouble[0] = '\0';
    messenger->sent = messenger->stored = frame->number;
    log_info("events go to the ledger of %s at %.*s", stream_peer_name(messenger->stream),
             TEXT_ARG(collector_word(messenger)));
    if (frame->number) courier_number_send(messenger->ledger, COURIER_PARCELS_TOLD, 0, frame->number);
    if (frame->version > WIRE_VERSION_FIRST) peer_tell(messenger, frame->is_listening);
    wish(messenger);
}

/* A collector that speaks the first version alone: the same one again, at once. */
static void refused(struct messenger *messenger, struct text why)
{
    char reason[WIRE_REASON_MOST + 32];
    snprintf(reason, sizeof reason, "it refuses: %.*s", TEXT_ARG(why));
    bool is_older = messenger->state == MESSENGER_GREETING && messenger->version > WIRE_VERSION_FIRST &&
                    text_starts(why, TEXT("version "));
    if (!is_older) {
        fail(messenger, reason);
        return;
    }
    log_warning(
        "the collecting node %.*s is older: it is told of events, and nothing that is said on one node "
        "holds on both",
        TEXT_ARG(collector_word(messenger)));
    leave(messenger);
    messenger->version = WIRE_VERSION_FIRST;
    timer_set(messenger->again, 0);
}

static bool saying(struct messenger *messenger, const struct saying *saying)
{
    if (!messenger->peer || messenger->is_saying) return false;
    messenger->is_saying = true;
    saying_put(saying, channel_begin(messenger->ledger, COURIER_PEER_SAYS, messenger->peer));
    channel_end(messenger->ledger);
    return true;
}

static bool heard_turn(struct messenger *messenger, uint64_t turn)
{
    if (messenger->peer) courier_number_send(messenger->ledger, COURIER_PEER_HEARD, messenger->peer, turn);
    return messenger->peer;
}

static bool stored(struct messenger *messenger, uint64_t number)
{
    if (messenger->on_the_way == 0 || number <= messenger->stored || number > messenger->sent) return false;
    messenger->stored = number;
    messenger->on_the_way--;
    messenger->parcels++;
    courier_number_send(messenger->ledger, COURIER_PARCELS_TOLD, 0, number);
    wish(messenger);
    return true;
}

/* False: it makes no sense here. May end the connection. */
static bool heard(struct messenger *messenger, const struct wire_frame *frame)
{
    switch (frame->type) {
    case WIRE_WELCOME:
        if (messenger->state != MESSENGER_GREETING) return false;
        welcome(messenger, frame);
        return true;
    case WIRE_REFUSED:
        refused(messenger, frame->reason);
        return true;
    case WIRE_STORED:
        return messenger->state == MESSENGER_TELLING && stored(messenger, frame->number);
    case WIRE_SAY:
        return saying(messenger, &frame->saying);
    case WIRE_HEARD:
        return heard_turn(messenger, frame->number);
    case WIRE_ALIVE:
        return true;
    default:
        return false;
    }
}

static size_t on_input(void *context, struct text bytes)
{
    struct messenger *messenger = CONTEXT(context, struct messenger, MESSENGER_MAGIC);
    struct wire_frame frame;
    size_t used = 0;
    enum wire_outcome outcome = wire_take(bytes, &frame, &used);
    if (outcome == WIRE_MORE) return 0;
    messenger->heard_ms = loop_now_ms(messenger->loop);
    if (outcome == WIRE_BROKEN || !heard(messenger, &frame)) fail(messenger, "what it says makes no sense");
    return messenger->stream ? used : bytes.length;
}

static void on_connected(void *context)
{
    struct messenger *messenger = CONTEXT(context, struct messenger, MESSENGER_MAGIC);
    struct endpoint endpoint;
    char room[ADDRESS_TEXT_SIZE];
    value_endpoint_parse(collector_word(messenger), 0, &endpoint);
    stream_start_tls(messenger->stream, messenger->tls, false,
                     text_of(address_print(&endpoint.address, room)));
}

static void on_secured(void *context)
{
    struct messenger *messenger = CONTEXT(context, struct messenger, MESSENGER_MAGIC);
    messenger->state = MESSENGER_GREETING;
    say(messenger, &(struct wire_frame){ .type = WIRE_HELLO,
                                         .version = messenger->version,
                                         .hello = { .number = messenger->config->node.number,
                                                    .role = (uint8_t)messenger->config->role,
                                                    .series = messenger->series } });
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    fail(CONTEXT(context, struct messenger, MESSENGER_MAGIC), reason);
}

static const struct stream_events events = {
    .on_input = on_input, .on_connected = on_connected, .on_secured = on_secured, .on_ended = on_ended
};

static void begin(void *context)
{
    struct messenger *messenger = CONTEXT(context, struct messenger, MESSENGER_MAGIC);
    struct endpoint endpoint;
    if (messenger->state != MESSENGER_WAITING || !messenger->ledger || !messenger->series ||
        !messenger->tls || !value_endpoint_parse(collector_word(messenger), 0, &endpoint))
        return;
    messenger->state = MESSENGER_CONNECTING;
    messenger->began_ms = messenger->heard_ms = messenger->said_ms = loop_now_ms(messenger->loop);
    timer_set(messenger->tick, TICK_MS);
    messenger->stream = stream_connect(messenger->loop, &endpoint, NULL, &events, messenger);
}

static void tick(void *context)
{
    struct messenger *messenger = CONTEXT(context, struct messenger, MESSENGER_MAGIC);
    uint64_t now = loop_now_ms(messenger->loop);
    timer_set(messenger->tick, TICK_MS);
    if (messenger->state != MESSENGER_TELLING && now - messenger->began_ms >= GREETING_MS)
        fail(messenger, "no answer");
    else if (now - messenger->heard_ms >= WIRE_SILENCE_MS)
        fail(messenger, "it is silent");
    else if (messenger->state == MESSENGER_TELLING && now - messenger->said_ms >= WIRE_ALIVE_MS)
        say(messenger, &(struct wire_frame){ .type = WIRE_ALIVE });
}

/* --- what ledger says --- */

void messenger_configure(struct messenger *messenger, const struct config *config)
{
    char error[200] = "";
    messenger->config = config;
    tls_context_free(messenger->tls);
    messenger->tls = NULL;
    if (config->ledger.collectors.count) {
        messenger->tls = tls_context_node(false, config->node.certificate.content, config->node.key.content,
                                          config->node.ca.content, error, sizeof error);
        if (!messenger->tls) log_error("TLS with the collecting node: %s", error);
    }
    anew(messenger);
}

void messenger_set_ledger(struct messenger *messenger, struct channel *ledger)
{
    messenger->ledger = ledger;
    messenger->peer = 0; /* another ledger does not know it */
    messenger->series = 0;
    anew(messenger);
}

bool messenger_frame(struct messenger *messenger, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct parcel parcel;
    if (frame->type == COURIER_SERIES) {
        messenger->series = get_u64(&reader);
        anew(messenger);
        return reader_done(&reader) && messenger->series > 0 && messenger->series <= INT64_MAX;
    }
    if (!parcel_get(&reader, &parcel) || !reader_done(&reader)) return false;
    if (!messenger->is_wishing || frame->id != messenger->wish) return true; /* of a connection that ended */
    messenger->is_wishing = false;
    messenger->sent = parcel.number;
    messenger->on_the_way++;
    say(messenger, &(struct wire_frame){ .type = WIRE_PARCEL, .parcel = parcel });
    wish(messenger);
    return true;
}

bool messenger_declarations(struct messenger *messenger, struct frame *frame)
{
    struct wire_frame out;
    if (!wire_of_ledger(frame, &out)) return false;
    if (frame->id != messenger->peer || !messenger->stream) return true; /* of a connection that ended */
    if (out.type == WIRE_HEARD) messenger->is_saying = false;
    say(messenger, &out);
    return true;
}

void messenger_status(const struct messenger *messenger, struct buffer *out)
{
    static const char *const states[] = { "waits", "connecting", "greeting", "connected" };
    struct text to = collector_word(messenger);
    if (messenger->config->ledger.collectors.count == 0) return;
    child_status_add(out, "collector", "%.*s", TEXT_ARG(to));
    child_status_add(out, "link", "%s", states[messenger->state]);
    if (messenger->peer)
        child_status_add(out, "allow, block and approvals", "%s",
                         messenger->is_heard ? "both ways" : "from the collector only");
    child_status_add(out, "parcels told", "%llu", (unsigned long long)messenger->parcels);
    child_status_add(out, "parcels on the way", "%u", messenger->on_the_way);
    if (messenger->trouble[0]) child_status_add(out, "trouble", "%s", messenger->trouble);
}
