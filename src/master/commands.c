/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Takes commands over the control socket, answers them or hands the socket to the process that can. */
#include "master/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/json_text.h"
#include "base/log.h"
#include "ipc/counters.h"
#include "ipc/event.h"
#include "master/own_processes.h"
#include "master/users.h"

struct commands {
    enum { COMMANDS_MAGIC = 0x2d427df9 } magic;
    struct loop *loop;
    const struct state *state;
    struct process_table *table;
    const struct commands_events *events;
    void *context;
    struct acceptor *acceptor;
    int fd;
    const struct config *config;
    char own_name[64]; /* of who started the node */
    struct users *users;
    struct acts *acts;
};

struct commands_client {
    enum { COMMANDS_CLIENT_MAGIC = 0x7dd906b3 } magic;
    struct commands *control;
    struct channel *channel; /* NULL: it has gone, a reply is still expected */
    int fd;                  /* of the channel, to be passed on */
    bool waits;
    struct channel *asked; /* a process that answers to us, since what came of it is to be recorded */
    struct buffer act; /* the command, when it is to be recorded with its reply */
    struct commander commander;
    char user[64];
};

static void client_free(struct commands_client *client)
{
    channel_close(client->channel);
    client->channel = NULL;
    if (client->waits) return;
    channel_close(client->asked);
    buffer_free(&client->act);
    free(client);
}

/* What it came to is the first line of the reply. */
static void act_record(const struct commands_client *client, int code, struct text reply)
{
    struct text rest = buffer_text(&client->act), act, line = TEXT_NONE;
    struct buffer about = { 0 };
    if (code == EX_NOPERM || !text_next_word(&rest, &act)) return;
    text_next_line(&reply, &line);
    buffer_add_text(&about, text_trim(rest));
    buffer_printf(&about, "%s%s%s%.*s", buffer_length(&about) ? ": " : "", code == EX_OK ? "done" : "refused",
                  line.length ? ", " : "", TEXT_ARG(line));
    acts_record(client->control->acts, loop_wall_ms(client->control->loop), &client->commander, act,
                buffer_text(&about));
    buffer_free(&about);
}

void commands_reply(struct commands_client *client, int code, struct text text)
{
    client->waits = false;
    act_record(client, code, text);
    if (client->channel) {
        struct buffer *out = channel_begin(client->channel, MASTER_DONE, 0);
        put_u8(out, (uint8_t)code);
        put_text(out, text_slice(text, 0, FRAME_LIMIT - 64));
        channel_end(client->channel);
    }
    client_free(client);
}

void commands_say(struct commands_client *client, struct text text)
{
    enum { PART_MOST = 64 * 1024 };
    for (; client->channel && text.length > 0; text = text_slice(text, PART_MOST, text.length)) {
        put_text(channel_begin(client->channel, MASTER_MORE, 0), text_slice(text, 0, PART_MOST));
        channel_end(client->channel);
    }
}

static void reply_status(void *context, struct text json)
{
    commands_reply(context, EX_OK, json);
}

static void print_ends(struct buffer *out, const uint64_t ended[8])
{
    for (int i = 1; i < ENDING_COUNT; i++)
        buffer_printf(out, ",\"%s\":%llu", ending_name(i), (unsigned long long)ended[i]);
    buffer_printf(out, ",\"again\":%llu", (unsigned long long)ended[COUNTERS_AGAIN]);
}

/* All pages of receive processes added up; a process that is no longer configured still counts. */
static void print_receive(const struct commands *control, struct buffer *out)
{
    struct receive_counters sum = { 0 };
    uint64_t in_doubt = 0;
    for (uint32_t slot = COUNTERS_SLOT_RECEIVE; slot < COUNTERS_SLOT_CONSULT; slot++) {
        struct counters_slot *page = counters_map(control->state->counters_fd, slot, false);
        if (!page) continue;
        const struct receive_counters *one = &page->receive;
        sum.connections += one->connections;
        sum.messages += one->messages;
        sum.accepted += one->accepted;
        sum.unreplied += one->unreplied;
        sum.discarded += one->discarded;
        sum.refused_5xx += one->refused_5xx;
        sum.refused_4xx += one->refused_4xx;
        sum.tagged += one->tagged;
        sum.quarantined += one->quarantined;
        sum.observed += one->observed;
        sum.scanned += one->scanned;
        sum.infected += one->infected;
        sum.unscanned += one->unscanned;
        sum.relayed += one->relayed;
        sum.messages_relayed += one->messages_relayed;
        sum.refused_content += one->refused_content;
        sum.aborted += one->aborted;
        for (int i = 0; i < COUNTERS_OFFERED_SLOTS; i++)
            if (one->offered[i].id) in_doubt += one->offered[i].recipients;
        counters_unmap(page);
    }
#define NUMBER(field) buffer_printf(out, "\"" #field "\":%llu,", (unsigned long long)sum.field)
    NUMBER(connections);
    NUMBER(messages);
    NUMBER(accepted);
    NUMBER(unreplied);
    NUMBER(discarded);
    NUMBER(refused_5xx);
    NUMBER(refused_4xx);
    NUMBER(tagged);
    NUMBER(quarantined);
    NUMBER(observed);
    NUMBER(scanned);
    NUMBER(infected);
    NUMBER(unscanned);
    NUMBER(relayed);
    NUMBER(messages_relayed);
    NUMBER(refused_content);
    NUMBER(aborted);
#undef NUMBER
    buffer_printf(out, "\"in_doubt\":%llu", (unsigned long long)in_doubt);
}

