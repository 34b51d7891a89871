/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The event loop, over libevent. A turn is one wait and all that became ready, then the deferred work. */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"

struct loop {
    struct event_base *base;
    struct deferred *first, **last; /* for the end of this turn */
    struct deferred *running;       /* what the end of this turn has not come to yet */
    struct deferred *lazy;          /* for the end of a later one */
    struct timer *lazy_end;         /* NULL: nothing was lazy yet */
    uint64_t now_ms, wall_ms, boot_ms;
    struct watch **watches; /* by descriptor */
    size_t watches_room;
    bool clocks_are_read; /* in this turn */
    bool stopping;
};

struct watch {
    struct loop *loop;
    int fd;
    struct event *read, *write;
    void (*ready)(void *context, int what);
    void *context;
    int set;
};

struct timer {
    struct loop *loop;
    struct event *event;
    void (*expired)(void *context);
    void *context;
    uint64_t deadline_ms; /* 0: not set */
    uint64_t armed_ms;    /* when the event will fire; 0: it is not armed */
};

struct signal_watch {
    void (*arrived)(void *context, int number);
    void *context;
    int number;
};

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* At the first question of a turn, so that the time spent waiting is in it. */
static void clocks_read(struct loop *loop)
{
    if (loop->clocks_are_read) return;
    loop->clocks_are_read = true;
    loop->now_ms = clock_ms(CLOCK_MONOTONIC);
    loop->wall_ms = clock_ms(CLOCK_REALTIME);
    loop->boot_ms = clock_ms(CLOCK_BOOTTIME);
}

struct loop *loop_new(void)
{
    struct loop *loop = memory_alloc(sizeof *loop);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!loop->base) die("the event loop cannot be made");
    loop->last = &loop->first;
    return loop;
}

void loop_free(struct loop *loop)
{
    timer_free(loop->lazy_end);
    event_base_free(loop->base);
    free(loop->watches);
    free(loop);
}

/* Work deferred by deferred work runs in the same turn, a bounded number of rounds. */
static void run_deferred(struct loop *loop)
{
    for (int rounds = 0; loop->first && rounds < 64; rounds++) {
        loop->running = loop->first;
        loop->first = NULL;
        loop->last = &loop->first;
        while (loop->running) {
            struct deferred *deferred = loop->running;
            loop->running = deferred->next;
            deferred->next = NULL;
            deferred->queued = false;
            deferred->run(deferred->context);
        }
    }
}

static void lazy_run(void *context)
{
    struct loop *loop = context;
    while (loop->lazy) loop_defer(loop, loop->lazy);
}

