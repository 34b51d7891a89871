/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* They stand from descriptor 3 on, in the order of their names. */
#include "master/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_FD = 3 };

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

/* NULL, or what is wrong with it. */
static const char *socket_read(struct passed_socket *one)
{
    struct sockaddr_storage bound = { 0 }, peer;
    socklen_t size = sizeof bound, peer_size = sizeof peer;
    if (getsockname(one->fd, (struct sockaddr *)&bound, &size) != 0) return "it is no socket";
    if (option_of(one->fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
        !endpoint_from_sockaddr((struct sockaddr *)&bound, &one->endpoint))
        return "it is no TCP socket (ListenStream= with an address and a port)";
    if (getpeername(one->fd, (struct sockaddr *)&peer, &peer_size) == 0)
        return "it is a connection (say Accept=no)";
    if (bound.ss_family == AF_INET6 && address_is_zero(&one->endpoint.address) &&
        option_of(one->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0)
        return "it takes IPv4 along (say BindIPv6Only=ipv6-only, and 0.0.0.0 beside)";
    int flags = fcntl(one->fd, F_GETFL);
    bool is_set = flags >= 0 && fcntl(one->fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
                  fcntl(one->fd, F_SETFD, FD_CLOEXEC) == 0;
    return is_set ? NULL : "its flags cannot be set";
}

/* "smtp:submission": cuts the first off. */
static void name_take(struct text *names, char *out)
{
    size_t length = text_find_char(*names, ':');
    struct text name = text_slice(*names, 0, length);
    log_escape(name.length > 0 ? name : TEXT("unknown"), out, PASSED_NAME_SIZE);
    *names = text_slice(*names, length + 1, names->length);
}

static bool sockets_read(struct passed *out, struct text number, struct text names, char *error, size_t size)
{
    uint64_t count = 0;
    if (!text_to_number(number, PASSED_MOST, &count)) {
        snprintf(error, size, "LISTEN_FDS is no number from 0 to %d", PASSED_MOST);
        return false;
    }
    for (; out->count < count; out->count++) {
        struct passed_socket *one = &out->sockets[out->count];
        one->fd = FIRST_FD + (int)out->count;
        name_take(&names, one->name);
        const char *why = socket_read(one);
        if (!why) continue;
        snprintf(error, size, "the socket %s that the service manager passed as descriptor %d: %s", one->name,
                 one->fd, why);
        return false;
    }
    return true;
}

bool passed_open(struct passed *out, char *error, size_t size)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
    uint64_t of = 0;
    *out = (struct passed){ 0 };
    bool is_for_us = pid && count && text_to_number(text_of(pid), INT32_MAX, &of) && of == (uint64_t)getpid();
    bool is_good = !is_for_us || sockets_read(out, text_of(count), text_of(names), error, size);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return is_good;
}

int passed_find(const struct passed *passed, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < passed->count; i++)
        if (endpoint_equal(&passed->sockets[i].endpoint, endpoint)) return passed->sockets[i].fd;
    return -1;
}
