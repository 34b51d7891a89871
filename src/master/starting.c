/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One process's start: fork, drop privileges, execute its own program, then tell it what it needs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "config/bundle.h"
#include "config/list_setting.h"
#include "master/privileges.h"
#include "master/process_table_private.h"

enum { CONTROL_FD = 3 };

static void pair_make(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        die_errno("a channel cannot be made");
}

/* In the child. Only descriptors 0 to 3 go over. */
static _Noreturn void become(const struct member *member, int control)
{
    char path[4096], index[8];
    const char *name = process_name(member->part->kind);
    snprintf(path, sizeof path, "%s/%s", member->table->start.libexec, name);
    snprintf(index, sizeof index, "%u", member->index);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    if (control == CONTROL_FD)
        fcntl(control, F_SETFD, 0);
    else
        dup2(control, CONTROL_FD);
    close_range(CONTROL_FD + 1, ~0u, 0);
    const struct os_user *user = &member->table->start.users->of[member->part->kind];
    privileges_drop(user->uid, user->gid, member->part->mounts);
    execl(path, path, name, index, (char *)NULL);
    log_error("%s cannot be executed: %s", path, strerror(errno));
    log_flush();
    _exit(EX_UNAVAILABLE);
}

static void send_map(struct member *member, const char *name, uint16_t slot, int fd)
{
    if (fd < 0) die_errno("the shared file %s cannot be opened", name);
    struct buffer *out = channel_begin(member->channel, MASTER_MAP, 0);
    put_text(out, text_of(name));
    put_u16(out, slot);
    channel_end_fds(member->channel, &fd, 1);
}

static int copy_of(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, CONTROL_FD + 1);
    if (copy < 0) die_errno("a descriptor cannot be duplicated");
    return copy;
}

static void send_keepsakes(struct member *member)
{
    const struct state *state = member->table->start.state;
    send_map(member, "results", 0, state_results(state));
    send_map(member, "flights", 0, state_flights(state));
    for (uint16_t i = 0; i < 2; i++) send_map(member, "connections", i, copy_of(state->connections[i]));
}

static void send_events(struct member *member, enum process_kind kind, uint16_t index)
{
    uint16_t slot;
    int ring = state_events(member->table->start.state, kind, index, &slot);
    send_map(member, "events", slot, ring);
}

static void send_all_events(struct member *member)
{
    const struct process_table *table = member->table;
    for (size_t i = 0; i < table->count; i++) {
        const struct member *other = &table->members[i];
        if (!other->part->reads_all_events && !other->part->has_no_events)
            send_events(member, other->part->kind, other->index);
    }
    send_events(member, PROCESS_MASTER, 0);
}

static void send_maps(struct member *member)
{
    const struct state *state = member->table->start.state;
    if (member->part->reads_all_events)
        send_all_events(member);
    else if (!member->part->has_no_events)
        send_events(member, member->part->kind, member->index);
    if (member->part->has_counters) send_map(member, "counters", 0, copy_of(state->counters_fd));
    if (member->part->keeps_results) send_keepsakes(member);
    if (member->part->reads_counters)
        send_map(member, "counters", 0, openat(state->run_fd, "counters", O_RDONLY | O_CLOEXEC));
    if (member->part->reads_health)
        send_map(member, "health", 0, openat(state->run_fd, "health", O_RDONLY | O_CLOEXEC));
    if (member->part->has_lists) {
        send_map(member, "lists", 0, state_lists(state, member->part->reads_all_events));
        send_map(member, "approved", 0, state_approved(state, member->part->reads_all_events));
        send_map(member, "entries", 0, state_entries(state, member->part->reads_all_events));
        send_map(member, "learned", 0, state_learned(state, member->part->reads_all_events));
    }
    if (member->part->has_campaigns) send_map(member, "campaigns", 0, state_campaigns(state, member->part->kind == PROCESS_LOOKUP));
    if (member->part->kind == PROCESS_LOOKUP) send_map(member, "inside", 0, state_inside(state));
    if (member->part->has_clients) send_map(member, "clients", member->index, copy_of(state->clients_fd));
    if (member->part->has_vouchers) send_map(member, "vouchers", 0, copy_of(state->vouchers_fd));
    if (member->part->has_secret) send_map(member, "secret", 0, copy_of(state->secret_fd));
}