/* {"epoch_ms":…,"receive":{…},"queue":{…},"baseline":{…}} */
static void print_counters(const struct commands *control, struct buffer *out)
{
    struct counters_slot *base = counters_map(control->state->counters_fd, COUNTERS_SLOT_BASELINE, false);
    struct counters_slot *queue = counters_map(control->state->counters_fd, COUNTERS_SLOT_QUEUE, false);
    if (!base || !queue) die_errno("the counters cannot be mapped");
    buffer_printf(out, "{\"epoch_ms\":%llu,\"receive\":{", (unsigned long long)base->baseline.epoch_ms);
    print_receive(control, out);
    const struct queue_counters *now = &queue->queue;
    buffer_printf(
        out, "},\"queue\":{\"accepted\":%llu,\"own\":%llu,\"live\":%llu,\"held\":%llu,\"messages_live\":%llu",
        (unsigned long long)now->accepted, (unsigned long long)now->own, (unsigned long long)now->live,
        (unsigned long long)now->held, (unsigned long long)now->messages_live);
    print_ends(out, now->ended);
    const struct baseline *then = &base->baseline;
    buffer_printf(out, "},\"baseline\":{\"accepted\":%llu,\"own\":%llu,\"live\":%llu",
                  (unsigned long long)then->accepted, (unsigned long long)then->own,
                  (unsigned long long)then->live);
    print_ends(out, then->ended);
    buffer_add_text(out, TEXT("}}"));
    counters_unmap(base);
    counters_unmap(queue);
}

