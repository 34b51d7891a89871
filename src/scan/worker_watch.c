/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each second a question to everybody who has nothing to do. A worker that has a message has the clock of its
   request instead. */
#include "scan/worker_watch.h"

#include "base/context.h"
#include "scan/dispatcher_private.h"
#include "scan/scan_private.h"

enum { ROUND_MS = 1000 };

static void look(struct dispatcher *dispatcher, struct vigil *vigil, const char *name)
{
    uint32_t limit_ms = dispatcher->child->config->processes.hang_ms;
    vigil->silent_ms = vigil->is_heard ? 0 : vigil->silent_ms + ROUND_MS;
    vigil->is_heard = false;
    if (limit_ms > 0 && vigil->silent_ms >= limit_ms) child_report_hang(dispatcher->child, vigil->pid, name);
}

static void generation_look(struct dispatcher *dispatcher, struct generation *generation)
{
    if (!generation || !generation->channel || generation->looked_at == dispatcher->rounds) return;
    generation->looked_at = dispatcher->rounds;
    look(dispatcher, &generation->vigil, "scan-nursery");
    channel_send(generation->channel, FORK_SERVER_PING, 0, TEXT_NONE);
}

static void member_look(struct pool_worker *member)
{
    if (member->state != WORKER_IDLE) member->vigil.is_heard = true;
    look(member->dispatcher, &member->vigil, "scan-worker");
    if (member->state == WORKER_IDLE) channel_send(member->channel, WORKER_PING, 0, TEXT_NONE);
}

static void round_begins(void *context)
{
    struct dispatcher *dispatcher = CONTEXT(context, struct dispatcher, DISPATCHER_MAGIC);
    timer_set(dispatcher->vigil_timer, ROUND_MS);
    dispatcher->rounds++;
    look(dispatcher, &dispatcher->warden_vigil, "scan-warden");
    channel_send(dispatcher->warden, WARDEN_PING, 0, TEXT_NONE);
    generation_look(dispatcher, dispatcher->generation);
    generation_look(dispatcher, dispatcher->next_generation);
    struct pool_worker *member;
    LIST_FOREACH(member, &dispatcher->workers, others) {
        generation_look(dispatcher, member->generation); /* one that is being replaced */
        member_look(member);
    }
}

void vigil_open(struct dispatcher *dispatcher)
{
    dispatcher->warden_vigil.is_heard = true;
    dispatcher->vigil_timer = timer_new(dispatcher->child->loop, round_begins, dispatcher);
    timer_set(dispatcher->vigil_timer, ROUND_MS);
}
