/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Supervision: who is there, who died and why, when it is started again, and the order of stopping. */
#include "master/process_table.h"

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
#include "master/process_table_private.h"

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
    if (!member->table->is_stopping) member_start(member);
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

static struct member *member_add(struct process_table *table, const struct part *part, unsigned index)
{
    struct member *member = &table->members[table->count++];
    member->magic = MEMBER_MAGIC;
    member->table = table;
    member->part = part;
    member->index = (uint16_t)index;
    member->restart = timer_new(table->start.loop, restart_due, member);
    member->kill = timer_new(table->start.loop, kill_due, member);
    return member;
}

/* With room for one of each that a later configuration may want. */
static void members_make(struct process_table *table)
{
    const struct config *config = table->start.config;
    size_t room = 0;
    for (size_t p = 0; p < part_count; p++) room += part_instances(&parts[p], config) + 1;
    table->members = memory_alloc(room * sizeof *table->members);
    for (size_t p = 0; p < part_count; p++)
        for (unsigned i = 0; i < part_instances(&parts[p], config); i++) member_add(table, &parts[p], i);
}

static bool has_member(const struct process_table *table, const struct part *part)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].part == part) return true;
    return false;
}

/* What a reload wants for the first time. What it wants no more stays, with nothing to do. */
static void members_start_wanted(struct process_table *table)
{
    for (size_t p = 0; p < part_count; p++) {
        if (!part_instances(&parts[p], table->start.config) || has_member(table, &parts[p])) continue;
        struct member *member = member_add(table, &parts[p], 0);
        member->has_reloaded = true;
        member->unready_ms = loop_now_ms(table->start.loop);
        member_start(member);
    }
}

struct process_table *process_table_new(const struct process_table_start *start)
{
    struct process_table *table = memory_alloc(sizeof *table);
    table->magic = PROCESS_TABLE_MAGIC;
    table->start = *start;
    table->reload.timer = timer_new(start->loop, reload_late, table);
    members_make(table);
    loop_on_signal(start->loop, SIGCHLD, child_ended, table);
    return table;
}

void process_table_begin(struct process_table *table)
{
    for (size_t i = 0; i < table->count; i++) member_start(&table->members[i]);
    heartbeat_begin(table);
}

void process_table_drain(struct process_table *table, bool is_on, struct text to)
{
    table->drain.is_on = is_on;
    table->drain.empty_rounds = 0;
    snprintf(table->drain.to, sizeof table->drain.to, "%.*s", TEXT_ARG(to));
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].channel) member_send_drain(&table->members[i]);
    if (table->heartbeat.timer) heartbeat_write(table);
}

bool process_table_is_drained(const struct process_table *table)
{
    return table->drain.is_on;
}

bool process_table_is_ready(const struct process_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].state != MEMBER_READY) return false;
    return true;
}

/* --- ending --- */

