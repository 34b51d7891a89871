/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A guest is a connection: greeting, then welcome or refused. Guests are few, so they stand in a list. */
#include "courier/reception.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/allowance.h"
#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "base/stream.h"
#include "base/tls.h"
#include "courier/wire.h"
#include "ipc/child.h"

enum { TICK_MS = 5000, GREETING_MS = 20000, OUTPUT_MOST = 128 * 1024 };
enum { LINES_AT_ONCE = 20, LINES_A_SECOND = 1 }; /* of the log, about guests that are none of ours */

enum guest_state { GUEST_STRANGER, GUEST_ASKING, GUEST_WELCOME };

struct guest {
    enum { GUEST_MAGIC = 0x660109ef } magic;
    LIST_ENTRY(guest) others;
    struct reception *reception;
    struct stream *stream;
    enum guest_state state;
    uint64_t id; /* of the connection, for ledger */
    uint16_t number;
    char name[COURIER_NAME_MOST + 1]; /* as its certificate has it */
    char address[ADDRESS_TEXT_SIZE];
    uint16_t version;    /* that it speaks */
    bool is_saying;      /* it has, and ledger has not stored it */
    unsigned on_the_way; /* parcels that ledger has not stored yet */
    uint64_t began_ms, heard_ms;
    bool is_leaving; /* closed at the next tick or turn: never inside its own callback */
};

struct reception {
    enum { RECEPTION_MAGIC = 0x6ab09205 } magic;
    struct loop *loop;
    const struct config *config;
    struct tls_context *tls;
    struct acceptor *acceptor;
    struct channel *ledger;
    struct timer *tick;
    struct deferred sweep;
    LIST_HEAD(guest_list, guest) guests; /* the newest first */
    unsigned guest_count;
    int fd;
    uint64_t ids, parcels, refused;
    char last_refused[128]; /* so that one that comes again and again is logged once */
    struct allowance lines; /* about others */
};

static void tick(void *context);
static void sweep(void *context);

struct reception *reception_new(struct loop *loop)
{
    struct reception *reception = memory_alloc(sizeof *reception);
    reception->magic = RECEPTION_MAGIC;
    reception->loop = loop;
    reception->fd = -1;
    reception->tick = timer_new(loop, tick, reception);
    reception->sweep = (struct deferred){ .run = sweep, .context = reception };
    return reception;
}

/* --- guests --- */

static void guest_leave(struct guest *guest)
{
    guest->is_leaving = true;
    loop_defer(guest->reception->loop, &guest->reception->sweep);
}

static void sweep(void *context)
{
    struct reception *reception = CONTEXT(context, struct reception, RECEPTION_MAGIC);
    for (struct guest *next, *guest = LIST_FIRST(&reception->guests); guest; guest = next) {
        next = LIST_NEXT(guest, others);
        if (!guest->is_leaving) continue;
        LIST_REMOVE(guest, others);
        if (reception->ledger && guest->state != GUEST_STRANGER)
            channel_send(reception->ledger, COURIER_NODE_GONE, guest->id, TEXT_NONE);
        stream_close(guest->stream);
        reception->guest_count--;
        free(guest);
    }
}

static void guests_leave(struct reception *reception)
{
    struct guest *guest;
    LIST_FOREACH(guest, &reception->guests, others) guest_leave(guest);
}

static struct guest *guest_find(struct reception *reception, uint64_t id)
{
    struct guest *guest;
    LIST_FOREACH(guest, &reception->guests, others)
        if (guest->id == id && !guest->is_leaving) return guest;
    return NULL;
}

static void say(struct guest *guest, const struct wire_frame *frame)
{
    struct buffer out = { 0 };
    wire_put(frame, &out);
    stream_write(guest->stream, buffer_text(&out));
    buffer_free(&out);
}

