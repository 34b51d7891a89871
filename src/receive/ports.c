/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Ports: a copy of what a listener says, its TLS context, its socket on the loop. */
#include "receive/ports.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "receive/connection.h"

enum {
    ACCEPT_BATCH = 1, /* the other receive processes want their share */
    ACCEPT_REST_MS = 250,
    SAID_AGAIN_MS = 60000
};

static struct network_list networks_copy(struct arena *arena, const struct network_list *list)
{
    struct network_list copy = { arena_alloc_array(arena, list->count, sizeof *list->items), list->count };
    if (list->count) memcpy(copy.items, list->items, list->count * sizeof *list->items);
    return copy;
}

static struct text_list texts_copy(struct arena *arena, const struct text_list *list)
{
    struct text_list copy = { .items = arena_alloc_array(arena, list->count, sizeof *list->items),
                              .count = list->count };
    for (size_t i = 0; i < list->count; i++) copy.items[i] = arena_text(arena, list->items[i]);
    return copy;
}

static struct tls_context *tls_of(const struct config *config, const struct listener *listener)
{
    struct text certificate = listener->certificate.content, key = listener->key.content;
    char error[200];
    if (certificate.length == 0) return NULL;
    struct tls_context *tls =
        listener->tls == TLS_NODE
            ? tls_context_node(true, certificate, key, config->node.ca.content, error, sizeof error)
            : tls_context_server(certificate, key, error, sizeof error);
    if (!tls) log_error("%.*s: %s: STARTTLS is not offered", TEXT_ARG(listener->certificate.path), error);
    return tls;
}

static struct tls_context *tls_of_hosted(const struct hosted *hosted, const struct listener *listener)
{
    char error[200];
    struct tls_context *tls = tls_context_asking(listener->certificate.content, listener->key.content,
                                                 hosted->ca.content, error, sizeof error);
    if (!tls)
        log_error("hosted %.*s: %s: its clients are not asked for a certificate", TEXT_ARG(hosted->name),
                  error);
    return tls;
}

static void hosted_fill(struct port *port, const struct config *config)
{
    bool is_asked = port->tls && port->listener.tls != TLS_NODE && port->listener.direction == DIRECTION_IN;
    port->hosted = arena_alloc_array(port->arena, config->hosted_count, sizeof *port->hosted);
    for (size_t i = 0; is_asked && i < config->hosted_count; i++) {
        const struct hosted *hosted = &config->hosted[i];
        struct tls_context *tls =
            hosted->certificates.count > 0 ? tls_of_hosted(hosted, &config->listeners[port->number]) : NULL;
        if (!tls) continue;
        port->hosted[port->hosted_count++] =
            (struct port_hosted){ arena_text(port->arena, hosted->name),
                                  networks_copy(port->arena, &hosted->networks), tls };
    }
}

static void arrived(void *context, int what);

static struct port *port_new(struct server *server, uint16_t number, int fd)
{
    const struct listener *listener = &server->config->listeners[number];
    struct port *port = memory_alloc(sizeof *port);
    port->server = server;
    port->number = number;
    port->fd = fd;
    port->users = 1;
    port->arena = arena_new(512);
    port->listener = *listener;
    port->listener.from = networks_copy(port->arena, &listener->from);
    port->listener.deny = networks_copy(port->arena, &listener->deny);
    port->listener.proxy = networks_copy(port->arena, &listener->proxy);
    port->listener.xclient = networks_copy(port->arena, &listener->xclient);
    port->listener.senders = texts_copy(port->arena, &listener->senders);
    port->tls = tls_of(server->config, listener);
    hosted_fill(port, server->config);
    if (fd >= 0) port->watch = watch_new(server->loop, fd, arrived, port);
    return port;
}

/* The backlog waits, and we do not ask it all the time. */
static void rest(struct server *server)
{
    ports_accept(server, false);
    timer_set(server->accept_timer, ACCEPT_REST_MS);
}

static void rest_is_over(void *context)
{
    struct server *server = context;
    if (!server->is_stopping && !server->child->is_draining) ports_accept(server, true);
}

/* Half of the descriptors are for connections, the rest is for the bodies that they bring. */
void ports_start(struct server *server)
{
    struct rlimit files = { 1024, 1024 };
    getrlimit(RLIMIT_NOFILE, &files);
    server->descriptors_most = files.rlim_cur / 2 < INT_MAX ? (int)(files.rlim_cur / 2) : INT_MAX;
    server->accept_timer = timer_new(server->loop, rest_is_over, server);
}

static void crowded_say(struct server *server, const char *what)
{
    uint64_t now_ms = loop_now_ms(server->loop);
    if (server->crowded_ms && now_ms - server->crowded_ms < SAID_AGAIN_MS) return;
    server->crowded_ms = now_ms;
    log_warning("no connection can be taken: %s", what);
}

static void turn_away(struct server *server, int fd)
{
    static const struct text busy = { "421 4.3.2 too many connections, try again later\r\n", 49 };
    if (send(fd, busy.at, busy.length, MSG_NOSIGNAL) < 0)
        log_debug("a client was gone before it was refused");
    close(fd);
    crowded_say(server, "the descriptors that are left are for messages");
    rest(server);
}

static void arrived(void *context, int what)
{
    struct port *port = context;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        struct endpoint peer;
        int fd = accept4(port->fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && errno == ECONNABORTED) continue;
        if (fd < 0 && errno != EAGAIN && errno != EINTR) {
            bool is_shut = errno == EINVAL; /* the node is being drained, as we are about to hear */
            if (!is_shut) crowded_say(port->server, strerror(errno));
            rest(port->server);
        }
        if (fd < 0) return;
        if (fd >= port->server->descriptors_most) {
            turn_away(port->server, fd);
            return;
        }
        if (endpoint_from_sockaddr((struct sockaddr *)&from, &peer))
            connection_begin(port->server, port, fd, &peer);
        else
            close(fd);
    }
}

void ports_accept(struct server *server, bool accept)
{
    for (size_t i = 0; i < server->port_count; i++)
        if (server->ports[i]->watch) watch_set(server->ports[i]->watch, accept ? WATCH_READ : 0);
}

void ports_begin(struct server *server)
{
    bool is_wanted = !server->is_stopping && !server->child->is_draining;
    if (server->queue && is_wanted) ports_accept(server, true);
}

void ports_replace(struct server *server)
{
    for (size_t i = 0; i < server->port_count; i++) {
        watch_free(server->ports[i]->watch);
        server->ports[i]->watch = NULL;
        server_port_release(server->ports[i]);
    }
    free(server->ports);
    server->port_count = server->config->listener_count;
    server->ports = memory_alloc(server->port_count * sizeof *server->ports);
    for (size_t i = 0; i < server->port_count; i++)
        server->ports[i] = port_new(server, (uint16_t)i, child_listener_take(server->child, (uint16_t)i));
}