void loop_run(struct loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping) {
        int flags = EVLOOP_ONCE | (loop->first ? EVLOOP_NONBLOCK : 0);
        loop->clocks_are_read = false;
        if (event_base_loop(loop->base, flags) < 0) die("the event loop failed");
        run_deferred(loop);
        log_flush();
    }
    lazy_run(loop);
    run_deferred(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

uint64_t loop_now_ms(const struct loop *loop)
{
    clocks_read((struct loop *)loop);
    return loop->now_ms;
}

uint64_t loop_wall_ms(const struct loop *loop)
{
    clocks_read((struct loop *)loop);
    return loop->wall_ms;
}

uint64_t loop_boot_ms(const struct loop *loop)
{
    clocks_read((struct loop *)loop);
    return loop->boot_ms;
}

static bool unlink_from(struct deferred **at, struct deferred *deferred)
{
    for (; *at; at = &(*at)->next) {
        if (*at != deferred) continue;
        *at = deferred->next;
        return true;
    }
    return false;
}

void loop_defer_cancel(struct loop *loop, struct deferred *deferred)
{
    if (!deferred->queued) return;
    deferred->queued = deferred->is_lazy = false;
    if (unlink_from(&loop->lazy, deferred)) return;
    if (unlink_from(&loop->running, deferred) || !unlink_from(&loop->first, deferred)) return;
    for (loop->last = &loop->first; *loop->last;) loop->last = &(*loop->last)->next;
}

void loop_defer(struct loop *loop, struct deferred *deferred)
{
    if (deferred->is_lazy) loop_defer_cancel(loop, deferred);
    if (deferred->queued) return;
    deferred->queued = true;
    deferred->next = NULL;
    *loop->last = deferred;
    loop->last = &deferred->next;
}

void loop_defer_lazily(struct loop *loop, struct deferred *deferred)
{
    if (deferred->queued) return;
    deferred->queued = deferred->is_lazy = true;
    deferred->next = loop->lazy;
    loop->lazy = deferred;
    if (!loop->lazy_end) loop->lazy_end = timer_new(loop, lazy_run, loop);
    if (!timer_is_set(loop->lazy_end)) timer_set(loop->lazy_end, LOOP_LAZY_MS);
}

static void watch_ready(evutil_socket_t fd, short what, void *argument)
{
    struct watch *watch = argument;
    watch->ready(watch->context, (what & EV_READ ? WATCH_READ : 0) | (what & EV_WRITE ? WATCH_WRITE : 0));
}

/* Each descriptor has one watch. A second one means that the number was closed behind the first one's back.
 */
static struct watch **watch_place(struct loop *loop, int fd)
{
    size_t index = (size_t)fd, room = loop->watches_room;
    if (fd < 0) bug("descriptor %d cannot be watched", fd);
    if (index >= room) {
        loop->watches_room = index < 64 ? 128 : 2 * index;
        loop->watches = memory_grow(loop->watches, loop->watches_room * sizeof *loop->watches);
        memset(loop->watches + room, 0, (loop->watches_room - room) * sizeof *loop->watches);
    }
    return &loop->watches[index];
}

struct watch *watch_new(struct loop *loop, int fd, void (*ready)(void *context, int what), void *context)
{
    struct watch *watch = memory_alloc(sizeof *watch), **place = watch_place(loop, fd);
    if (*place) bug("descriptor %d is watched already: it was closed without its watch", fd);
    *place = watch;
    watch->loop = loop;
    watch->fd = fd;
    watch->ready = ready;
    watch->context = context;
    watch->read = event_new(loop->base, fd, EV_READ | EV_PERSIST, watch_ready, watch);
    watch->write = event_new(loop->base, fd, EV_WRITE | EV_PERSIST, watch_ready, watch);
    if (!watch->read || !watch->write) die("out of memory (event)");
    return watch;
}

static void set_one(struct event *event, bool was, bool wanted)
{
    if (was == wanted) return;
    if ((wanted ? event_add(event, NULL) : event_del(event)) != 0) die("the event loop refuses a descriptor");
}

void watch_set(struct watch *watch, int what)
{
    set_one(watch->read, watch->set & WATCH_READ, what & WATCH_READ);
    set_one(watch->write, watch->set & WATCH_WRITE, what & WATCH_WRITE);
    watch->set = what;
}

void watch_free(struct watch *watch)
{
    if (!watch) return;
    event_free(watch->read);
    event_free(watch->write);
    watch->loop->watches[watch->fd] = NULL;
    if (close(watch->fd) != 0 && errno == EBADF) bug("a watched descriptor was closed without its watch");
    free(watch);
}

static void timer_arm(struct timer *timer)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);
    uint64_t left = timer->deadline_ms > now ? timer->deadline_ms - now : 0;
    struct timeval after = { (time_t)(left / 1000), (suseconds_t)(left % 1000) * 1000 };
    if (event_add(timer->event, &after) != 0) die("the event loop refuses a timer");
    timer->armed_ms = timer->deadline_ms;
}

static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    struct timer *timer = argument;
    timer->armed_ms = 0;
    if (timer->deadline_ms == 0) return;
    if (timer->deadline_ms > clock_ms(CLOCK_MONOTONIC)) {
        timer_arm(timer);
        return;
    }
    timer->deadline_ms = 0;
    timer->expired(timer->context);
}

struct timer *timer_new(struct loop *loop, void (*expired)(void *context), void *context)
{
    struct timer *timer = memory_alloc(sizeof *timer);
    timer->loop = loop;
    timer->expired = expired;
    timer->context = context;
    timer->event = event_new(loop->base, -1, 0, timer_fired, timer);
    if (!timer->event) die("out of memory (timer)");
    return timer;
}

void timer_set(struct timer *timer, uint64_t after_ms)
{
    timer->deadline_ms = clock_ms(CLOCK_MONOTONIC) + after_ms;
    if (timer->armed_ms == 0 || timer->deadline_ms < timer->armed_ms) timer_arm(timer);
}

void timer_clear(struct timer *timer)
{
    timer->deadline_ms = 0;
}

bool timer_is_set(const struct timer *timer)
{
    return timer->deadline_ms != 0;
}

void timer_free(struct timer *timer)
{
    if (!timer) return;
    event_free(timer->event);
    free(timer);
}

static void signal_fired(evutil_socket_t number, short what, void *argument)
{
    struct signal_watch *watch = argument;
    watch->arrived(watch->context, watch->number);
}

void loop_on_signal(struct loop *loop, int number, void (*arrived)(void *context, int number), void *context)
{
    struct signal_watch *watch = memory_alloc(sizeof *watch);
    *watch = (struct signal_watch){ arrived, context, number };
    struct event *event = evsignal_new(loop->base, number, signal_fired, watch);
    if (!event || event_add(event, NULL) != 0) die("the event loop refuses signal %d", number);
}