/* A line about whoever came to the port? */
static bool may_note(struct reception *reception)
{
    return log_has_room(&reception->lines, LINES_AT_ONCE, LINES_A_SECOND, loop_now_ms(reception->loop),
                        LOG_LEVEL_INFO, "events: %llu lines about other guests are left out");
}

static void refuse(struct guest *guest, const char *reason)
{
    struct reception *reception = guest->reception;
    char line[sizeof reception->last_refused];
    reception->refused++;
    snprintf(line, sizeof line, "%s[%s]: %s", guest->name[0] ? guest->name : "unknown", guest->address,
             reason);
    if (strcmp(line, reception->last_refused) != 0 && may_note(reception))
        log_warning("events refused from %s", line);
    snprintf(reception->last_refused, sizeof reception->last_refused, "%s", line);
    say(guest, &(struct wire_frame){ .type = WIRE_REFUSED, .reason = text_of(reason) });
    guest_leave(guest);
}

/* --- what they say --- */

static void hello(struct guest *guest, const struct wire_frame *frame)
{
    char why[WIRE_REASON_MOST];
    const char *name = stream_peer_name(guest->stream), *doubt = stream_peer_doubt(guest->stream);
    snprintf(guest->name, sizeof guest->name, "%s", name);
    if (!*name) {
        snprintf(why, sizeof why, "a certificate of the nodes' authority is needed%s%s",
                 *doubt ? "; yours: " : "", doubt);
        refuse(guest, why);
        return;
    }
    if (!wire_is_spoken(frame->version)) {
        snprintf(why, sizeof why, "version %u is not spoken here, only %d to %d", frame->version,
                 WIRE_VERSION_FIRST, WIRE_VERSION);
        refuse(guest, why);
        return;
    }
    struct node_hello hello = frame->hello;
    hello.name = text_of(guest->name);
    struct guest *other;
    LIST_FOREACH(other, &guest->reception->guests, others)
        if (other != guest && other->number == hello.number && strcmp(other->name, guest->name) == 0)
            guest_leave(other);
    guest->number = hello.number;
    guest->version = frame->version;
    guest->state = GUEST_ASKING;
    node_hello_put(&hello, channel_begin(guest->reception->ledger, COURIER_NODE_HELLO, guest->id));
    channel_end(guest->reception->ledger);
}

static bool parcel(struct guest *guest, const struct parcel *parcel)
{
    if (guest->state != GUEST_WELCOME || guest->on_the_way >= COURIER_WINDOW) return false;
    guest->on_the_way++;
    guest->reception->parcels++;
    parcel_put(parcel, channel_begin(guest->reception->ledger, COURIER_NODE_PARCEL, guest->id));
    channel_end(guest->reception->ledger);
    return true;
}

static bool saying(struct guest *guest, const struct saying *saying)
{
    bool may = guest->state == GUEST_WELCOME && guest->version > WIRE_VERSION_FIRST && !guest->is_saying;
    if (!may) return false;
    guest->is_saying = true;
    saying_put(saying, channel_begin(guest->reception->ledger, COURIER_PEER_SAYS, guest->id));
    channel_end(guest->reception->ledger);
    return true;
}

static bool heard_turn(struct guest *guest, uint64_t turn)
{
    bool may = guest->state == GUEST_WELCOME && guest->version > WIRE_VERSION_FIRST;
    if (may) courier_number_send(guest->reception->ledger, COURIER_PEER_HEARD, guest->id, turn);
    return may;
}

static bool heard(struct guest *guest, const struct wire_frame *frame)
{
    switch (frame->type) {
    case WIRE_HELLO:
        if (guest->state != GUEST_STRANGER) return false;
        hello(guest, frame);
        return true;
    case WIRE_PARCEL:
        return parcel(guest, &frame->parcel);
    case WIRE_SAY:
        return saying(guest, &frame->saying);
    case WIRE_HEARD:
        return heard_turn(guest, frame->number);
    case WIRE_ALIVE:
        if (guest->state != GUEST_WELCOME) return false;
        say(guest, &(struct wire_frame){ .type = WIRE_ALIVE });
        return true;
    default:
        return false;
    }
}

