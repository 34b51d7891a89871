/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each second a question to everybody who has nothing to do. A worker that has a message has the clock of its
   request instead. */
#include "scan/vigil.h"

#include "base/context.h"
#include "scan/foreman_private.h"
#include "scan/scan_private.h"

enum { ROUND_MS = 1000 };

static void look(struct foreman *foreman, struct vigil *vigil, const char *name)
{
    uint32_t limit_ms = foreman->child->config->processes.hang_ms;
    vigil->silent_ms = vigil->is_heard ? 0 : vigil->silent_ms + ROUND_MS;
    vigil->is_heard = false;
    if (limit_ms > 0 && vigil->silent_ms >= limit_ms) child_report_hang(foreman->child, vigil->pid, name);
}

static void brood_look(struct foreman *foreman, struct brood *brood)
{
    if (!brood || !brood->channel || brood->looked_at == foreman->rounds) return;
    brood->looked_at = foreman->rounds;
    look(foreman, &brood->vigil, "scan-nursery");
    channel_send(brood->channel, NURSERY_PING, 0, TEXT_NONE);
}

static void member_look(struct crew_member *member)
{
    if (member->state != WORKER_IDLE) member->vigil.is_heard = true;
    look(member->foreman, &member->vigil, "scan-worker");
    if (member->state == WORKER_IDLE) channel_send(member->channel, WORKER_PING, 0, TEXT_NONE);
}

static void round_begins(void *context)
{
    struct foreman *foreman = CONTEXT(context, struct foreman, FOREMAN_MAGIC);
    timer_set(foreman->vigil_timer, ROUND_MS);
    foreman->rounds++;
    look(foreman, &foreman->warden_vigil, "scan-warden");
    channel_send(foreman->warden, WARDEN_PING, 0, TEXT_NONE);
    brood_look(foreman, foreman->brood);
    brood_look(foreman, foreman->next_brood);
    for (struct crew_member *member = foreman->crew; member; member = member->next) {
        brood_look(foreman, member->brood); /* one that is being replaced */
        member_look(member);
    }
}

void vigil_open(struct foreman *foreman)
{
    foreman->warden_vigil.is_heard = true;
    foreman->vigil_timer = timer_new(foreman->child->loop, round_begins, foreman);
    timer_set(foreman->vigil_timer, ROUND_MS);
}
