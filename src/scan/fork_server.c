/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Warden and fork server: two small processes that only fork. */
#include "scan/fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "base/sandbox.h"
#include "base/temp_files.h"
#include "config/bundle.h"
#include "config/load.h"
#include "config/signatures.h"
#include "rules/rule_folders.h"
#include "scan/scan_private.h"
#include "scan/worker.h"
#include "spam/base_model.h"
#include "virus/clamav.h"

enum { CHANNEL_FD = 3, LOG_FD = 4, CHILDREN_MOST = 1024, RELOAD_NICE = 10, LARGE_NICE = 10 };

struct nursling {
    pid_t pid; /* 0: free */
    uint64_t number;
};

struct fork_server {
    enum { FORK_SERVER_MAGIC = 0x3fd0f32d } magic;
    struct config *config;
    struct scanner scanner;
    struct nursling children[CHILDREN_MOST];
    struct signatures_watch watch;
    uint64_t next_look_ms; /* monotonic: when signatures are looked at next */
    bool is_reload;
    char error[300];
};

/* The child keeps standard streams and one channel, which becomes descriptor 3, and the log's in 4. It
   does not outlive its parent. */
static void child_begin(int channel, pid_t parent, const char *name)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EX_OK);
    if (channel != CHANNEL_FD && dup2(channel, CHANNEL_FD) != CHANNEL_FD) _exit(EX_OSERR);
    log_become(name, LOG_FD);
    close_range(LOG_FD + 1, ~0U, 0);
    prctl(PR_SET_NAME, name);
}

/* Forks; returns the parent's end of a channel to the child, which goes on with its own as descriptor 3. -1
   when it cannot be done. */
static int fork_with_channel(const char *name, const struct config *config, bool *out_is_child,
                             pid_t *out_pid)
{
    int ends[2];
    *out_is_child = false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    pid_t parent = getpid();
    log_flush();
    *out_pid = fork();
    if (*out_pid == 0) {
        *out_is_child = true;
        child_begin(ends[1], parent, name);
        return CHANNEL_FD;
    }
    close(ends[1]);
    if (*out_pid > 0) return ends[0];
    log_error("%s cannot be forked: %s", name, strerror(errno));
    close(ends[0]);
    return -1;
}

/* Without a descriptor: it could not be forked. */
static void tell_child(uint16_t type, uint64_t id, pid_t pid, int channel)
{
    struct buffer payload = { 0 };
    put_u32(&payload, (uint32_t)pid);
    channel_send_now(CHANNEL_FD, type, id, buffer_text(&payload), &channel, channel >= 0 ? 1 : 0);
    buffer_free(&payload);
}

/* --- a fork server: loading --- */

static struct config *config_of(int memory)
{
    struct stat facts;
    char error[200] = "";
    bool is_sealed = (fcntl(memory, F_GET_SEALS) & CONFIGURATION_SEALS) == CONFIGURATION_SEALS;
    if (!is_sealed || fstat(memory, &facts) != 0 || facts.st_size <= 0)
        die("the nursery got no configuration");
    void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, memory, 0);
    if (map == MAP_FAILED) die_errno("the configuration cannot be mapped");
    struct config *config = config_bundle_read(text_from(map, (size_t)facts.st_size), error, sizeof error);
    if (!config) die("the nursery's configuration: %s", error);
    return config;
}

/* With an engine that does not see its canary the fork server goes on without one. */
static void fork_server_warm_up(struct fork_server *fork_server)
{
    struct scanner *scanner = &fork_server->scanner;
    if (worker_warm_up(scanner, fork_server->error, sizeof fork_server->error)) return;
    scanner->engine->calls->close(scanner->engine);
    scanner->engine = NULL;
    scanner->missing = text_of(fork_server->error);
}

/* Niceness is a thread's own, and an ordinary user cannot take it back: the thread that loads and warms up
   has it, the one that forks workers has not. */
static void *load(void *context)
{
    struct fork_server *fork_server = CONTEXT(context, struct fork_server, FORK_SERVER_MAGIC);
    if (fork_server->is_reload) setpriority(PRIO_PROCESS, 0, RELOAD_NICE);
    fork_server->scanner.engine = clamav_open(fork_server->config, worker_room_bytes(fork_server->config),
                                              fork_server->error, sizeof fork_server->error);
    if (!fork_server->scanner.engine) fork_server->scanner.missing = text_of(fork_server->error);
    fork_server_warm_up(fork_server);
    return NULL;
}

