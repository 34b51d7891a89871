/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* receive: the SMTP server. Here: identity, jail, peers, run; the peers' frames find their sessions. */
#include <sysexits.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "mail/digest.h"
#include "receive/drop.h"
#include "receive/inbound.h"
#include "receive/keeping.h"
#include "receive/ports.h"
#include "receive/recipients.h"
#include "receive/refusals.h"
#include "receive/relay.h"
#include "receive/tables.h"
#include "receive/transaction.h"

enum { DRAIN_LOOK_MS = 250 };

static void begin_when_possible(struct server *server);

/* --- queue --- */

static void kept(struct server *server, uint64_t id)
{
    struct session *session = session_by_message(server, id);
    if (session)
        transaction_kept(session);
    else /* its client is gone: the offer stays until queue has told ledger */
        channel_send(server->queue, QUEUE_RESOLVE, id, TEXT_NONE);
}

static void not_kept(struct server *server, struct frame *frame)
{
    struct session *session = session_by_message(server, frame->id);
    struct reader reader = reader_of(frame->payload);
    enum keep_refusal why = get_u8(&reader);
    struct text reason = get_text(&reader);
    if (session)
        transaction_not_kept(session, why, reason);
    else
        keep_old_resolved(server, frame->id, false);
}

static void resolved(struct server *server, uint64_t id, bool is_kept)
{
    struct session *session = session_by_message(server, id);
    if (session)
        transaction_resolved(session, is_kept);
    else
        keep_old_resolved(server, id, is_kept);
}

static bool queue_frame(void *context, struct frame *frame)
{
    struct server *server = context;
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case QUEUE_KEPT:
        kept(server, frame->id);
        return true;
    case QUEUE_KEPT_BEFORE: {
        struct session *session = session_by_message(server, frame->id);
        uint64_t as = get_u64(&reader);
        if (session)
            transaction_kept_before(session, as);
        else
            keep_old_resolved(server, frame->id, false);
        return !reader.failed;
    }
    case QUEUE_NOT_KEPT:
        not_kept(server, frame);
        return true;
    case QUEUE_RESOLVED:
        resolved(server, frame->id, get_u8(&reader) != 0);
        return !reader.failed;
    case QUEUE_BODY_FILE_IS: {
        struct session *session = session_by_message(server, frame->id);
        if (session) transaction_body_file(session, frame_take_fd(frame, 0));
        return true;
    }
    case QUEUE_SPACE: {
        bool is_full = get_u8(&reader) != 0;
        struct text why = get_text(&reader);
        if (is_full != server->queue_is_full)
            log_warning("queue %s: %.*s", is_full ? "takes nothing now" : "takes mail again", TEXT_ARG(why));
        server->queue_is_full = is_full;
        return !reader.failed;
    }
    default:
        return false;
    }
}

static void queue_gone(void *context)
{
    struct server *server = context;
    channel_close(server->queue);
    server->queue = NULL;
}

static void queue_back(struct server *server)
{
    keep_resolve_old(server);
    for (struct session *session = server->sessions, *next; session; session = next) {
        next = session->next;
        inbound_queue_is_back(session);
    }
}

/* --- scan --- */

static bool scan_frame(void *context, struct frame *frame)
{
    struct session *session = session_by_message(context, frame->id);
    if (frame->type < SCAN_FACTS || frame->type > SCAN_FAILED) return false;
    if (!session) return true; /* it was cancelled meanwhile */
    if (frame->type == SCAN_FACTS) transaction_facts(session, frame);
    if (frame->type == SCAN_VERDICT) transaction_verdict(session, frame);
    if (frame->type == SCAN_FAILED) transaction_scan_failed(session, frame);
    return true;
}

static void scan_gone(void *context)
{
    struct server *server = context;
    channel_close(server->scan);
    server->scan = NULL;
}

static void scan_back(struct server *server)
{
    for (struct session *session = server->sessions; session; session = session->next)
        transaction_scan_is_back(session);
}

/* --- lookup --- */

static bool lookup_frame(void *context, struct frame *frame)
{
    struct session *session = session_by_question(context, frame->id);
    struct client_name name;
    if (frame->type != LOOKUP_CLIENT_NAME_IS || !client_name_get(frame, &name)) return false;
    if (session && session->name_question == frame->id) transaction_named(session, &name);
    return true;
}

/* A question that died with its answerer is a temporary error, never "none". */
static void lookup_gone(void *context)
{
    static const struct client_name none = { CLIENT_NAME_TEMPERROR, { NULL, 0 } };
    struct server *server = context;
    channel_close(server->lookup);
    server->lookup = NULL;
    for (struct session *session = server->sessions; session; session = session->next)
        transaction_named(session, &none);
}