/* To be read, never written. What cannot be opened is not sent: lookup says so, for the list that it is of.
 */
void member_send_list_files(struct member *member)
{
    const struct config *config = member->table->start.config;
    for (size_t i = 0; member->part->reads_list_files && i < config->list_count; i++) {
        struct text path = list_setting_path(&config->lists[i]);
        struct stat facts;
        if (list_setting_is_fetched(&config->lists[i])) continue; /* consult brings it */
        char *name = memory_string(path);
        int fd = path.length ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
        bool is_file = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
        if (is_file)
            send_map(member, "list-file", (uint16_t)i, fd);
        else if (path.length)
            log_error("list %.*s: %s: %s", TEXT_ARG(config->lists[i].name), name,
                      fd < 0 ? strerror(errno) : "is not a file");
        if (fd >= 0 && !is_file) close(fd);
        free(name);
    }
}

static void send_folders(struct member *member)
{
    for (const char *const *name = member->part->folders; *name; name++) {
        int fd = state_folder(member->table->start.state, *name);
        if (fd < 0) die_errno("the folder %s cannot be opened", *name);
        struct buffer *out = channel_begin(member->channel, MASTER_FOLDER, 0);
        put_text(out, text_of(*name));
        channel_end_fds(member->channel, &fd, 1);
    }
}

void member_send_log(struct member *member, enum master_log which, int fd)
{
    int copy = copy_of(fd);
    put_u8(channel_begin(member->channel, MASTER_LOG, 0), (uint8_t)which);
    channel_end_fds(member->channel, &copy, 1);
}

static void send_listener(struct member *member, uint16_t number, int fd)
{
    int copy = copy_of(fd);
    put_u16(channel_begin(member->channel, MASTER_LISTENER, 0), number);
    channel_end_fds(member->channel, &copy, 1);
}

static bool is_for(const struct listeners *listeners, size_t number, const struct part *part)
{
    if (number < listeners->mail_count) return part->has_listeners;
    return number == listeners->metrics_at ? part->has_metrics : part->has_collector;
}

void member_send_listeners(struct member *member)
{
    const struct listeners *listeners = member->table->start.listeners;
    int metrics = member->table->start.metrics->fd;
    for (size_t i = 0; i < listeners->count; i++)
        if (is_for(listeners, i, member->part)) send_listener(member, (uint16_t)i, listeners->fds[i]);
    if (member->part->has_metrics && metrics >= 0) send_listener(member, METRICS_SOCKET, metrics);
}

void member_send_config(struct member *member, uint64_t id)
{
    int fd = config_bundle_memory(member->table->start.config, member->part->keys);
    if (fd < 0) die_errno("the configuration cannot be passed on");
    channel_send_fds(member->channel, MASTER_CONFIG, id, TEXT_NONE, &fd, 1);
}

static void send_peer(struct member *to, const struct member *peer, int fd)
{
    struct buffer *out = channel_begin(to->channel, MASTER_PEER, 0);
    put_u8(out, (uint8_t)peer->part->kind);
    put_u16(out, peer->index);
    channel_end_fds(to->channel, &fd, 1);
}

static bool are_linked(enum process_kind a, enum process_kind b)
{
    for (size_t i = 0; i < link_count; i++)
        if ((links[i].a == a && links[i].b == b) || (links[i].a == b && links[i].b == a)) return true;
    return false;
}

