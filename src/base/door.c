/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Accepts one connection a turn, so that all else has its turn too. Used by master for commands, by courier
   for other nodes. */
#include "base/door.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"

enum { REST_MS = 250, SAID_AGAIN_MS = 60000 };

struct door {
    enum { DOOR_MAGIC = 0x72c85f1b } magic;
    struct loop *loop;
    struct watch *watch;
    struct timer *timer;
    void (*arrived)(void *context, int fd, const struct sockaddr_storage *from);
    void *context;
    uint64_t said_ms; /* when it was last said that it rests; 0: never */
    int fd;
};

static void rest(struct door *door, int error)
{
    uint64_t now_ms = loop_now_ms(door->loop);
    watch_set(door->watch, 0);
    timer_set(door->timer, REST_MS);
    if (door->said_ms && now_ms - door->said_ms < SAID_AGAIN_MS) return;
    door->said_ms = now_ms;
    log_warning("no connection can be taken: %s", strerror(error));
}

static void rest_is_over(void *context)
{
    struct door *door = CONTEXT(context, struct door, DOOR_MAGIC);
    watch_set(door->watch, WATCH_READ);
}

static void ready(void *context, int what)
{
    struct door *door = CONTEXT(context, struct door, DOOR_MAGIC);
    struct sockaddr_storage from = { 0 };
    socklen_t length = sizeof from;
    int fd = accept4(door->fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        door->arrived(door->context, fd, &from);
    else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        rest(door, errno);
}

struct door *door_new(struct loop *loop, int fd,
                      void (*arrived)(void *context, int fd, const struct sockaddr_storage *from),
                      void *context)
{
    struct door *door = memory_alloc(sizeof *door);
    *door =
        (struct door){ .magic = DOOR_MAGIC, .loop = loop, .arrived = arrived, .context = context, .fd = fd };
    door->watch = watch_new(loop, fd, ready, door);
    door->timer = timer_new(loop, rest_is_over, door);
    watch_set(door->watch, WATCH_READ);
    return door;
}

void door_free(struct door *door)
{
    if (!door) return;
    watch_free(door->watch);
    timer_free(door->timer);
    free(door);
}
