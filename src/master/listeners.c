/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Binds the listening sockets. */
#include "master/listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/stream.h"
#include "config/value.h"

enum { BACKLOG = 4096 };
enum { SILENT_CLIENT_S = 60 }; /* what is accepted inherits it */

static int bind_one(const struct endpoint *endpoint)
{
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_sockaddr(endpoint, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    stream_ask_if_there(fd, SILENT_CLIENT_S);
    if (address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    /* An address that moves between nodes may come later. */
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
    else
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
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

bool listeners_open(struct listeners *out, const struct config *config, const struct listeners *old,
                    char *error, size_t size)
{
    char room[ADDRESS_TEXT_SIZE];
    struct endpoint collector;
    bool collects = value_endpoint_parse(config->ledger.listen, 0, &collector);
    size_t count = config->listener_count + collects;
    *out = (struct listeners){ .endpoints = memory_alloc((count + 1) * sizeof *out->endpoints),
                               .fds = memory_alloc((count + 1) * sizeof *out->fds),
                               .mail_count = config->listener_count };
    for (size_t i = 0; i < count; i++) {
        const struct endpoint *endpoint =
            i < config->listener_count ? &config->listeners[i].endpoint : &collector;
        int fd = find(old, endpoint);
        if (fd < 0) fd = bind_one(endpoint);
        if (fd < 0) {
            snprintf(error, size, "listen %s port %u: %s", address_print(&endpoint->address, room),
                     endpoint->port, strerror(errno));
            listeners_drop(out, old);
            return false;
        }
        out->endpoints[i] = *endpoint;
        out->fds[i] = fd;
        out->count = i + 1;
    }
    return true;
}
