/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Supervision: who is there, who died and why, when it is started again, and the order of stopping. */
#include "master/family.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "master/family_private.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 10000,
    BACKOFF_READY_MOST_MS = 500, /* of one that had become ready: mail waits for it */
    STEADY_MS = 10000,           /* one that lived so long starts again at once */
    STOP_RECEIVE_MS = 10000,
    STOP_REST_MS = 5000,
    RELOAD_LIMIT_MS = 30000,
};

static void restart_due(void *context)
{
    struct member *member = CONTEXT(context, struct member, MEMBER_MAGIC);
    if (!member->family->is_stopping) member_start(member);
}

static void kill_due(void *context)
{
    struct member *member = CONTEXT(context, struct member, MEMBER_MAGIC);
    if (member->pid <= 0) return;
    log_warning("%s %u did not end in time: killed", process_name(member->part->kind), member->index);
    kill(member->pid, SIGKILL);
}

static void reload_late(void *context);
static void child_ended(void *context, int number);

static struct member *member_add(struct family *family, const struct part *part, unsigned index)
{
    struct member *member = &family->members[family->count++];
    member->magic = MEMBER_MAGIC;
    member->family = family;
    member->part = part;
    member->index = (uint16_t)index;
    member->restart = timer_new(family->start.loop, restart_due, member);
    member->kill = timer_new(family->start.loop, kill_due, member);
    return member;
}

/* With room for one of each that a later configuration may want. */
static void members_make(struct family *family)
{
    const struct config *config = family->start.config;
    size_t room = 0;
    for (size_t p = 0; p < part_count; p++) room += part_instances(&parts[p], config) + 1;
    family->members = memory_alloc(room * sizeof *family->members);
    for (size_t p = 0; p < part_count; p++)
        for (unsigned i = 0; i < part_instances(&parts[p], config); i++) member_add(family, &parts[p], i);
}

static bool has_member(const struct family *family, const struct part *part)
{
    for (size_t i = 0; i < family->count; i++)
        if (family->members[i].part == part) return true;
    return false;
}

/* What a reload wants for the first time. What it wants no more stays, with nothing to do. */
static void members_start_wanted(struct family *family)
{
    for (size_t p = 0; p < part_count; p++) {
        if (!part_instances(&parts[p], family->start.config) || has_member(family, &parts[p])) continue;
        struct member *member = member_add(family, &parts[p], 0);
        member->has_reloaded = true;
        member->unready_ms = loop_now_ms(family->start.loop);
        member_start(member);
    }
}

struct family *family_new(const struct family_start *start)
{
    struct family *family = memory_alloc(sizeof *family);
    family->magic = FAMILY_MAGIC;
    family->start = *start;
    family->reload.timer = timer_new(start->loop, reload_late, family);
    members_make(family);
    loop_on_signal(start->loop, SIGCHLD, child_ended, family);
    return family;
}

void family_begin(struct family *family)
{
    for (size_t i = 0; i < family->count; i++) member_start(&family->members[i]);
    pulse_begin(family);
}

void family_drain(struct family *family, bool is_on, struct text to)
{
    family->drain.is_on = is_on;
    family->drain.empty_rounds = 0;
    snprintf(family->drain.to, sizeof family->drain.to, "%.*s", TEXT_ARG(to));
    for (size_t i = 0; i < family->count; i++)
        if (family->members[i].channel) member_send_drain(&family->members[i]);
    if (family->pulse.timer) pulse_write(family);
}

bool family_is_drained(const struct family *family)
{
    return family->drain.is_on;
}

bool family_is_ready(const struct family *family)
{
    for (size_t i = 0; i < family->count; i++)
        if (family->members[i].state != MEMBER_READY) return false;
    return true;
}

/* --- ending --- */

