/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Accepts one connection a turn, so that all else has its turn too. Used by master for commands, by courier
   for other nodes. */
#include "base/acceptor.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"

enum { REST_MS = 250, SAID_AGAIN_MS = 60000 };

struct acceptor {
    enum { ACCEPTOR_MAGIC = 0x72c85f1b } magic;
    struct loop *loop;
    struct watch *watch;
    struct timer *timer;
    void (*arrived)(void *context, int fd, const struct sockaddr_storage *from);
    void *context;
    uint64_t said_ms; /* when it was last said that it rests; 0: never */
    int fd;
};

static void rest(struct acceptor *acceptor, int error)
{
    uint64_t now_ms = loop_now_ms(acceptor->loop);
    watch_set(acceptor->watch, 0);
    timer_set(acceptor->timer, REST_MS);
    if (acceptor->said_ms && now_ms - acceptor->said_ms < SAID_AGAIN_MS) return;
    acceptor->said_ms = now_ms;
    log_warning("no connection can be taken: %s", strerror(error));
}

static void rest_is_over(void *context)
{
    struct acceptor *acceptor = CONTEXT(context, struct acceptor, ACCEPTOR_MAGIC);
    watch_set(acceptor->watch, WATCH_READ);
}

static void ready(void *context, int what)
{
    struct acceptor *acceptor = CONTEXT(context, struct acceptor, ACCEPTOR_MAGIC);
    struct sockaddr_storage from = { 0 };
    socklen_t length = sizeof from;
    int fd = accept4(acceptor->fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        acceptor->arrived(acceptor->context, fd, &from);
    else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        rest(acceptor, errno);
}

struct acceptor *acceptor_new(struct loop *loop, int fd,
                              void (*arrived)(void *context, int fd, const struct sockaddr_storage *from),
                              void *context)
{
    struct acceptor *acceptor = memory_alloc(sizeof *acceptor);
    *acceptor = (struct acceptor){
        .magic = ACCEPTOR_MAGIC, .loop = loop, .arrived = arrived, .context = context, .fd = fd
    };
    acceptor->watch = watch_new(loop, fd, ready, acceptor);
    acceptor->timer = timer_new(loop, rest_is_over, acceptor);
    watch_set(acceptor->watch, WATCH_READ);
    return acceptor;
}

void acceptor_free(struct acceptor *acceptor)
{
    if (!acceptor) return;
    watch_free(acceptor->watch);
    timer_free(acceptor->timer);
    free(acceptor);
}