/* Signatures may take minutes to load on a busy machine. */
static void loader_wait(pthread_t loader)
{
    struct timespec until;
    do {
        channel_send_now(CHANNEL_FD, FORK_SERVER_PONG, 0, TEXT_NONE, NULL, 0);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
    } while (pthread_clockjoin_np(loader, NULL, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
}

/* Mail is judged without a model that cannot be had. */
static void base_load(struct fork_server *fork_server)
{
    char path[4096], why[300];
    struct text named = fork_server->config->spam.base_model;
    if (named.length == 0 || named.length >= sizeof path) return;
    snprintf(path, sizeof path, "%.*s", TEXT_ARG(named));
    fork_server->scanner.base = base_model_open(path, why, sizeof why);
    if (!fork_server->scanner.base) log_warning("spam is judged without a base model: %s", why);
}

/* master has looked through the rules: what is wrong with them now is a fault of ours, and mail goes on
 * without. */
static void rules_load(struct fork_server *fork_server)
{
    struct problem_list problems;
    problem_list_start(&problems);
    fork_server->scanner.rules = rule_folders_read(fork_server->config, &problems);
    if (!fork_server->scanner.rules)
        log_warning("spam is judged without rules: %s",
                    problems.errors ? "they have errors" : "there are none where `spam rules` says");
    problem_list_free(&problems);
}

static bool fork_server_load(struct fork_server *fork_server)
{
    pthread_t loader;
    fork_server->scanner.config = fork_server->config;
    base_load(fork_server);
    rules_load(fork_server);
    fork_server->scanner.impostors = impostor_set_new(fork_server->config);
    if (!temporary_prepare(fork_server->error, sizeof fork_server->error)) return false;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of credentials takes it off */
    if (temporary_enter(worker_room_bytes(fork_server->config), fork_server->error,
                        sizeof fork_server->error) < 0)
        return false;
    if (!signatures_are_wanted(fork_server->config)) {
        fork_server_warm_up(fork_server);
        return true;
    }
    fork_server->watch.loaded = fork_server->watch.seen = signatures_on_disk(fork_server->config);
    if (pthread_create(&loader, NULL, load, fork_server) != 0) {
        snprintf(fork_server->error, sizeof fork_server->error, "no thread to load signatures");
        return false;
    }
    loader_wait(loader);
    return true;
}

static void fork_server_tell(const struct fork_server *fork_server)
{
    struct buffer frame = { 0 };
    const struct engine *engine = fork_server->scanner.engine;
    put_text(&frame, engine ? text_of(engine->version) : TEXT_NONE);
    put_u32(&frame, engine ? engine->signatures : 0);
    put_u64(&frame, engine ? (uint64_t)engine->newest_s : 0);
    put_text(&frame, engine ? text_of(engine->lacks) : fork_server->scanner.missing);
    put_text(&frame, engine ? text_of(engine->refused) : TEXT_NONE);
    put_u8(&frame, engine ? (uint8_t)engine->set_count : 0);
    for (uint32_t i = 0; engine && i < engine->set_count; i++) {
        put_text(&frame, text_of(engine->sets[i].name));
        put_text(&frame, text_of(engine->sets[i].version));
        put_u32(&frame, engine->sets[i].signatures);
        put_u64(&frame, (uint64_t)engine->sets[i].newest_s);
        put_u8(&frame, engine->sets[i].is_also);
    }
    channel_send_now(CHANNEL_FD, FORK_SERVER_READY, 0, buffer_text(&frame), NULL, 0);
    buffer_free(&frame);
}

_Noreturn static void fork_server_fail(const char *why)
{
    struct buffer frame = { 0 };
    put_text(&frame, text_of(why));
    channel_send_now(CHANNEL_FD, FORK_SERVER_FAILED, 0, buffer_text(&frame), NULL, 0);
    log_flush();
    exit(EX_TEMPFAIL);
}

/* --- a fork server: forking --- */

static struct nursling *nursling_find(struct fork_server *fork_server, pid_t pid, uint64_t number)
{
    for (int i = 0; i < CHILDREN_MOST; i++)
        if (fork_server->children[i].pid == pid && (pid == 0 || fork_server->children[i].number == number))
            return &fork_server->children[i];
    return NULL;
}

static void worker_fork(struct fork_server *fork_server, uint64_t number, bool is_nice)
{
    bool is_child;
    pid_t pid = 0;
    struct nursling *place = nursling_find(fork_server, 0, 0);
    int channel = place ? fork_with_channel("scan-worker", fork_server->config, &is_child, &pid) : -1;
    if (channel >= 0 && is_child) {
        signal(SIGCHLD, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (is_nice) setpriority(PRIO_PROCESS, 0, LARGE_NICE);
        worker_run(channel, &fork_server->scanner);
    }
    tell_child(FORK_SERVER_WORKER_IS, number, pid, channel);
    if (channel < 0) return;
    close(channel);
    *place = (struct nursling){ pid, number };
}

static void worker_kill(struct fork_server *fork_server, uint64_t number)
{
    for (int i = 0; i < CHILDREN_MOST; i++)
        if (fork_server->children[i].pid != 0 && fork_server->children[i].number == number)
            kill(fork_server->children[i].pid, SIGKILL);
}

static void reap(struct fork_server *fork_server)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < CHILDREN_MOST; i++)
            if (fork_server->children[i].pid == pid) fork_server->children[i].pid = 0;
        if (WIFSIGNALED(status))
            log_warning("worker %d was ended by signal %d (%s)", (int)pid, WTERMSIG(status),
                        strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != EX_OK)
            log_warning("worker %d ended with status %d", (int)pid, WEXITSTATUS(status));
    }
}

