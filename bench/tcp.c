/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What TCP alone allows: the bytes and round trips of SMTP without its words. A client process sends as many
   bytes as a command, waits for as many as a reply, and so on; a server process answers by count. Nothing is
   parsed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"
#include "tool.h"

enum { EVENTS_A_TURN = 256, REPLY_BYTES = 30, STEPS_MOST = 4, ROOM_BYTES = 256 * 1024 };

/* What the client sends before it waits for a reply: each command and the content, or all commands at once.
 */
struct shape {
    size_t bytes[STEPS_MOST];
    unsigned steps;
};

struct peer {
    int fd;
    unsigned step;
    size_t left; /* of this step's bytes, or of the reply */
};

static char room[ROOM_BYTES];

static void watch(int epoll, int operation, struct peer *peer, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = peer };
    if (epoll_ctl(epoll, operation, peer->fd, &event) != 0) die_errno("epoll_ctl");
}

/* A write that does not fit waits here: the far side reads all the time. */
static void send_all(int fd, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, room, size < sizeof room ? size : sizeof room, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) die_errno("send");
        if (sent > 0) size -= (size_t)sent;
    }
}

static bool server_input(const struct shape *shape, struct peer *peer)
{
    ssize_t got = recv(peer->fd, room, sizeof room, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got < 0 || (size_t)got < peer->left) {
        if (got > 0) peer->left -= (size_t)got;
        return true;
    }
    peer->step = (peer->step + 1) % shape->steps;
    peer->left = shape->bytes[peer->step];
    send_all(peer->fd, REPLY_BYTES);
    return true;
}

_Noreturn static void serve(int listener, const struct shape *shape)
{
    struct epoll_event events[EVENTS_A_TURN];
    struct peer door = { .fd = listener };
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    watch(epoll, EPOLL_CTL_ADD, &door, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_A_TURN, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            int fd;
            if (peer != &door) {
                if (!server_input(shape, peer)) close(peer->fd), free(peer);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                peer = memory_alloc(sizeof *peer);
                *peer = (struct peer){ fd, 0, shape->bytes[0] };
                watch(epoll, EPOLL_CTL_ADD, peer, EPOLLIN);
            }
        }
    }
}

static void next_step(const struct shape *shape, struct peer *peer)
{
    peer->left = REPLY_BYTES;
    send_all(peer->fd, shape->bytes[peer->step]);
}

/* True when a message is through. */
static bool client_input(const struct shape *shape, struct peer *peer)
{
    ssize_t got = recv(peer->fd, room, peer->left, 0);
    if (got == 0) die("the server closed");
    if (got < 0 && errno != EAGAIN) die_errno("recv");
    if (got > 0) peer->left -= (size_t)got;
    if (got <= 0 || peer->left > 0) return false;
    peer->step = (peer->step + 1) % shape->steps;
    if (peer->step > 0) next_step(shape, peer);
    return peer->step == 0;
}

static void drive(const struct endpoint *to, const struct shape *shape, uint64_t connections,
                  uint64_t messages)
{
    struct epoll_event events[EVENTS_A_TURN];
    struct peer *peers = memory_alloc(connections * sizeof *peers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t started = 0;
    for (uint64_t i = 0; i < connections; i++) {
        struct sockaddr_storage address;
        socklen_t length = endpoint_to_sockaddr(to, &address);
        peers[i].fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(peers[i].fd, (struct sockaddr *)&address, length) != 0) die_errno("connect");
        watch(epoll, EPOLL_CTL_ADD, &peers[i], EPOLLIN);
        if (started++ < messages) next_step(shape, &peers[i]);
    }
    for (uint64_t done = 0; done < messages;) {
        int count = epoll_wait(epoll, events, EVENTS_A_TURN, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (!client_input(shape, peer)) continue;
            done++;
            if (started++ < messages) next_step(shape, peer);
        }
    }
    for (uint64_t i = 0; i < connections; i++) close(peers[i].fd);
    free(peers);
    close(epoll);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 6) {
        fputs("usage: tcp IP:PORT [CONNECTIONS [MESSAGES [BYTES [ROUNDS]]]]\n"
              "ROUNDS 4: MAIL, RCPT, DATA and content each wait for a reply; 2: the commands go together.\n",
              stderr);
        return EX_USAGE;
    }
    log_open("tcp", LOG_TARGET_STDERR, NULL, LOG_LEVEL_WARNING);
    struct endpoint to = tool_endpoint("listen", argv[1]);
    uint64_t connections = argc > 2 ? tool_number("connections", argv[2], 1, 10000) : 20;
    uint64_t messages = argc > 3 ? tool_number("messages", argv[3], 1, 1u << 30) : 50000;
    size_t size = argc > 4 ? tool_number("bytes", argv[4], 1, 1u << 30) : 4096;
    struct shape shape = { { 35, 30, 6, size }, 4 };
    if (argc > 5 && tool_number("rounds", argv[5], 2, 4) == 2) shape = (struct shape){ { 71, size }, 2 };
    int listener = tool_listen(&to);
    double begun = tool_now();
    pid_t server = fork();
    if (server < 0) die_errno("fork");
    if (server == 0) serve(listener, &shape);
    drive(&to, &shape, connections, messages);
    double took = tool_now() - begun;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    printf("%.0f messages/s of %zu bytes in %u round trips, %llu connections\n", (double)messages / took,
           size, shape.steps, (unsigned long long)connections);
    return 0;
}
