/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Nothing is remembered of what another node has: it would have to be right over restored backups, changed
   trust and new disks, and all there is goes over in a second. */
#include "ledger/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/ask_courier.h"

struct peer {
    LIST_ENTRY(peer) others;
    uint64_t id;
    char name[COURIER_NAME_MOST + 1];
    uint16_t number; /* 0: a collector */
    bool is_listening;
    /* What it was told: all up to stamp `from`; on the way are those up to `until`, behind `number_told`. */
    uint64_t from, until;
    uint32_t number_told;
    uint64_t turn;
    bool is_waiting; /* for HEARD of the turn */
    uint64_t owed;   /* its turn that is not on disk yet; 0: none */
    bool is_noted;   /* in the log, as one that says what is left out */
};

struct exchange {
    enum { EXCHANGE_MAGIC = 0x33e8d90a } magic;
    struct loop *loop;
    const struct config *config;
    struct declarations *declarations;
    struct channel *courier; /* NULL: gone */
    LIST_HEAD(peer_list, peer) peers;
    struct exchange_facts facts;
};

/* --- telling --- */

static void pass_begin(struct peer *peer, uint64_t stamp)
{
    peer->until = stamp;
    peer->number_told = 0;
}

/* False: it has all. */
static bool say_next(struct exchange *exchange, struct peer *peer, struct buffer *out)
{
    uint64_t stamp = declarations_stamp(exchange->declarations);
    while (peer->from < stamp) {
        if (peer->until <= peer->from) pass_begin(peer, stamp);
        uint32_t number = declarations_list(exchange->declarations, peer->from, peer->until,
                                            peer->number_told, COURIER_RECORDS_MOST, out);
        peer->number_told = number;
        if (number == 0) peer->from = peer->until;
        if (buffer_length(out) > 0) return true;
    }
    return false;
}

static void serve(struct exchange *exchange, struct peer *peer)
{
    struct buffer lines = { 0 };
    if (!peer->is_listening || peer->is_waiting) return;
    if (say_next(exchange, peer, &lines)) {
        peer->is_waiting = true;
        saying_put(&(struct saying){ ++peer->turn, buffer_text(&lines) },
                   channel_begin(exchange->courier, COURIER_SAY, peer->id));
        channel_end(exchange->courier);
    }
    buffer_free(&lines);
}

static void serve_all(void *context)
{
    struct exchange *exchange = CONTEXT(context, struct exchange, EXCHANGE_MAGIC);
    struct peer *peer;
    LIST_FOREACH(peer, &exchange->peers, others) serve(exchange, peer);
}

/* --- hearing --- */

/* Another node answers for what was said there, not for what it passes on; a collector for all. What has our
   number comes back to us where our own file was lost. */
static bool may_say(const struct exchange *exchange, const struct peer *peer, struct text line)
{
    struct declaration declaration;
    if (!declaration_read(line, &declaration)) return false;
    return peer->number == 0 || declaration.node == peer->number ||
           declaration.node == exchange->config->node.number;
}

static bool is_taken(const struct exchange *exchange, const struct peer *peer)
{
    if (peer->number == 0) return exchange->config->ledger.collectors.count > 0;
    return node_is_trusted(exchange->config, text_of(peer->name));
}

static void left_out(struct exchange *exchange, struct peer *peer, const char *why)
{
    exchange->facts.left_out++;
    if (!peer->is_noted) log_warning("what %s says is left out: %s", peer->name, why);
    peer->is_noted = true;
}

static void hear(struct exchange *exchange, struct peer *peer, struct text line)
{
    if (!may_say(exchange, peer, line)) {
        left_out(exchange, peer, "it is no declaration, or not its own");
        return;
    }
    switch (declarations_hear(exchange->declarations, line, loop_wall_ms(exchange->loop))) {
    case DECLARATION_NEW:
        exchange->facts.heard++;
        return;
    case DECLARATION_KNOWN:
        return;
    case DECLARATION_BAD:
        left_out(exchange, peer, "it is no declaration");
        return;
    case DECLARATION_FULL:
        left_out(exchange, peer, "the node has said as many as may be");
        return;
    }
}

/* False: not on disk; its turn stays owed. */
static bool keep(struct exchange *exchange)
{
    struct peer *peer;
    if (!declarations_keep(exchange->declarations)) return false;
    LIST_FOREACH(peer, &exchange->peers, others) {
        if (!peer->owed) continue;
        courier_number_send(exchange->courier, COURIER_SAY_HEARD, peer->id, peer->owed);
        peer->owed = 0;
    }
    return true;
}

