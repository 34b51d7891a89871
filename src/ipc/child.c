/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The life of a process under master: what it was given, the control channel, reload and stop. */
#include "ipc/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/beat.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "config/bundle.h"
#include "config/load.h"
#include "config/value.h"

enum { CONTROL_FD = 3, START_TIMEOUT_MS = 60000 };

enum given_kind { GIVEN_MAP, GIVEN_FOLDER, GIVEN_LISTENER, GIVEN_PEER };

struct given {
    STAILQ_ENTRY(given) line;
    enum given_kind kind;
    char name[32];
    uint16_t number; /* slot, listener index or peer index */
    enum process_kind peer;
    int fd;
};

/* The mapping lives as long as the configuration: its file contents are borrowed from it. A reload therefore
   leaves one small mapping behind; reloads are rare. */
static struct config *config_take(struct frame *frame)
{
    int fd = frame_take_fd(frame, 0);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0 || facts.st_size <= 0) die("master sent no configuration");
    void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) die_errno("the configuration cannot be mapped");
    close(fd);
    char error[200] = "";
    struct config *config = config_bundle_read(text_from(map, (size_t)facts.st_size), error, sizeof error);
    if (!config) die("the configuration from master: %s", error);
    return config;
}

static struct given *given_add(struct child *child, enum given_kind kind, struct frame *frame)
{
    struct given *given = memory_alloc(sizeof *given);
    given->kind = kind;
    given->fd = frame_take_fd(frame, 0);
    STAILQ_INSERT_TAIL(&child->given, given, line);
    return given;
}

/* Master names the folder by a descriptor that opens nothing; this process' user opens it. */
static void folder_open(struct given *given)
{
    int fd = given->fd < 0 ? -1 : openat(given->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) die_errno("the folder %s cannot be opened", given->name);
    close(given->fd);
    given->fd = fd;
}

static bool given_take(struct child *child, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct given *given;
    struct text name = TEXT_NONE;
    switch (frame->type) {
    case MASTER_LISTENER:
        given = given_add(child, GIVEN_LISTENER, frame);
        break;
    case MASTER_PEER:
        given = given_add(child, GIVEN_PEER, frame);
        given->peer = get_u8(&reader);
        break;
    case MASTER_MAP:
        given = given_add(child, GIVEN_MAP, frame);
        name = get_text(&reader);
        break;
    case MASTER_FOLDER:
        given = given_add(child, GIVEN_FOLDER, frame);
        name = get_text(&reader);
        break;
    default:
        return false;
    }
    snprintf(given->name, sizeof given->name, "%.*s", TEXT_ARG(name));
    if (frame->type != MASTER_FOLDER)
        given->number = get_u16(&reader);
    else
        folder_open(given);
    return reader_done(&reader) && given->fd >= 0;
}

static void log_start(const struct child *child)
{
    const struct config *config = child->config;
    char *address = config->log.address.length ? memory_string(config->log.address) : NULL;
    log_open(process_name(child->kind), config->log.target, address, config->log.level);
    free(address);
}

static void identify(struct child *child, enum process_kind kind, int argc, char **argv)
{
    uint64_t index = 0;
    child->kind = kind;
    struct stat facts;
    bool is_called_right = argc == 3 && text_equal(text_of(argv[1]), text_of(process_name(kind))) &&
                           text_to_number(text_of(argv[2]), 63, &index);
    if (!is_called_right || fstat(CONTROL_FD, &facts) != 0 || !S_ISSOCK(facts.st_mode)) {
        fprintf(stderr, "%s: a part of sekimorid, which starts it; it cannot be run by hand\n", argv[0]);
        exit(EX_USAGE);
    }
    child->index = (uint16_t)index;
}

/* As many as we may have: each connection is one, and each large body. */
static void descriptors_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static bool drain_take(struct child *child, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    child->is_draining = get_u8(&reader) != 0;
    struct text to = get_text(&reader);
    child->drain_to = (struct endpoint){ 0 };
    return reader_done(&reader) && (to.length == 0 || value_endpoint_parse(to, 0, &child->drain_to));
}

