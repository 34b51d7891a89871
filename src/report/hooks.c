/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Orders that helper has not answered yet, in the order in which they were given. */
#include "report/hooks.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/channel.h"

enum { DEATHS_MOST = 1 };

struct order {
    struct order *next;
    uint64_t id;
    unsigned deaths; /* of helper, while this was the first */
    bool is_lost;
    struct buffer frame;
    struct hooks_waiter waiter;
};

struct hooks {
    enum { HOOKS_MAGIC = 0x221f5a01 } magic;
    struct loop *loop;
    struct channel *helper; /* NULL: it is not there */
    struct order *first, **last;
    size_t count;
    uint64_t next_id;
    struct hooks_counts counts;
    struct deferred lost; /* ends what can be had no more */
};

static const struct program_end refused = { .outcome = PROGRAM_REFUSED };

static void order_end(struct hooks *hooks, struct order **at, const struct program_end *end)
{
    struct order *order = *at;
    *at = order->next;
    if (!*at) hooks->last = at;
    hooks->count--;
    if (program_end_is_good(end))
        hooks->counts.good++;
    else
        hooks->counts.bad++;
    if (order->waiter.done) order->waiter.done(order->waiter.context, end);
    buffer_free(&order->frame);
    free(order);
}

static void lost_end(void *context)
{
    struct hooks *hooks = CONTEXT(context, struct hooks, HOOKS_MAGIC);
    for (struct order **at = &hooks->first; *at;) {
        if ((*at)->is_lost)
            order_end(hooks, at, &refused);
        else
            at = &(*at)->next;
    }
}

struct hooks *hooks_new(struct loop *loop)
{
    struct hooks *hooks = memory_alloc(sizeof *hooks);
    hooks->magic = HOOKS_MAGIC;
    hooks->loop = loop;
    hooks->last = &hooks->first;
    hooks->lost = (struct deferred){ .run = lost_end, .context = hooks };
    return hooks;
}

/* --- helper --- */

static void order_give(struct hooks *hooks, const struct order *order)
{
    channel_send(hooks->helper, HELPER_ALARM, order->id, buffer_text(&order->frame));
}

static void order_lose(struct hooks *hooks, struct order *order)
{
    order->is_lost = true;
    loop_defer(hooks->loop, &hooks->lost);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct hooks *hooks = CONTEXT(context, struct hooks, HOOKS_MAGIC);
    struct program_end end;
    if (frame->type != HELPER_ENDED || !program_end_get(frame->payload, &end)) return false;
    struct order **at = &hooks->first;
    while (*at && (*at)->id != frame->id) at = &(*at)->next;
    if (!*at) return false;
    order_end(hooks, at, &end);
    return true;
}

static void on_closed(void *context)
{
    struct hooks *hooks = CONTEXT(context, struct hooks, HOOKS_MAGIC);
    if (hooks->first) hooks->first->deaths++;
    channel_close(hooks->helper);
    hooks->helper = NULL;
}

void hooks_set_helper(struct hooks *hooks, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (hooks->helper) on_closed(hooks);
    hooks->helper = channel_open(hooks->loop, fd, &events, hooks);
    for (struct order *order = hooks->first; order; order = order->next) {
        if (order->deaths <= DEATHS_MOST) {
            order_give(hooks, order);
        } else if (!order->is_lost) {
            log_error("alarm hook: helper died over it twice: it is given up");
            order_lose(hooks, order);
        }
    }
}

/* --- orders --- */

void hooks_tell(struct hooks *hooks, const struct alarm_notice *notice, struct hooks_waiter waiter)
{
    struct order *order = memory_alloc(sizeof *order);
    *order = (struct order){ .id = ++hooks->next_id, .waiter = waiter };
    alarm_notice_put(notice, &order->frame);
    *hooks->last = order;
    hooks->last = &order->next;
    if (hooks->count++ >= HOOKS_MOST) {
        log_error("alarm hook: %d have no answer: the one for %.*s is lost", HOOKS_MOST,
                  TEXT_ARG(notice->alarm));
        order_lose(hooks, order);
    } else if (hooks->helper) {
        order_give(hooks, order);
    }
}

struct hooks_counts hooks_counts(const struct hooks *hooks)
{
    return hooks->counts;
}