static size_t on_input(void *context, struct text bytes)
{
    struct guest *guest = CONTEXT(context, struct guest, GUEST_MAGIC);
    struct wire_frame frame;
    size_t used = 0;
    if (guest->is_leaving || !guest->reception->ledger) return bytes.length;
    enum wire_outcome outcome = wire_take(bytes, &frame, &used);
    if (outcome == WIRE_MORE) return 0;
    guest->heard_ms = loop_now_ms(guest->reception->loop);
    if (outcome == WIRE_WHOLE && heard(guest, &frame)) return used;
    refuse(guest, "what you say makes no sense");
    return bytes.length;
}

static void on_secured(void *context)
{
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    struct guest *guest = CONTEXT(context, struct guest, GUEST_MAGIC);
    if (guest->state == GUEST_WELCOME)
        log_info("events of %s[%s]: the link has ended: %s", guest->name, guest->address, reason);
    else if (end == STREAM_END_TLS && may_note(guest->reception))
        log_info("events from %s: TLS failed: %s", guest->address, reason);
    guest_leave(guest);
}

static const struct stream_events events = { .on_input = on_input,
                                             .on_secured = on_secured,
                                             .on_ended = on_ended };

/* --- coming --- */

static void guest_take(struct reception *reception, int fd, const struct endpoint *from)
{
    struct guest *guest = memory_alloc(sizeof *guest);
    guest->magic = GUEST_MAGIC;
    guest->reception = reception;
    guest->id = ++reception->ids;
    guest->began_ms = guest->heard_ms = loop_now_ms(reception->loop);
    address_print(&from->address, guest->address);
    guest->stream = stream_open(reception->loop, fd, &events, guest);
    LIST_INSERT_HEAD(&reception->guests, guest, others);
    reception->guest_count++;
    stream_limit_output(guest->stream, OUTPUT_MOST);
    stream_start_tls(guest->stream, reception->tls, true, TEXT_NONE);
    if (!timer_is_set(reception->tick)) timer_set(reception->tick, TICK_MS);
}

/* So many are no nodes: the one that has been silent for longest about who it is goes. False: all have said.
 */
static bool room_make(struct reception *reception)
{
    struct guest *guest, *oldest = NULL;
    if (reception->guest_count < RECEPTION_GUESTS) return true;
    LIST_FOREACH(guest, &reception->guests, others)
        if (guest->state == GUEST_STRANGER && !guest->is_leaving) oldest = guest;
    if (oldest) guest_leave(oldest);
    return oldest;
}

static void arrived(void *context, int fd, const struct sockaddr_storage *from)
{
    struct reception *reception = CONTEXT(context, struct reception, RECEPTION_MAGIC);
    struct endpoint peer;
    bool is_good = reception->ledger && reception->tls &&
                   endpoint_from_sockaddr((const struct sockaddr *)from, &peer) && room_make(reception);
    if (is_good)
        guest_take(reception, fd, &peer);
    else
        close(fd);
}

static void tick(void *context)
{
    struct reception *reception = CONTEXT(context, struct reception, RECEPTION_MAGIC);
    uint64_t now = loop_now_ms(reception->loop);
    if (!LIST_EMPTY(&reception->guests)) timer_set(reception->tick, TICK_MS);
    struct guest *guest;
    LIST_FOREACH(guest, &reception->guests, others) {
        bool is_late = guest->state == GUEST_STRANGER && now - guest->began_ms >= GREETING_MS;
        if (is_late || now - guest->heard_ms >= WIRE_SILENCE_MS) guest_leave(guest);
    }
}

/* --- what ledger says --- */

static void shut(struct reception *reception)
{
    acceptor_free(reception->acceptor);
    reception->acceptor = NULL;
}