static void reply_counters(struct commands_client *client)
{
    struct buffer out = { 0 };
    print_counters(client->control, &out);
    commands_reply(client, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

/* The process answers on the client's own socket; master is out of it. */
static void pass_on(struct commands_client *client, enum process_kind kind, struct text command)
{
    int copy = fcntl(client->fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) die_errno("a descriptor cannot be duplicated");
    if (process_table_give_client(client->control->table, kind, &client->commander, command, copy)) {
        client->waits = false;
        client_free(client);
        return;
    }
    close(copy);
    commands_reply(client, EX_TEMPFAIL,
                   TEXT("that process is not running now; it is being restarted: try again"));
}

static bool is_command(struct text command, const char *word)
{
    struct text first, rest = command;
    return text_next_word(&rest, &first) && text_equal(first, text_of(word));
}

/* It changes how the node works, whoever asks for it. */
static bool is_act(struct text command)
{
    static const char *const acts[] = { "reload", "drain", "undrain", "stop" };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (is_command(command, acts[i])) return true;
    return false;
}

/* What became of messages is asked of the process that reads the ledger, why of the one that keeps it. */
static void trace_pass_on(struct commands_client *client, struct text command)
{
    if (client->commander.may_trace)
        pass_on(client, is_command(command, "explain") ? PROCESS_LEDGER : PROCESS_REPORT, command);
    else
        commands_reply(client, EX_NOPERM, TEXT("you may not trace messages here (rights trace)"));
}

/* What was done is recorded without the answer, what was refused with it. */
static bool asked_frame(void *context, struct frame *frame)
{
    struct commands_client *client = CONTEXT(context, struct commands_client, COMMANDS_CLIENT_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct text word, rest = buffer_text(&client->act);
    int code = get_u8(&reader);
    struct text says = get_text(&reader);
    if (frame->type != MASTER_DONE || !reader_done(&reader)) return false;
    if (code == EX_OK) {
        text_next_word(&rest, &word);
        acts_record(client->control->acts, loop_wall_ms(client->control->loop), &client->commander, word,
                    text_trim(rest));
        buffer_clear(&client->act);
    }
    commands_reply(client, code, says);
    return true;
}

static void asked_closed(void *context)
{
    commands_reply(CONTEXT(context, struct commands_client, COMMANDS_CLIENT_MAGIC), EX_TEMPFAIL,
                   TEXT("no answer: that process is being restarted: look what is so, and try again"));
}

/* The process answers to master, which passes its answer on. */
static void ask(struct commands_client *client, enum process_kind kind, struct text command)
{
    static const struct channel_events events = { asked_frame, asked_closed };
    struct commands *control = client->control;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        die_errno("a pair of sockets cannot be made");
    client->asked = channel_open(control->loop, pair[0], &events, client);
    if (process_table_give_client(control->table, kind, &client->commander, command, pair[1])) return;
    close(pair[1]);
    commands_reply(client, EX_TEMPFAIL,
                   TEXT("that process is not running now; it is being restarted: try again"));
}

/* What changes for everybody, or for a sender: who did it, or tried to, is written down. */
static bool is_lookup_act(struct text command)
{
    struct text word = TEXT_NONE, verb = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    if (text_equal(word, TEXT("inside"))) return text_equal(verb, TEXT("release"));
    return text_equal(verb, TEXT("stop")) || text_equal(verb, TEXT("forget"));
}

/* To lookup, which keeps campaigns and senders. */
static void lookup_pass_on(struct commands_client *client, struct text command)
{
    if (!is_lookup_act(command)) {
        pass_on(client, PROCESS_LOOKUP, command);
        return;
    }
    buffer_add_text(&client->act, command);
    ask(client, PROCESS_LOOKUP, command);
}

static void command_do(struct commands_client *client, struct text command)
{
    struct commands *control = client->control;
    client->waits = true;
    if (is_act(command)) buffer_add_text(&client->act, command);
    if (is_command(command, "queue")) {
        pass_on(client, PROCESS_QUEUE, command); /* which looks at both rights */
    } else if (is_command(command, "quarantine")) {
        pass_on(client, PROCESS_LEDGER, command); /* which looks at the rights of each class */
    } else if (is_command(command, "trace") || is_command(command, "stats") ||
               is_command(command, "explain")) {
        trace_pass_on(client, command);
    } else if (!client->commander.may_operate) {
        commands_reply(client, EX_NOPERM, TEXT("you may not operate this node (rights operate)"));
    } else if (is_command(command, "status")) {
        process_table_status(control->table, reply_status, client);
    } else if (is_command(command, "counters")) {
        reply_counters(client);
    } else if (is_command(command, "balance") || is_command(command, "learn") ||
               is_command(command, "model") || is_command(command, "newsletter") ||
               is_command(command, "people") || is_command(command, "allow") ||
               is_command(command, "block")) {
        pass_on(client, PROCESS_LEDGER, command);
    } else if (is_command(command, "report") || is_command(command, "missed") ||
               is_command(command, "digest") || is_command(command, "facts")) {
        pass_on(client, PROCESS_REPORT, command);
    } else if (is_command(command, "callout")) {
        pass_on(client, PROCESS_DELIVER, command);
    } else if (is_command(command, "dns") || is_command(command, "lists")) {
        pass_on(client, PROCESS_LOOKUP, command);
    } else if (is_command(command, "campaign") || is_command(command, "sender") ||
               is_command(command, "inside")) {
        lookup_pass_on(client, command);
    } else if (is_command(command, "reload")) {
        control->events->on_reload(control->context, client);
    } else if (is_command(command, "difference")) {
        control->events->on_difference(control->context, client);
    } else if (is_command(command, "drain") || is_command(command, "undrain")) {
        struct text word, to = TEXT_NONE, rest = command;
        text_next_word(&rest, &word);
        text_next_word(&rest, &to);
        control->events->on_drain(control->context, word.at[0] == 'd', to, client);
    } else if (is_command(command, "stop")) {
        commands_reply(client, EX_OK, TEXT("stopping"));
        control->events->on_stop(control->context);
    } else {
        commands_reply(client, EX_USAGE, TEXT("unknown command"));
    }
}

static bool client_frame(void *context, struct frame *frame)
{
    struct commands_client *client = CONTEXT(context, struct commands_client, COMMANDS_CLIENT_MAGIC);
    struct reader reader = reader_of(frame->payload);
    struct text command = get_text(&reader);
    if (frame->type != MASTER_DO || !reader_done(&reader) || client->waits) return false;
    command_do(client, command);
    return true;
}

static void client_closed(void *context)
{
    client_free(CONTEXT(context, struct commands_client, COMMANDS_CLIENT_MAGIC));
}

static void client_name(const struct commands *control, uid_t uid, char *out, size_t size)
{
    const char *known = uid == 0           ? "root"
                        : uid == geteuid() ? control->own_name
                                           : users_name(control->users, uid);
    if (known)
        snprintf(out, size, "%s", known);
    else
        snprintf(out, size, "%u", (unsigned)uid);
}

/* Root has every right, and so has who started the node. The user whom root made the processes run as has
   none: strangers' mail is read under that id. */
static bool is_owner(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* False: no right at all, as nothing has that the node started itself. */
static bool commander_find(const struct commands *control, int fd, struct commands_client *client)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    client_name(control, peer.uid, client->user, sizeof client->user);
    if (!kinship_is_stranger(fd, peer.pid)) {
        log_error("ALARM: process %d, user %s, is of this node and may not command it", (int)peer.pid,
                  client->user);
        return false;
    }
    bool owns = is_owner(peer.uid);
    client->commander = (struct commander){
        .uid = peer.uid,
        .user = text_of(client->user),
        .is_owner = owns,
        .may_operate = owns || users_has(control->users, &control->config->rights.operate, peer.uid),
        .may_read_content =
            owns || users_has(control->users, &control->config->rights.read_content, peer.uid),
        .may_trace = owns || users_has(control->users, &control->config->rights.trace, peer.uid)
    };
    client->commander.may_trace = client->commander.may_trace || client->commander.may_operate;
    bool may_release = false;
    for (int i = 0; i < HELD_CLASSES; i++)
        may_release =
            may_release || users_has(control->users, &control->config->quarantine.release[i], peer.uid);
    return client->commander.may_operate || client->commander.may_read_content ||
           client->commander.may_trace || may_release;
}

static void client_arrived(void *context, int fd, const struct sockaddr_storage *from)
{
    static const struct channel_events events = { client_frame, client_closed };
    struct commands *control = CONTEXT(context, struct commands, COMMANDS_MAGIC);
    struct commands_client *client = memory_alloc(sizeof *client);
    client->magic = COMMANDS_CLIENT_MAGIC;
    if (!commander_find(control, fd, client)) {
        log_warning("a command of user %s was refused", client->user);
        close(fd);
        free(client);
        return;
    }
    client->control = control;
    client->fd = fd;
    client->channel = channel_open(control->loop, fd, &events, client);
}

void commands_set_config(struct commands *control, const struct config *config)
{
    control->config = config;
    users_set_config(control->users, config);
}

/* The group may reach the socket; who in it may do what is in the configuration. */
static bool socket_give(const struct commands *control, gid_t gid)
{
    int folder = control->state->run_fd;
    return fchmodat(folder, "control", 0660, 0) == 0 &&
           (geteuid() != 0 || fchownat(folder, "control", 0, gid, 0) == 0);
}

/* Asked once, before the loop turns: a name service may let wait. */
static void own_name_find(struct commands *control)
{
    const struct passwd *entry = getpwuid(geteuid());
    if (entry)
        snprintf(control->own_name, sizeof control->own_name, "%s", entry->pw_name);
    else
        snprintf(control->own_name, sizeof control->own_name, "%u", (unsigned)geteuid());
}

struct commands *commands_open(struct loop *loop, const struct state *state,
                               const struct process_table_start *start, struct process_table *table,
                               struct acts *acts, const struct commands_events *events, void *context)
{
    struct commands *control = memory_alloc(sizeof *control);
    *control = (struct commands){ .magic = COMMANDS_MAGIC,
                                  .loop = loop,
                                  .state = state,
                                  .table = table,
                                  .events = events,
                                  .context = context,
                                  .config = start->config,
                                  .acts = acts };
    own_name_find(control);
    control->users = users_open(loop, start->config);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    /* By way of /proc, since a socket's path is limited to 107 bytes and a state folder's is not. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", state->run_fd);
    unlinkat(state->run_fd, "control", 0);
    control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0 || bind(control->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        !socket_give(control, start->users->node.gid) || listen(control->fd, 64) != 0)
        die_errno("the control socket cannot be made");
    control->acceptor = acceptor_new(loop, control->fd, client_arrived, control);
    return control;
}

void commands_close(struct commands *control)
{
    unlinkat(control->state->run_fd, "control", 0);
    acceptor_free(control->acceptor);
    users_close(control->users);
    free(control);
}
