/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Binds the listening sockets. */
#include "master/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/listening.h"
#include "base/stream.h"
#include "config/value.h"

enum { BACKLOG = 4096 };
enum { SILENT_CLIENT_S = 60 }; /* what is accepted inherits it */

static int bind_one(const struct endpoint *endpoint, const struct passed *passed)
{
    int fd = passed_find(passed, endpoint);
    if (fd < 0) fd = listening_bind(endpoint);
    if (fd < 0) return -1;
    stream_ask_if_there(fd, SILENT_CLIENT_S);
    if (listen(fd, BACKLOG) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* "listen 0.0.0.0 port 25: Address already in use, by exim4 (pid 123)" */
static void complain(const struct endpoint *endpoint, int error_number, char *error, size_t size)
{
    char room[ADDRESS_TEXT_SIZE];
    struct listening_holder holder = { 0 };
    struct buffer by = { 0 };
    if (error_number == EADDRINUSE) listening_find_holder(endpoint, &holder);
    listening_holder_print(&holder, &by);
    snprintf(error, size, "listen %s port %u: %s%s%.*s", address_print(&endpoint->address, room),
             endpoint->port, strerror(error_number), holder.is_found ? ", " : "", TEXT_ARG(buffer_text(&by)));
    buffer_free(&by);
}

static int find(const struct listeners *listeners, const struct endpoint *endpoint)
{
    for (size_t i = 0; listeners && i < listeners->count; i++)
        if (endpoint_equal(&listeners->endpoints[i], endpoint)) return listeners->fds[i];
    return -1;
}

static bool has_fd(const struct listeners *listeners, int fd)
{
    for (size_t i = 0; listeners && i < listeners->count; i++)
        if (listeners->fds[i] == fd) return true;
    return false;
}

void listeners_drop(struct listeners *old, const struct listeners *now)
{
    for (size_t i = 0; i < old->count; i++)
        if (!has_fd(now, old->fds[i])) close(old->fds[i]);
    free(old->endpoints);
    free(old->fds);
    *old = (struct listeners){ 0 };
}

/* shutdown() of one that does not listen would leave a mark that every later connection inherits. */
static bool is_listening(int fd)
{
    int is = 0;
    socklen_t size = sizeof is;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &size) == 0 && is;
}

bool listeners_serve(const struct listeners *listeners, bool serve)
{
    bool is_good = true;
    for (size_t i = 0; i < listeners->mail_count; i++) {
        int fd = listeners->fds[i];
        if (is_listening(fd) == serve) continue;
        is_good = (serve ? listen(fd, BACKLOG) : shutdown(fd, SHUT_RDWR)) == 0 && is_good;
    }
    return is_good;
}

size_t listeners_shut(const struct listeners *listeners)
{
    size_t count = 0;
    for (size_t i = 0; i < listeners->mail_count; i++) count += !is_listening(listeners->fds[i]);
    return count;
}

/* Its connections would wait for ever. */
static bool all_are_taken(const struct listeners *listeners, const struct passed *passed, char *error,
                          size_t size)
{
    char room[ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < passed->count; i++) {
        const struct passed_socket *one = &passed->sockets[i];
        if (has_fd(listeners, one->fd)) continue;
        snprintf(
            error, size,
            "the service manager passed the socket %s, bound to %s port %u, and no listener is configured "
            "there, or another socket has it",
            one->name, address_print(&one->endpoint.address, room), one->endpoint.port);
        return false;
    }
    return true;
}

bool listeners_open(struct listeners *out, const struct config *config, const struct listeners *old,
                    const struct passed *passed, char *error, size_t size)
{
    struct endpoint aside[2];
    bool collects = value_endpoint_parse(config->ledger.listen, 0, &aside[0]);
    bool is_watched = value_endpoint_parse(config->metrics.listen, 0, &aside[collects]);
    size_t count = config->listener_count + collects + is_watched;
    *out = (struct listeners){ .endpoints = memory_alloc((count + 1) * sizeof *out->endpoints),
                               .fds = memory_alloc((count + 1) * sizeof *out->fds),
                               .mail_count = config->listener_count,
                               .metrics_at = config->listener_count + collects };
    for (size_t i = 0; i < count; i++) {
        const struct endpoint *endpoint =
            i < config->listener_count ? &config->listeners[i].endpoint : &aside[i - config->listener_count];
        int fd = find(old, endpoint);
        if (fd < 0) fd = bind_one(endpoint, passed);
        if (fd < 0) {
            complain(endpoint, errno, error, size);
            listeners_drop(out, old);
            return false;
        }
        out->endpoints[i] = *endpoint;
        out->fds[i] = fd;
        out->count = i + 1;
    }
    if (all_are_taken(out, passed, error, size)) return true;
    listeners_drop(out, old);
    return false;
}
