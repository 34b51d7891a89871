/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The event loop of a process: descriptors, timers, signals, and work put off to the end of a turn.
   Single-threaded; callbacks never run inside the call that asked for them. */
#ifndef SEKIMORI_BASE_LOOP_H
#define SEKIMORI_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;

/* Never NULL. loop_free leaves the watches, timers and signals made on it: free those before. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Turns until loop_stop. Each turn: wait, call what is ready, run the deferred work, flush the log. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* this turn ends as usual */

/* For a library that brings its own events (libunbound). */
struct event_base *loop_base(struct loop *loop);

/* Monotonic and wall-clock milliseconds, read once a turn; and those since boot, sleep included. */
uint64_t loop_now_ms(const struct loop *loop);
uint64_t loop_wall_ms(const struct loop *loop);
uint64_t loop_boot_ms(const struct loop *loop);

/* Work at the end of this turn. The object is the caller's; deferring it twice before it ran is one run. */
struct deferred {
    void (*run)(void *context);
    void *context;
    struct deferred *next;
    bool queued, is_lazy;
};
/* The object stays until it has run, or loop_defer_cancel: that lets be one that is not deferred. */
void loop_defer(struct loop *loop, struct deferred *deferred);
enum { LOOP_LAZY_MS = 20 };
/* The same, but that the end of the turn may be one up to LOOP_LAZY_MS from now, so that more comes together;
   not behind the end of loop_run. loop_defer makes it one of this turn. */
void loop_defer_lazily(struct loop *loop, struct deferred *deferred);
/* One that is not deferred is let be. Call before its object ends. */
void loop_defer_cancel(struct loop *loop, struct deferred *deferred);

/* A descriptor's readiness. Level-triggered. The watch takes over the descriptor, and nobody else closes it:
   the kernel keeps waiting for a descriptor that is closed here while a copy of it is open anywhere (in
   another process, or on its way to one), and would report it for ever. */
struct watch;
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
/* Never NULL; a descriptor that is watched already aborts. Waits for nothing until watch_set. `ready` may
   free the watch. */
struct watch *watch_new(struct loop *loop, int fd, void (*ready)(void *context, int what), void *context);
void watch_set(struct watch *watch, int what); /* 0: nothing; no system call when unchanged */
void watch_free(struct watch *watch);          /* closes the descriptor; NULL is allowed */

/* A one-shot timer. Setting it later than it stands costs nothing. */
struct timer;
/* Never NULL, and not set. `expired` may set or free it. */
struct timer *timer_new(struct loop *loop, void (*expired)(void *context), void *context);
/* Counts from this call, not from the turn's clock. Set once more, the last one counts. */
void timer_set(struct timer *timer, uint64_t after_ms);
/* `expired` is not called then; allowed on one that is not set. */
void timer_clear(struct timer *timer);
bool timer_is_set(const struct timer *timer); /* false once it has expired */
void timer_free(struct timer *timer);         /* NULL is allowed */

/* `arrived` is called in a turn of the loop, not in the signal handler. It stays as long as the loop. */
void loop_on_signal(struct loop *loop, int number, void (*arrived)(void *context, int number), void *context);

#endif