/* Whose name the old one was asked for, or nobody could be: a new one may know. */
static void lookup_back(struct server *server)
{
    for (struct session *session = server->sessions; session; session = session->next)
        if (session->name.status == ANSWER_TEMPERROR && session->has_asked_name &&
            !session->conversation.speaks_for && session->transaction.step < STEP_JUDGING)
            session_name_ask(session);
}

/* --- deliver --- */

static bool deliver_frame(void *context, struct frame *frame)
{
    if (frame->type == DELIVER_RELAYED) {
        struct session *relaying = session_by_message(context, frame->id);
        if (relaying) transaction_relayed(relaying, frame);
        return true;
    }
    struct session *session = session_by_question(context, frame->id);
    struct reader reader = reader_of(frame->payload);
    enum recipient_ending ending = get_u8(&reader);
    get_u16(&reader);
    struct text enhanced = get_text(&reader), reply = get_text(&reader);
    if (frame->type != DELIVER_CALL_OUT_IS || reader.failed) return false;
    if (session && session->callout == frame->id) recipient_called_out(session, ending, enhanced, reply);
    return true;
}

static void deliver_gone(void *context)
{
    struct server *server = context;
    channel_close(server->deliver);
    server->deliver = NULL;
}

static void deliver_back(struct server *server)
{
    for (struct session *session = server->sessions; session; session = session->next) {
        relay_deliver_is_back(session);
        recipient_deliver_is_back(session);
    }
}

/* --- the process --- */

static void on_peer(void *context, enum process_kind kind, uint16_t index, int fd)
{
    static const struct channel_events queue_events = { queue_frame, queue_gone };
    static const struct channel_events scan_events = { scan_frame, scan_gone };
    static const struct channel_events lookup_events = { lookup_frame, lookup_gone };
    static const struct channel_events deliver_events = { deliver_frame, deliver_gone };
    struct server *server = context;
    const struct {
        enum process_kind kind;
        struct channel **channel;
        const struct channel_events *events;
        void (*gone)(void *context);
        void (*back)(struct server *server);
    } peers[] = {
        { PROCESS_QUEUE, &server->queue, &queue_events, queue_gone, queue_back },
        { PROCESS_SCAN, &server->scan, &scan_events, scan_gone, scan_back },
        { PROCESS_LOOKUP, &server->lookup, &lookup_events, lookup_gone, lookup_back },
        { PROCESS_DELIVER, &server->deliver, &deliver_events, deliver_gone, deliver_back },
    };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (peers[i].kind != kind) continue;
        if (*peers[i].channel) peers[i].gone(server);
        *peers[i].channel = channel_open(server->loop, fd, peers[i].events, server);
        peers[i].back(server);
        begin_when_possible(server);
        return;
    }
    close(fd);
}

/* Connections are taken from the moment there is a queue; what else is missing is waited for. */
static void begin_when_possible(struct server *server)
{
    bool is_wanted = !server->is_stopping && !server->child->is_draining;
    if (server->queue && is_wanted) ports_accept(server, true);
}

/* All edges of an organisation give the same message the same name, as they share what `sekimori ca` put
   beside their keys. A node without one is known by its own names alone. */
static void names_key(struct server *server)
{
    uint8_t shared[CERTIFICATE_SECRET_BYTES];
    bool has_shared = certificate_secret_read(server->config->node.key.content, shared);
    digest_key_free(server->names);
    server->names =
        digest_key_new(has_shared ? text_from((const char *)shared, sizeof shared)
                                  : text_from((const char *)server->secret, sizeof server->secret));
}

static void on_config(void *context, const struct config *old)
{
    struct server *server = context;
    server->config = server->child->config;
    tables_free(server->tables);
    server->tables = tables_new(server->config);
    names_key(server);
    ports_replace(server);
    begin_when_possible(server);
}

/* Who is in the middle of a message may finish it; all others are told to come again. */
static void sessions_leave(struct server *server, bool all)
{
    for (struct session *session = server->sessions, *next; session; session = next) {
        next = session->next;
        if (all || session->transaction.step == STEP_NONE) drop_goodbye(session, "4.3.2", "is closing");
    }
}

static void stop_time_is_up(void *context)
{
    struct server *server = context;
    sessions_leave(server, true);
    refusals_flush(server->refusals);
    child_exit(server->child, EX_OK);
}