void child_start(struct child *child, enum process_kind kind, int argc, char **argv)
{
    *child = (struct child){ 0 };
    STAILQ_INIT(&child->given);
    identify(child, kind, argc, argv);
    log_open(process_name(kind), LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    descriptors_raise();
    tzset(); /* reads a file, which the jail will not let */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (;;) {
        struct frame frame;
        if (!channel_wait(CONTROL_FD, START_TIMEOUT_MS, &frame)) die("master does not speak");
        if (frame.type == MASTER_START) break;
        if (frame.type == MASTER_CONFIG)
            child->config = config_take(&frame);
        else if (!(frame.type == MASTER_DRAIN && drain_take(child, &frame)) && !given_take(child, &frame))
            die("master sent a frame of type %u that makes no sense", frame.type);
    }
    if (!child->config) die("master sent no configuration");
    log_start(child);
    child->loop = loop_new();
}

static struct given *given_find(const struct child *child, enum given_kind kind, const char *name,
                                unsigned nth)
{
    struct given *given;
    STAILQ_FOREACH(given, &child->given, line)
        if (given->kind == kind && strcmp(given->name, name) == 0 && nth-- == 0) return given;
    return NULL;
}

int child_map_nth(const struct child *child, const char *name, unsigned number, uint16_t *out_slot)
{
    const struct given *given = given_find(child, GIVEN_MAP, name, number);
    if (given && out_slot) *out_slot = given->number;
    return given ? given->fd : -1;
}

int child_map_fd(const struct child *child, const char *name, uint16_t *out_slot)
{
    return child_map_nth(child, name, 0, out_slot);
}

int child_map_take(struct child *child, const char *name, unsigned number)
{
    struct given *given = given_find(child, GIVEN_MAP, name, number);
    int fd = given ? given->fd : -1;
    if (given) given->fd = -1;
    return fd;
}

int child_map_take_next(struct child *child, const char *name, uint16_t *out_slot)
{
    struct given *given = given_find(child, GIVEN_MAP, name, 0);
    if (!given) return -1;
    int fd = given->fd;
    *out_slot = given->number;
    STAILQ_REMOVE(&child->given, given, given, line);
    free(given);
    return fd;
}

void child_secret_read(struct child *child, const char *name, uint8_t out[CHILD_SECRET_BYTES])
{
    int fd = child_map_take(child, name, 0);
    if (fd < 0 || pread(fd, out, CHILD_SECRET_BYTES, 0) != CHILD_SECRET_BYTES)
        die_errno("the secret \"%s\" of master cannot be read", name);
    close(fd);
}

static void maps_close(struct child *child)
{
    struct given *given;
    STAILQ_FOREACH(given, &child->given, line) {
        if (given->kind != GIVEN_MAP || given->fd < 0) continue;
        close(given->fd);
        given->fd = -1;
    }
}

bool child_jail_paths(struct child *child, int rights, const struct jail_paths *paths)
{
    maps_close(child);
    return !child->config->processes.jail || jail_enter(process_name(child->kind), rights, paths);
}

bool child_jail(struct child *child, int rights, const char *const *folders, const char *const *readable)
{
    return child_jail_paths(child, rights, &(struct jail_paths){ .folders = folders, .readable = readable });
}

int child_folder_fd(const struct child *child, const char *name)
{
    const struct given *given = given_find(child, GIVEN_FOLDER, name, 0);
    return given ? given->fd : -1;
}

int child_listener_take(struct child *child, uint16_t listener_index)
{
    struct given *given;
    STAILQ_FOREACH(given, &child->given, line) {
        if (given->kind != GIVEN_LISTENER || given->number != listener_index) continue;
        int fd = given->fd;
        STAILQ_REMOVE(&child->given, given, given, line);
        free(given);
        return fd;
    }
    return -1;
}

/* --- on the loop --- */

static void config_replace(struct child *child, struct frame *frame)
{
    struct config *old = child->config;
    child->config = config_take(frame);
    log_set_level(child->config->log.level);
    if (child->events->on_config) child->events->on_config(child->context, old);
    config_free(old);
    channel_send(child->master, MASTER_RELOADED, frame->id, TEXT_NONE);
}

static void stop(struct child *child, uint32_t within_ms)
{
    child->is_stopping = true;
    if (child->events->on_stop)
        child->events->on_stop(child->context, within_ms);
    else
        child_exit(child, EX_OK);
}

static void status_tell(struct child *child, uint64_t id)
{
    struct buffer *out = channel_begin(child->master, MASTER_STATUS_REPLY, id);
    if (child->events->on_status) child->events->on_status(child->context, out);
    channel_end(child->master);
}

static void health_tell(struct child *child, uint64_t id)
{
    struct health_facts facts = { 0 };
    if (child->events->on_health) child->events->on_health(child->context, &facts);
    if (child->is_draining) health_know(&facts, HEALTH_DRAINING, 1);
    health_know(&facts, HEALTH_LOG_MISSED, log_missed());
    health_know(&facts, HEALTH_LOG_CUT, !log_is_reached());
    health_facts_put(&facts, channel_begin(child->master, MASTER_HEALTH_REPLY, id));
    channel_end(child->master);
}

void commander_put(const struct commander *commander, struct buffer *out)
{
    put_u32(out, commander->uid);
    put_text(out, commander->user);
    put_u8(out, commander->is_owner);
    put_u8(out, commander->may_operate);
    put_u8(out, commander->may_read_content);
    put_u8(out, commander->may_trace);
}

bool commander_get(struct reader *reader, struct commander *out)
{
    out->uid = get_u32(reader);
    out->user = get_text(reader);
    out->is_owner = get_u8(reader) != 0;
    out->may_operate = get_u8(reader) != 0;
    out->may_read_content = get_u8(reader) != 0;
    out->may_trace = get_u8(reader) != 0;
    return !reader->failed;
}

void master_log_take(enum master_log which, int fd)
{
    if (which == MASTER_LOG_STDERR)
        log_take_stderr(fd);
    else
        log_take_target(fd);
}

static bool log_change(struct child *child, struct frame *frame, struct reader *reader)
{
    enum master_log which = get_u8(reader);
    int fd = frame_take_fd(frame, 0);
    if (reader->failed || which > MASTER_LOG_TARGET || fd < 0) return false;
    if (child->events->on_log) child->events->on_log(child->context, which, fd);
    master_log_take(which, fd);
    return true;
}

static void client_take(struct child *child, struct frame *frame, struct reader *reader)
{
    struct commander commander;
    struct text command = get_text(reader);
    bool is_good = commander_get(reader, &commander);
    int fd = frame_take_fd(frame, 0);
    if (child->events->on_client && is_good && fd >= 0)
        child->events->on_client(child->context, &commander, command, fd);
    else if (fd >= 0)
        close(fd);
}

static void peer_open(struct child *child, enum process_kind kind, uint16_t index, int fd)
{
    const struct child_events *events = child->events;
    log_debug("peer: %s %u", process_name(kind), index);
    for (const struct child_peer *peer = events->peers; peer && peer->open; peer++) {
        if (peer->kind != kind) continue;
        peer->open(child->context, index, fd);
        return;
    }
    if (events->on_peer) {
        events->on_peer(child->context, kind, index, fd);
        return;
    }
    log_error("%s %u: a peer that this process does not know", process_name(kind), index);
    close(fd);
}

static bool master_frame(void *context, struct frame *frame)
{
    struct child *child = CONTEXT(context, struct child, CHILD_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case MASTER_PEER: {
        enum process_kind kind = get_u8(&reader);
        uint16_t index = get_u16(&reader);
        int fd = frame_take_fd(frame, 0);
        if (reader.failed || fd < 0) return false;
        peer_open(child, kind, index, fd);
        return true;
    }
    case MASTER_CONFIG:
        config_replace(child, frame);
        return true;
    case MASTER_STOP:
        stop(child, get_u32(&reader));
        return true;
    case MASTER_STATUS:
        status_tell(child, frame->id);
        return true;
    case MASTER_HEALTH:
        health_tell(child, frame->id);
        return true;
    case MASTER_DRAIN:
        if (!drain_take(child, frame)) return false;
        if (child->events->on_drain) child->events->on_drain(child->context);
        return true;
    case MASTER_LOG:
        return log_change(child, frame, &reader);
    case MASTER_CLIENT:
        client_take(child, frame, &reader);
        return true;
    default:
        return given_take(child, frame); /* a listener that came with a reload */
    }
}

static void master_gone(void *context)
{
    struct child *child = CONTEXT(context, struct child, CHILD_MAGIC);
    if (!child->is_stopping) log_error("master is gone: ending");
    child_exit(child, EX_TEMPFAIL);
}

static void peers_hand_out(struct child *child)
{
    struct given *given;
    STAILQ_FOREACH(given, &child->given, line) {
        if (given->kind != GIVEN_PEER) continue;
        peer_open(child, given->peer, given->number, given->fd);
        given->fd = -1;
    }
}

/* Beside the frames that gather, of which one may be half made. Never waits. */
static void beat_tell(void *context)
{
    struct pollfd room = { CONTROL_FD, POLLOUT, 0 };
    if (poll(&room, 1, 0) == 1) channel_send_now(CONTROL_FD, MASTER_BEAT, 0, TEXT_NONE, NULL, 0);
}

int child_run(struct child *child, const struct child_events *events, void *context)
{
    static const struct channel_events master_events = { master_frame, master_gone };
    child->magic = CHILD_MAGIC;
    child->events = events;
    child->context = context;
    child->master = channel_open(child->loop, CONTROL_FD, &master_events, child);
    beat_open(beat_tell, NULL);
    peers_hand_out(child);
    channel_send(child->master, MASTER_READY, 0, TEXT_NONE);
    loop_run(child->loop);
    log_flush();
    return child->exit_code;
}

void child_exit(struct child *child, int code)
{
    child->exit_code = code;
    loop_stop(child->loop);
}

void child_say(struct channel *asker, struct text bytes)
{
    enum { PART_MOST = 64 * 1024 };
    for (; bytes.length > 0; bytes = text_slice(bytes, PART_MOST, bytes.length)) {
        put_text(channel_begin(asker, MASTER_MORE, 0), text_slice(bytes, 0, PART_MOST));
        channel_end(asker);
    }
}

void child_report_hang(struct child *child, pid_t pid, const char *name)
{
    struct buffer *out = channel_begin(child->master, MASTER_HANGS, 0);
    put_u32(out, (uint32_t)pid);
    put_text(out, text_of(name));
    channel_end(child->master);
}

void child_status_add(struct buffer *out, const char *name, const char *format, ...)
{
    char value[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    put_text(out, text_of(name));
    put_text(out, text_of(value));
}