static void join_peers(struct member *member)
{
    for (size_t i = 0; i < member->table->count; i++) {
        struct member *other = &member->table->members[i];
        if (!other->channel || other == member || !are_linked(member->part->kind, other->part->kind))
            continue;
        int pair[2];
        pair_make(pair);
        send_peer(member, other, pair[0]);
        send_peer(other, member, pair[1]);
    }
}

void member_send_drain(struct member *member)
{
    struct buffer *out = channel_begin(member->channel, MASTER_DRAIN, 0);
    put_u8(out, member->table->drain.is_on);
    put_text(out, text_of(member->table->drain.to));
    channel_end(member->channel);
}

static bool member_frame(void *context, struct frame *frame);
static void member_closed(void *context);

void member_start(struct member *member)
{
    static const struct channel_events events = { member_frame, member_closed };
    struct loop *loop = member->table->start.loop;
    int pair[2];
    pair_make(pair);
    log_flush();
    pid_t pid = fork();
    if (pid < 0) die_errno("fork");
    if (pid == 0) become(member, pair[1]);
    close(pair[1]);
    member->pid = pid;
    member->state = MEMBER_STARTING;
    member->hang = (struct hang){ 0 };
    member->log.seen = 0;
    member->is_heard = true;
    member->waits_disk = false;
    member->has_reloaded = true; /* it begins with the configuration that is in force */
    member->started_ms = loop_now_ms(loop);
    member->started_wall_ms = loop_wall_ms(loop);
    member->channel = channel_open(loop, pair[0], &events, member);
    member_send_config(member, 0);
    send_maps(member);
    member_send_list_files(member);
    send_folders(member);
    member_send_listeners(member);
    join_peers(member);
    if (member->table->drain.is_on) member_send_drain(member);
    channel_send(member->channel, MASTER_START, 0, TEXT_NONE);
}

/* When every process that is ready has the new configuration in force. */
static void reload_end(struct process_table *table)
{
    if (!table->reload.on_done) return;
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].state == MEMBER_READY && !table->members[i].has_reloaded) return;
    timer_clear(table->reload.timer);
    void (*on_done)(void *, const char *) = table->reload.on_done;
    table->reload.on_done = NULL;
    on_done(table->reload.context, NULL);
}

static void became_ready(struct member *member)
{
    struct process_table *table = member->table;
    log_info("%s %u is ready (pid %d)", process_name(member->part->kind), member->index, (int)member->pid);
    member->state = MEMBER_READY;
    heartbeat_heard(member);
    reload_end(table);
    if (table->was_ready || !process_table_is_ready(table)) return;
    table->was_ready = true;
    heartbeat_write(table);
    table->start.on_ready(table->start.context);
}

static void reloaded(struct member *member, uint64_t round)
{
    struct process_table *table = member->table;
    if (round != table->reload.round) return;
    member->has_reloaded = true;
    reload_end(table);
}

static bool member_frame(void *context, struct frame *frame)
{
    struct member *member = CONTEXT(context, struct member, MEMBER_MAGIC);
    switch (frame->type) {
    case MASTER_READY:
        became_ready(member);
        return true;
    case MASTER_RELOADED:
        reloaded(member, frame->id);
        return true;
    case MASTER_HEALTH_REPLY:
        return heartbeat_answered(member, frame);
    case MASTER_BEAT:
        heartbeat_heard(member);
        return true;
    case MASTER_HANGS:
        return heartbeat_hangs(member, frame);
    case MASTER_STATUS_REPLY:
        if (frame->id == member->table->status.round) status_answered(member, frame->payload);
        return true;
    default:
        return false;
    }
}

/* The process closed its end: it is ending, or it broke the protocol and has to. SIGCHLD does the rest. */
static void member_closed(void *context)
{
    struct member *member = CONTEXT(context, struct member, MEMBER_MAGIC);
    channel_close(member->channel);
    member->channel = NULL;
    if (member->pid > 0 && member->state != MEMBER_STOPPING) timer_set(member->kill, 2000);
}
