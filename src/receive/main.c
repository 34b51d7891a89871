/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* receive: the SMTP server. Here: identity, jail, run, the end. */
#include <sysexits.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "mail/digest.h"
#include "receive/drop.h"
#include "receive/peers.h"
#include "receive/ports.h"
#include "receive/refusals.h"
#include "receive/tables.h"

enum { DRAIN_LOOK_MS = 250 };

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

static void on_peer(void *context, enum process_kind kind, uint16_t index, int fd)
{
    peers_take(context, kind, fd);
}

static void on_config(void *context, const struct config *old)
{
    struct server *server = context;
    server->config = server->child->config;
    tables_free(server->tables);
    server->tables = tables_new(server->config);
    names_key(server);
    ports_replace(server);
    ports_begin(server);
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
        ports_begin(server);
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
    child_status_add(out, "refused 4xx", "%llu", (unsigned long long)counters->refused_4xx);
    child_status_add(out, "refused 5xx", "%llu", (unsigned long long)counters->refused_5xx);
    child_status_add(out, "tagged", "%llu", (unsigned long long)counters->tagged);
    child_status_add(out, "quarantined", "%llu", (unsigned long long)counters->quarantined);
    child_status_add(out, "bytes of bodies in flight", "%llu", (unsigned long long)server->bodies_bytes);
    if (server->queue_is_full) child_status_add(out, "queue", "full: mail is answered 452");
}

static void on_health(void *context, struct health_facts *out)
{
    const struct server *server = context;
    health_know(out, HEALTH_SESSIONS, server->session_count);
}

static void maps_open(struct server *server, struct child *child)
{
    uint16_t slot;
    int counters = child_map_fd(child, "counters", &slot), clients = child_map_fd(child, "clients", &slot);
    int events = child_map_fd(child, "events", &slot);
    struct counters_slot *page = counters_map(counters, COUNTERS_SLOT_RECEIVE + child->index, true);
    server->clients = client_limits_map(clients, child->index);
    server->ring = ring_map(events);
    if (!page || !server->clients || !server->ring) die_errno("shared memory from master cannot be mapped");
    child_secret_read(child, "secret", server->secret);
    server->counters = &page->receive;
    measures_begin(&page->measures);
    server->measures = &page->measures.receive;
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