static void on_stop(void *context, uint32_t within_ms)
{
    struct server *server = context;
    server->is_stopping = true;
    ports_accept(server, false);
    sessions_leave(server, false);
    server->stop_timer = timer_new(server->loop, stop_time_is_up, server);
    timer_set(server->stop_timer, server->sessions ? within_ms : 0);
}

/* Again and again: sessions end with their message, the last ones with the time. */
static void drain_look(void *context)
{
    struct server *server = context;
    sessions_leave(server, loop_now_ms(server->loop) >= server->drain_until_ms);
    if (server->sessions) timer_set(server->drain_timer, DRAIN_LOOK_MS);
}

/* Master has the sockets stop listening; here they are only let alone, since they are always ready then. */
static void on_drain(void *context)
{
    struct server *server = context;
    if (!server->drain_timer) server->drain_timer = timer_new(server->loop, drain_look, server);
    timer_clear(server->drain_timer);
    if (server->child->is_draining) {
        ports_accept(server, false);
        server->drain_until_ms = loop_now_ms(server->loop) + server->config->drain.sessions_ms;
        drain_look(server);
    } else {
        begin_when_possible(server);
    }
}

static void on_status(void *context, struct buffer *out)
{
    const struct server *server = context;
    const struct receive_counters *counters = server->counters;
    child_status_add(out, "sessions", "%u", server->session_count);
    child_status_add(out, "connections", "%llu", (unsigned long long)counters->connections);
    child_status_add(out, "messages kept", "%llu", (unsigned long long)counters->messages);
    child_status_add(out, "recipients kept", "%llu", (unsigned long long)counters->accepted);
    child_status_add(out, "messages relayed through", "%llu", (unsigned long long)counters->messages_relayed);
    child_status_add(out, "refused 4xx, 5xx", "%llu, %llu", (unsigned long long)counters->refused_4xx,
                     (unsigned long long)counters->refused_5xx);
    child_status_add(out, "tagged, quarantined", "%llu, %llu", (unsigned long long)counters->tagged,
                     (unsigned long long)counters->quarantined);
    child_status_add(out, "bodies in flight", "%llu octets", (unsigned long long)server->bodies_bytes);
    if (server->queue_is_full) child_status_add(out, "queue", "full: mail is answered 452");
}

static void on_health(void *context, struct health_facts *out)
{
    const struct server *server = context;
    health_know(out, HEALTH_SESSIONS, server->session_count);
}

static void maps_open(struct server *server, const struct child *child)
{
    uint16_t slot;
    int counters = child_map_fd(child, "counters", &slot), clients = child_map_fd(child, "clients", &slot);
    int events = child_map_fd(child, "events", &slot);
    struct counters_slot *page = counters_map(counters, COUNTERS_SLOT_RECEIVE + child->index, true);
    server->clients = clients_map(clients, child->index);
    server->ring = ring_map(events);
    if (!page || !server->clients || !server->ring) die_errno("shared memory from master cannot be mapped");
    int secret = child_map_fd(child, "secret", &slot);
    if (pread(secret, server->secret, sizeof server->secret, 0) != sizeof server->secret)
        die_errno("the node's secret cannot be read");
    server->counters = &page->receive;
    message_id_resume(&server->ids, server->counters->last_id);
    message_id_not_before(&server->ids, counters_epoch_ms(counters));
}

int main(int argc, char **argv)
{
    static struct server server;
    static struct child child;
    static const struct child_events events = { .on_peer = on_peer,
                                                .on_config = on_config,
                                                .on_stop = on_stop,
                                                .on_status = on_status,
                                                .on_health = on_health,
                                                .on_drain = on_drain };
    child_start(&child, PROCESS_RECEIVE, argc, argv);
    server.child = &child;
    server.loop = child.loop;
    server.config = child.config;
    long cores = sysconf(_SC_NPROCESSORS_ONLN); /* asked now: the jail will not let */
    server.processes = child.config->processes.receive ? child.config->processes.receive
                       : cores < 1                     ? 1
                       : cores > 60                    ? 60 /* as master starts them */
                                                       : (uint32_t)cores;
    server.ids.process = (uint8_t)child.index;
    server.ids.node = child.config->node.number;
    server.line = arena_new(0);
    maps_open(&server, &child);
    server.refusals = refusals_new(&server);
    ports_start(&server);
    tls_warm_up();
    names_key(&server);
    if (!child_jail(&child, JAIL_ACCEPT | JAIL_BODIES, NULL, NULL)) die("the jail cannot be entered");
    server.tables = tables_new(server.config);
    ports_replace(&server);
    return child_run(&child, &events, &server);
}