/* `is_anew`: it wants to start again. */
static void log_ending(const struct member *member, int status, bool is_anew)
{
    const char *name = process_name(member->part->kind);
    bool is_wanted = member->table->is_stopping || is_anew;
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

static void stop_next(struct process_table *table);

static void member_ended(struct member *member, int status)
{
    struct process_table *table = member->table;
    /* A process that was not told to end and ends well has outgrown its jail by a reload. */
    bool is_anew = member->state == MEMBER_READY && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    log_ending(member, status, is_anew);
    uint64_t lived_ms = loop_now_ms(table->start.loop) - member->started_ms;
    uint32_t most_ms = member->state == MEMBER_READY ? BACKOFF_READY_MOST_MS : BACKOFF_MOST_MS;
    member->pid = 0;
    if (member->state == MEMBER_READY) member->unready_ms = loop_now_ms(table->start.loop);
    member->state = MEMBER_DOWN;
    timer_clear(member->kill);
    channel_close(member->channel);
    member->channel = NULL;
    if (table->is_stopping) {
        stop_next(table);
        return;
    }
    if (is_anew) {
        timer_set(member->restart, 0);
        return;
    }
    bool was_steady = lived_ms >= STEADY_MS || member->backoff_ms == 0;
    member->backoff_ms = was_steady ? BACKOFF_FIRST_MS : member->backoff_ms * 2;
    if (member->backoff_ms > most_ms) member->backoff_ms = most_ms;
    member->ended_ms[member->restarts++ % HEALTH_RULE_RESTARTS] = loop_now_ms(table->start.loop);
    timer_set(member->restart, lived_ms >= STEADY_MS ? 0 : member->backoff_ms);
}

static void child_ended(void *context, int number)
{
    struct process_table *table = CONTEXT(context, struct process_table, PROCESS_TABLE_MAGIC);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < table->count; i++)
            if (table->members[i].pid == pid) member_ended(&table->members[i], status);
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
static void stop_next(struct process_table *table)
{
    static const enum process_kind order[] = { PROCESS_RECEIVE, PROCESS_QUEUE };
    for (size_t step = 0; step <= sizeof order / sizeof *order; step++) {
        size_t waiting = 0;
        for (size_t i = 0; i < table->count; i++) {
            struct member *member = &table->members[i];
            bool is_last_step = step == sizeof order / sizeof *order;
            if (member->pid == 0 || (!is_last_step && member->part->kind != order[step])) continue;
            waiting++;
            member_stop(member, step == 0 ? STOP_RECEIVE_MS : STOP_REST_MS);
        }
        if (waiting > 0) return;
    }
    table->start.on_stopped(table->start.context);
}

/* Who is down stays down, but for queue: deliver may hold outcomes that only queue can write. */
static void restart_settle(struct member *member)
{
    bool is_needed = member->part->kind == PROCESS_QUEUE && timer_is_set(member->restart);
    timer_clear(member->restart);
    if (is_needed) member_start(member);
}

void process_table_stop(struct process_table *table)
{
    if (table->is_stopping) return;
    table->is_stopping = true;
    heartbeat_write(table);
    for (size_t i = 0; i < table->count; i++) restart_settle(&table->members[i]);
    stop_next(table);
}

/* --- reload --- */

static void reload_late(void *context)
{
    struct process_table *table = CONTEXT(context, struct process_table, PROCESS_TABLE_MAGIC);
    char late[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct member *member = &table->members[i];
        if (member->has_reloaded || length > sizeof late - 32) continue;
        length += (size_t)snprintf(late + length, sizeof late - length, "%s%s %u", length ? ", " : "",
                                   process_name(member->part->kind), member->index);
    }
    if (table->reload.on_done) table->reload.on_done(table->reload.context, late);
    table->reload.on_done = NULL;
}

void process_table_reload(struct process_table *table, const struct config *config,
                          struct listeners *listeners, void (*on_done)(void *context, const char *late),
                          void *context)
{
    table->start.config = config;
    table->start.listeners = listeners;
    table->reload.on_done = on_done;
    table->reload.context = context;
    table->reload.round++;
    for (size_t i = 0; i < table->count; i++) {
        struct member *member = &table->members[i];
        member->has_reloaded = member->channel == NULL;
        if (!member->channel) continue; /* it gets the new one when it starts */
        member_send_listeners(member);
        member_send_list_files(member);
        member_send_config(member, table->reload.round);
    }
    members_start_wanted(table);
    timer_set(table->reload.timer, RELOAD_LIMIT_MS);
}

bool process_table_give_client(struct process_table *table, enum process_kind kind,
                               const struct commander *commander, struct text command, int fd)
{
    for (size_t i = 0; i < table->count; i++) {
        struct member *member = &table->members[i];
        if (member->part->kind != kind || member->state != MEMBER_READY || !member->channel) continue;
        struct buffer *out = channel_begin(member->channel, MASTER_CLIENT, 0);
        put_text(out, command);
        commander_put(commander, out);
        channel_end_fds(member->channel, &fd, 1);
        return true;
    }
    return false;
}