static void says(struct exchange *exchange, struct peer *peer, const struct saying *saying)
{
    struct text line, rest = saying->lines;
    uint64_t before = exchange->facts.heard;
    bool is_wanted = is_taken(exchange, peer);
    if (!is_wanted) left_out(exchange, peer, "node trust does not name it");
    while (is_wanted && text_next_line(&rest, &line)) hear(exchange, peer, line);
    peer->owed = saying->turn;
    if (exchange->facts.heard > before)
        log_info("new of what %s says: %llu", peer->name,
                 (unsigned long long)(exchange->facts.heard - before));
    if (!keep(exchange))
        log_error("what %s says cannot be written, and is not in force: %s", peer->name, strerror(errno));
}

/* --- peers --- */

static struct peer *peer_find(const struct exchange *exchange, uint64_t id)
{
    struct peer *peer;
    LIST_FOREACH(peer, &exchange->peers, others)
        if (peer->id == id) return peer;
    return NULL;
}

static void peer_forget(struct peer *peer)
{
    if (!peer) return;
    LIST_REMOVE(peer, others);
    free(peer);
}

static void peer_take(struct exchange *exchange, uint64_t id, const struct courier_peer *told)
{
    peer_forget(peer_find(exchange, id));
    if (!exchange->config->node.number) return;
    struct peer *peer = memory_alloc(sizeof *peer);
    peer->id = id;
    peer->number = told->number;
    peer->is_listening = told->is_listening;
    snprintf(peer->name, sizeof peer->name, "%.*s", TEXT_ARG(told->name));
    LIST_INSERT_HEAD(&exchange->peers, peer, others);
    serve(exchange, peer);
}

static void peer_heard(struct exchange *exchange, struct peer *peer, uint64_t turn)
{
    if (!peer || !peer->is_waiting || turn != peer->turn) return;
    peer->is_waiting = false;
    serve(exchange, peer);
}

/* A node that came has a number, and whom we went to has none. */
static bool peer_is_whole(uint64_t id, const struct courier_peer *peer)
{
    return (peer->number == 0) == ((id & COURIER_OUTWARD) != 0);
}

bool exchange_frame(struct exchange *exchange, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct peer *peer = peer_find(exchange, frame->id);
    struct courier_peer told;
    struct saying saying;
    switch (frame->type) {
    case COURIER_PEER:
        if (!courier_peer_get(&reader, &told) || !reader_done(&reader) || !peer_is_whole(frame->id, &told))
            return false;
        peer_take(exchange, frame->id, &told);
        return true;
    case COURIER_PEER_SAYS:
        if (!saying_get(&reader, &saying) || !reader_done(&reader)) return false;
        if (peer) says(exchange, peer, &saying);
        return true;
    case COURIER_PEER_HEARD:
        peer_heard(exchange, peer, get_u64(&reader));
        return reader_done(&reader);
    case COURIER_NODE_GONE:
        peer_forget(peer);
        return reader_done(&reader);
    default:
        return false;
    }
}

/* --- the whole --- */

struct exchange *exchange_new(struct loop *loop, const struct config *config,
                              struct declarations *declarations)
{
    struct exchange *exchange = memory_alloc(sizeof *exchange);
    *exchange = (struct exchange){
        .magic = EXCHANGE_MAGIC, .loop = loop, .config = config, .declarations = declarations
    };
    LIST_INIT(&exchange->peers);
    declarations_set_listener(declarations, serve_all, exchange);
    return exchange;
}

static void peers_forget(struct exchange *exchange)
{
    while (!LIST_EMPTY(&exchange->peers)) peer_forget(LIST_FIRST(&exchange->peers));
}

void exchange_free(struct exchange *exchange)
{
    declarations_set_listener(exchange->declarations, NULL, NULL);
    peers_forget(exchange);
    free(exchange);
}

void exchange_set_config(struct exchange *exchange, const struct config *config)
{
    exchange->config = config;
    declarations_set_node(exchange->declarations, config->node.number);
}

void exchange_set_courier(struct exchange *exchange, struct channel *courier)
{
    exchange->courier = courier;
    peers_forget(exchange);
}

void exchange_look(struct exchange *exchange)
{
    declarations_look(exchange->declarations, loop_wall_ms(exchange->loop));
    keep(exchange);
}

struct exchange_facts exchange_facts(const struct exchange *exchange)
{
    return exchange->facts;
}