void reception_free(struct reception *reception)
{
    shut(reception);
    guests_leave(reception);
    sweep(reception);
    loop_defer_cancel(reception->loop, &reception->sweep);
    tls_context_free(reception->tls);
    timer_free(reception->tick);
    free(reception);
}

void reception_configure(struct reception *reception, const struct config *config, int fd)
{
    char error[200] = "";
    shut(reception);
    reception->config = config;
    guests_leave(reception); /* they come again, and are looked at by the new authority */
    tls_context_free(reception->tls);
    reception->tls = NULL;
    reception->fd = fd;
    if (fd < 0) return;
    reception->tls = tls_context_node(true, config->node.certificate.content, config->node.key.content,
                                      config->node.ca.content, error, sizeof error);
    if (!reception->tls) log_error("TLS for the events of other nodes: %s", error);
    reception->acceptor = acceptor_new(reception->loop, fd, arrived, reception);
}

void reception_set_ledger(struct reception *reception, struct channel *ledger)
{
    reception->ledger = ledger;
    guests_leave(reception);
}

static void peer_tell(const struct guest *guest)
{
    struct channel *ledger = guest->reception->ledger;
    courier_peer_put(
        &(struct courier_peer){ .is_listening = 1, .number = guest->number, .name = text_of(guest->name) },
        channel_begin(ledger, COURIER_PEER, guest->id));
    channel_end(ledger);
}

static bool welcome(struct guest *guest, struct reader *reader)
{
    char why[WIRE_REASON_MOST];
    uint64_t parcel = get_u64(reader);
    struct text reason = get_text(reader);
    if (!reader_done(reader)) return false;
    if (!guest || guest->state != GUEST_ASKING) return true;
    if (reason.length) {
        snprintf(why, sizeof why, "%.*s", TEXT_ARG(reason));
        refuse(guest, why);
        return true;
    }
    guest->state = GUEST_WELCOME;
    log_info("events come from node %u, %s[%s]", guest->number, guest->name, guest->address);
    say(guest, &(struct wire_frame){ .type = WIRE_WELCOME,
                                     .version = guest->version,
                                     .number = parcel,
                                     .is_listening =
                                         node_is_trusted(guest->reception->config, text_of(guest->name)) });
    if (guest->version > WIRE_VERSION_FIRST) peer_tell(guest);
    return true;
}

bool reception_declarations(struct reception *reception, struct frame *frame)
{
    struct guest *guest = guest_find(reception, frame->id);
    struct wire_frame out;
    if (!wire_of_ledger(frame, &out)) return false;
    if (!guest) return true;
    if (out.type == WIRE_HEARD) guest->is_saying = false;
    say(guest, &out);
    return true;
}

bool reception_frame(struct reception *reception, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct guest *guest = guest_find(reception, frame->id);
    if (frame->type == COURIER_NODE_WELCOME) return welcome(guest, &reader);
    uint64_t number = get_u64(&reader);
    if (!reader_done(&reader)) return false;
    if (!guest || guest->on_the_way == 0) return true;
    guest->on_the_way--;
    say(guest, &(struct wire_frame){ .type = WIRE_STORED, .number = number });
    return true;
}

void reception_status(const struct reception *reception, struct buffer *out)
{
    if (reception->fd < 0) return;
    unsigned welcome = 0;
    const struct guest *guest;
    LIST_FOREACH(guest, &reception->guests, others) {
        char name[32];
        if (guest->state != GUEST_WELCOME || guest->is_leaving) continue;
        snprintf(name, sizeof name, "node %u", guest->number);
        child_status_add(out, name, "%s[%s]", guest->name, guest->address);
        welcome++;
    }
    child_status_add(out, "nodes connected", "%u", welcome);
    child_status_add(out, "parcels collected", "%llu", (unsigned long long)reception->parcels);
    child_status_add(out, "nodes refused", "%llu", (unsigned long long)reception->refused);
}