static void child_ended(int number)
{
    (void)number; /* it only wakes the wait below */
}

/* Also where nothing could be loaded: what is mended is noticed. */
static void stale_check(struct fork_server *fork_server)
{
    uint64_t now_ms = monotonic_ms();
    if (now_ms < fork_server->next_look_ms || !signatures_are_wanted(fork_server->config)) return;
    fork_server->next_look_ms = now_ms + SIGNATURES_LOOK_MS;
    if (!signatures_watch_turn(&fork_server->watch, signatures_on_disk(fork_server->config))) return;
    channel_send_now(CHANNEL_FD, FORK_SERVER_STALE, 0, TEXT_NONE, NULL, 0);
}

/* False when the dispatcher wants no more of this fork server. */
static bool fork_server_turn(struct fork_server *fork_server, const sigset_t *while_waiting)
{
    struct pollfd wait_for = { CHANNEL_FD, POLLIN, 0 };
    struct timespec poll_time = { 0, SIGNATURES_LOOK_MS * 1000000L };
    struct frame frame;
    int count = ppoll(&wait_for, 1, &poll_time, while_waiting);
    bool is_interrupted = count < 0 && errno == EINTR;
    reap(fork_server);
    stale_check(fork_server);
    if (count <= 0) return count == 0 || is_interrupted;
    if (!channel_wait(CHANNEL_FD, 0, &frame)) return false;
    struct reader reader = reader_of(frame.payload);
    if (frame.type == FORK_SERVER_WORKER) worker_fork(fork_server, frame.id, get_u8(&reader) != 0);
    if (frame.type == FORK_SERVER_KILL) worker_kill(fork_server, frame.id);
    if (frame.type == FORK_SERVER_LOG) scan_log_take(&frame);
    if (frame.type == FORK_SERVER_PING) channel_send_now(CHANNEL_FD, FORK_SERVER_PONG, 0, TEXT_NONE, NULL, 0);
    return true;
}

_Noreturn static void fork_server_run(struct config *config, bool is_reload, const struct worker_pages *pages)
{
    struct fork_server *fork_server = memory_alloc(sizeof *fork_server);
    fork_server->magic = FORK_SERVER_MAGIC;
    fork_server->config = config;
    fork_server->is_reload = is_reload;
    fork_server->scanner.lists = pages->lists;
    fork_server->scanner.approved = pages->approved;
    fork_server->scanner.entries = pages->entries;
    fork_server->scanner.learned = pages->learned;
    fork_server->scanner.campaigns = pages->campaigns;
    struct sigaction on_child = { .sa_handler = child_ended };
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    sigaction(SIGCHLD, &on_child, NULL);
    if (!fork_server_load(fork_server)) fork_server_fail(fork_server->error);
    fork_server_tell(fork_server);
    log_flush();
    while (fork_server_turn(fork_server, &before)) log_flush();
    setpriority(PRIO_PROCESS, 0, RELOAD_NICE); /* giving back a large set takes its time, too */
    exit(EX_OK);
}

/* --- the warden --- */

static void fork_server_fork(struct frame *frame, const struct worker_pages *pages)
{
    struct reader reader = reader_of(frame->payload);
    bool is_child, is_reload = get_u8(&reader) != 0;
    pid_t pid = 0; /* where there is no room for one more */
    int memory = frame_take_fd(frame, 0);
    struct config *config = config_of(memory);
    close(memory);
    int channel = fork_with_channel("scan-nursery", config, &is_child, &pid);
    if (channel >= 0 && is_child) fork_server_run(config, is_reload, pages);
    tell_child(WARDEN_FORK_SERVER_IS, frame->id, pid, channel);
    if (channel >= 0) close(channel);
    config_free(config);
}

/* Its jail is that of all fork servers; each worker closes its own behind itself. */
_Noreturn static void warden_run(const struct config *config, const struct worker_pages *pages)
{
    struct frame frame;
    if (config->processes.jail && !jail_enter("scan warden", JAIL_FORK, NULL)) exit(EX_OSERR);
    signal(SIGCHLD, SIG_IGN); /* the dispatcher hears of a fork server's end by its channel */
    while (channel_wait(CHANNEL_FD, -1, &frame)) {
        if (frame.type == WARDEN_FORK_SERVER) fork_server_fork(&frame, pages);
        if (frame.type == WARDEN_LOG) scan_log_take(&frame);
        if (frame.type == WARDEN_PING) channel_send_now(CHANNEL_FD, WARDEN_PONG, 0, TEXT_NONE, NULL, 0);
        log_flush();
    }
    exit(EX_OK);
}

int fork_server_warden_start(const struct child *child, const struct worker_pages *pages, pid_t *out_pid)
{
    bool is_child;
    int channel = fork_with_channel("scan-warden", child->config, &is_child, out_pid);
    if (channel < 0) die("scan cannot start its warden");
    if (is_child) warden_run(child->config, pages);
    return channel;
}