static void log_ending(const struct member *member, int status)
{
    const char *name = process_name(member->part->kind);
    bool is_wanted = member->family->is_stopping;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        log_error("%s %u (pid %d) was killed by its jail: it tried a forbidden system call", name,
                  member->index, (int)member->pid);
    else if (WIFSIGNALED(status))
        log_error("%s %u (pid %d) was killed by signal %d (%s)", name, member->index, (int)member->pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (!is_wanted || WEXITSTATUS(status) != 0)
        log_warning("%s %u (pid %d) ended with exit code %d", name, member->index, (int)member->pid,
                    WEXITSTATUS(status));
}

static void stop_next(struct family *family);

static void member_ended(struct member *member, int status)
{
    struct family *family = member->family;
    log_ending(member, status);
    uint64_t lived_ms = loop_now_ms(family->start.loop) - member->started_ms;
    uint32_t most_ms = member->state == MEMBER_READY ? BACKOFF_READY_MOST_MS : BACKOFF_MOST_MS;
    member->pid = 0;
    if (member->state == MEMBER_READY) member->unready_ms = loop_now_ms(family->start.loop);
    member->state = MEMBER_DOWN;
    timer_clear(member->kill);
    channel_close(member->channel);
    member->channel = NULL;
    if (family->is_stopping) {
        stop_next(family);
        return;
    }
    bool was_steady = lived_ms >= STEADY_MS || member->backoff_ms == 0;
    member->backoff_ms = was_steady ? BACKOFF_FIRST_MS : member->backoff_ms * 2;
    if (member->backoff_ms > most_ms) member->backoff_ms = most_ms;
    member->ended_ms[member->restarts++ % FITNESS_RESTARTS] = loop_now_ms(family->start.loop);
    timer_set(member->restart, lived_ms >= STEADY_MS ? 0 : member->backoff_ms);
}

static void child_ended(void *context, int number)
{
    struct family *family = CONTEXT(context, struct family, FAMILY_MAGIC);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < family->count; i++)
            if (family->members[i].pid == pid) member_ended(&family->members[i], status);
}

static void member_stop(struct member *member, uint32_t within_ms)
{
    if (member->state == MEMBER_STOPPING) return;
    member->state = MEMBER_STOPPING;
    if (member->channel) {
        put_u32(channel_begin(member->channel, MASTER_STOP, 0), within_ms);
        channel_end(member->channel);
    }
    timer_set(member->kill, within_ms + 2000);
}

/* receive first, so that no transaction is cut off from queue; then queue; then the rest at once. */
static void stop_next(struct family *family)
{
    static const enum process_kind order[] = { PROCESS_RECEIVE, PROCESS_QUEUE };
    for (size_t step = 0; step <= sizeof order / sizeof *order; step++) {
        size_t waiting = 0;
        for (size_t i = 0; i < family->count; i++) {
            struct member *member = &family->members[i];
            bool is_last_step = step == sizeof order / sizeof *order;
            if (member->pid == 0 || (!is_last_step && member->part->kind != order[step])) continue;
            waiting++;
            member_stop(member, step == 0 ? STOP_RECEIVE_MS : STOP_REST_MS);
        }
        if (waiting > 0) return;
    }
    family->start.on_stopped(family->start.context);
}

/* Who is down stays down, but for queue: deliver may hold outcomes that only queue can write. */
static void restart_settle(struct member *member)
{
    bool is_needed = member->part->kind == PROCESS_QUEUE && timer_is_set(member->restart);
    timer_clear(member->restart);
    if (is_needed) member_start(member);
}

void family_stop(struct family *family)
{
    if (family->is_stopping) return;
    family->is_stopping = true;
    pulse_write(family);
    for (size_t i = 0; i < family->count; i++) restart_settle(&family->members[i]);
    stop_next(family);
}

/* --- reload --- */

static void reload_late(void *context)
{
    struct family *family = CONTEXT(context, struct family, FAMILY_MAGIC);
    char late[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < family->count; i++) {
        const struct member *member = &family->members[i];
        if (member->has_reloaded || length > sizeof late - 32) continue;
        length += (size_t)snprintf(late + length, sizeof late - length, "%s%s %u", length ? ", " : "",
                                   process_name(member->part->kind), member->index);
    }
    if (family->reload.on_done) family->reload.on_done(family->reload.context, late);
    family->reload.on_done = NULL;
}

void family_reload(struct family *family, const struct config *config, struct listeners *listeners,
                   void (*on_done)(void *context, const char *late), void *context)
{
    family->start.config = config;
    family->start.listeners = listeners;
    family->reload.on_done = on_done;
    family->reload.context = context;
    family->reload.round++;
    for (size_t i = 0; i < family->count; i++) {
        struct member *member = &family->members[i];
        member->has_reloaded = member->channel == NULL;
        if (!member->channel) continue; /* it gets the new one when it starts */
        member_send_listeners(member);
        member_send_config(member, family->reload.round);
    }
    members_start_wanted(family);
    timer_set(family->reload.timer, RELOAD_LIMIT_MS);
}

bool family_give_client(struct family *family, enum process_kind kind, const struct commander *commander,
                        struct text command, int fd)
{
    for (size_t i = 0; i < family->count; i++) {
        struct member *member = &family->members[i];
        if (member->part->kind != kind || member->state != MEMBER_READY || !member->channel) continue;
        struct buffer *out = channel_begin(member->channel, MASTER_CLIENT, 0);
        put_text(out, command);
        commander_put(commander, out);
        channel_end_fds(member->channel, &fd, 1);
        return true;
    }
    return false;
}
