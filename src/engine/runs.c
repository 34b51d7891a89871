/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A run waits for a room, is run, and ends with its keeper, whom everything that the command started has
   ended before: then the room is quiet. Called by main.c. */
#include "engine/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/log.h"
#include "engine/keeper.h"
#include "engine/verdict.h"
#include "ipc/ask_consult.h"
#include "ipc/ask_engine.h"
#include "judge/engine_answer.h"

enum {
    WAITING_MOST = 64, /* runs without a room: while others end */
    READ_BYTES = 16 * 1024,
    READS_MOST = 8, /* of one turn, and of what is left at the end: a pipe holds 64 KiB */
    LINES_AT_ONCE = 5,
    LATER_MS = 1000, /* than consult stops it */
};

struct run {
    enum { RUN_MAGIC = 0x2c9d71f5 } magic;
    TAILQ_ENTRY(run) line;
    struct runs *runs;
    struct command *command;
    uint64_t id, began_ms;
    struct body body;
    int room; /* its place among the rooms; -1: it waits for one */
    pid_t keeper;
    int output, report; /* reading ends of pipes: what the command says, what the keeper does */
    struct watch *keeper_watch, *output_watch;
    struct timer *limit;
    struct buffer said;
    bool is_stopped; /* nobody waits for it any more */
    bool is_late;
};

struct runs {
    enum { RUNS_MAGIC = 0x1e0b64a7 } magic;
    struct child *child;
    struct command_set *set;
    struct channel *consult; /* NULL: none is there */
    const char *const *rooms;
    bool *is_taken; /* by room */
    size_t room_count;
    const char *trouble;
    TAILQ_HEAD(run_line, run) line;
    uint32_t waiting;
    struct allowance deaths;
};

/* --- answers --- */

static void answer_send(struct runs *runs, uint64_t id, enum scan_state state, struct text name)
{
    struct buffer bytes = { 0 };
    if (!runs->consult) return;
    engine_answer_put(&(struct engine_answer){ .state = state, .name = name }, &bytes);
    channel_send(runs->consult, ENGINE_ANSWER, id, buffer_text(&bytes));
    buffer_free(&bytes);
}

static void death_send(struct run *run, const char *why)
{
    struct runs *runs = run->runs;
    run->command->died++;
    if (log_has_room(&runs->deaths, LINES_AT_ONCE, 1, loop_now_ms(runs->child->loop), LOG_LEVEL_WARNING,
                     "%llu commands more were ended by signals or not started"))
        log_warning("engine %.*s: %s", TEXT_ARG(run->command->engine->name), why);
    if (!runs->consult) return;
    put_text(channel_begin(runs->consult, ENGINE_DIED, run->id), text_of(why));
    channel_end(runs->consult);
}

static void signal_answer(struct run *run, int number)
{
    char why[ENGINE_WORDS_MOST];
    snprintf(why, sizeof why, "it was ended by signal %d (%s)", number, strsignal(number));
    death_send(run, why);
}

static void start_answer(struct run *run, int error)
{
    char why[ENGINE_WORDS_MOST];
    snprintf(why, sizeof why, "it cannot be started: %s", strerror(error));
    run->command->failed++;
    log_error("engine %.*s: %s", TEXT_ARG(run->command->engine->name), why);
    answer_send(run->runs, run->id, SCAN_UNSCANNED, text_of(why));
}

static void exit_answer(struct run *run, uint32_t status)
{
    struct command *command = run->command;
    struct buffer name = { 0 };
    enum scan_state state = verdict_of(command->engine, command->has_pattern ? &command->pattern : NULL,
                                       status, buffer_text(&run->said), &name);
    command->clean += state == SCAN_CLEAN;
    command->found += state == SCAN_FOUND;
    command->failed += state == SCAN_UNSCANNED;
    answer_send(run->runs, run->id, state, buffer_text(&name));
    buffer_free(&name);
}

/* --- the end --- */

static void run_free(struct run *run)
{
    struct runs *runs = run->runs;
    TAILQ_REMOVE(&runs->line, run, line);
    if (run->room < 0) runs->waiting--;
    if (run->room >= 0) runs->is_taken[run->room] = false;
    watch_free(run->keeper_watch);
    watch_free(run->output_watch);
    timer_free(run->limit);
    if (run->report >= 0) close(run->report);
    body_free(&run->body);
    buffer_free(&run->said);
    free(run);
}

static void output_read(struct run *run)
{
    char bytes[READ_BYTES];
    for (int i = 0; i < READS_MOST && run->output_watch; i++) {
        ssize_t got = read(run->output, bytes, sizeof bytes);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        size_t room = VERDICT_OUTPUT_MOST - buffer_length(&run->said);
        if (got > 0) {
            buffer_add_text(&run->said, text_slice(text_from(bytes, (size_t)got), 0, room));
            continue;
        }
        watch_free(run->output_watch);
        run->output_watch = NULL;
    }
}

static void output_is_ready(void *context, int what)
{
    output_read(CONTEXT(context, struct run, RUN_MAGIC));
}

static void end_answer(struct run *run)
{
    struct keeper_report report;
    ssize_t got = read(run->report, &report, sizeof report);
    run->command->late += run->is_late;
    if (run->is_stopped) {
        run->command->stopped++;
    } else if (run->is_late) {
        answer_send(run->runs, run->id, SCAN_UNSCANNED, TEXT("no answer in time"));
    } else if (got != (ssize_t)sizeof report) {
        death_send(run, "it was killed");
    } else if (report.outcome == KEEPER_FAILED) {
        start_answer(run, (int)report.number);
    } else if (report.outcome == KEEPER_KILLED) {
        signal_answer(run, (int)report.number);
    } else {
        exit_answer(run, report.number);
    }
}

static void line_look(struct runs *runs);

static void keeper_ended(void *context, int what)
{
    struct run *run = CONTEXT(context, struct run, RUN_MAGIC);
    struct runs *runs = run->runs;
    while (waitpid(run->keeper, NULL, 0) < 0 && errno == EINTR) continue;
    output_read(run);
    run->command->running--;
    end_answer(run);
    run_free(run);
    line_look(runs);
}

static void limit_is_over(void *context)
{
    struct run *run = CONTEXT(context, struct run, RUN_MAGIC);
    run->is_late = true;
    kill(run->keeper, SIGKILL);
}

static void run_stop(struct run *run)
{
    run->is_stopped = true;
    if (run->room >= 0)
        kill(run->keeper, SIGKILL);
    else
        run_free(run);
}

static void runs_stop(struct runs *runs)
{
    for (struct run *next, *run = TAILQ_FIRST(&runs->line); run; run = next) {
        next = TAILQ_NEXT(run, line);
        run_stop(run);
    }
}

/* --- the start --- */

static void run_watch(struct run *run, int keeper_fd, int output)
{
    struct loop *loop = run->runs->child->loop;
    run->output = output;
    run->keeper_watch = watch_new(loop, keeper_fd, keeper_ended, run);
    run->output_watch = watch_new(loop, output, output_is_ready, run);
    run->limit = timer_new(loop, limit_is_over, run);
    watch_set(run->keeper_watch, WATCH_READ);
    watch_set(run->output_watch, WATCH_READ);
    timer_set(run->limit, run->command->engine->time_ms + LATER_MS);
}

/* A descriptor of the keeper, which is this process's child; -1 with errno: nothing is left of it. */
static int keeper_start(struct run *run, int output, int report)
{
    struct runs *runs = run->runs;
    const struct command *command = run->command;
    log_flush();
    run->keeper = keeper_fork(
        &(struct keeper_order){ .arguments = command->arguments,
                                .paths = runs->child->config->processes.jail ? &command->paths : NULL,
                                .scratch = runs->rooms[run->room],
                                .bytes = buffer_text(&run->body.small),
                                .body = run->body.fd > 0 ? run->body.fd : -1,
                                .is_sealed = run->body.is_sealed,
                                .size = run->body.size,
                                .seconds = command->engine->time_ms / 1000 + 1,
                                .output = output,
                                .report = report });
    int fd = run->keeper < 0 ? -1 : (int)syscall(SYS_pidfd_open, run->keeper, 0);
    if (run->keeper < 0 || fd >= 0) return fd;
    int error = errno;
    kill(run->keeper, SIGKILL);
    while (waitpid(run->keeper, NULL, 0) < 0 && errno == EINTR) continue;
    errno = error;
    return -1;
}

/* False with errno: it could not be started. */
static bool run_start(struct run *run)
{
    int output[2] = { -1, -1 }, report[2] = { -1, -1 }, keeper = -1;
    if (pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(report, O_CLOEXEC | O_NONBLOCK) == 0) {
        fcntl(output[1], F_SETFL, 0); /* the command's end waits as any pipe does */
        keeper = keeper_start(run, output[1], report[1]);
    }
    int error = errno;
    if (output[1] >= 0) close(output[1]);
    if (report[1] >= 0) close(report[1]);
    run->report = report[0];
    if (keeper >= 0) run_watch(run, keeper, output[0]);
    if (keeper < 0 && output[0] >= 0) close(output[0]);
    errno = error;
    return keeper >= 0;
}

static int room_take(struct runs *runs)
{
    for (size_t i = 0; i < runs->room_count; i++) {
        if (runs->is_taken[i]) continue;
        runs->is_taken[i] = true;
        return (int)i;
    }
    return -1;
}

/* Takes a room for it. False: there is none, and it waits. */
static bool run_begin(struct run *run)
{
    struct runs *runs = run->runs;
    run->room = room_take(runs);
    if (run->room < 0) return false;
    runs->waiting--;
    run->began_ms = loop_now_ms(runs->child->loop);
    if (run_start(run)) {
        run->command->run++;
        run->command->running++;
    } else {
        start_answer(run, errno);
        run_free(run);
    }
    return true;
}

static void line_look(struct runs *runs)
{
    for (struct run *next, *run = TAILQ_FIRST(&runs->line); run && runs->waiting > 0; run = next) {
        next = TAILQ_NEXT(run, line);
        if (run->room < 0 && !run_begin(run)) return;
    }
}

/* Takes over the body. */
static void run_add(struct runs *runs, struct command *command, uint64_t id, struct body *body)
{
    struct run *run = memory_alloc(sizeof *run);
    *run = (struct run){ .magic = RUN_MAGIC,
                         .runs = runs,
                         .command = command,
                         .id = id,
                         .body = *body,
                         .room = -1,
                         .output = -1,
                         .report = -1 };
    body_keep(&run->body);
    TAILQ_INSERT_TAIL(&runs->line, run, line);
    runs->waiting++;
    line_look(runs);
}

/* --- consult --- */

static bool run_take(struct runs *runs, struct frame *frame)
{
    struct text name;
    struct body body;
    if (!consult_look_get(frame, &name, &body)) return false;
    struct command *command = command_set_find(runs->set, name);
    const char *why = runs->trouble                   ? runs->trouble
                      : !command                      ? "no command has this name"
                      : body.is_lost                  ? "there was no room for the message"
                      : runs->waiting >= WAITING_MOST ? "too many messages wait for it"
                                                      : NULL;
    if (!why) {
        run_add(runs, command, frame->id, &body);
    } else {
        body_free(&body);
        answer_send(runs, frame->id, SCAN_UNSCANNED, text_of(why));
    }
    return true;
}

static bool consult_frame(void *context, struct frame *frame)
{
    struct runs *runs = CONTEXT(context, struct runs, RUNS_MAGIC);
    struct run *run;
    if (frame->type == ENGINE_RUN) return run_take(runs, frame);
    if (frame->type != ENGINE_STOP || frame->payload.length > 0) return false;
    TAILQ_FOREACH(run, &runs->line, line)
        if (run->id == frame->id && !run->is_stopped) break;
    if (run) run_stop(run);
    return true;
}

static void consult_gone(void *context)
{
    struct runs *runs = CONTEXT(context, struct runs, RUNS_MAGIC);
    channel_close(runs->consult);
    runs->consult = NULL;
    runs_stop(runs);
}

void runs_connect(struct runs *runs, int fd)
{
    static const struct channel_events events = { consult_frame, consult_gone };
    if (runs->consult) consult_gone(runs);
    runs->consult = channel_open(runs->child->loop, fd, &events, runs);
}

struct runs *runs_new(struct child *child, struct command_set *set, const char *const *rooms,
                      size_t room_count, const char *trouble)
{
    struct runs *runs = memory_alloc(sizeof *runs);
    *runs = (struct runs){ .magic = RUNS_MAGIC,
                           .child = child,
                           .set = set,
                           .rooms = rooms,
                           .is_taken = memory_alloc(room_count * sizeof(bool)),
                           .room_count = room_count,
                           .trouble = trouble };
    TAILQ_INIT(&runs->line);
    return runs;
}

/* --- status --- */

static void command_status(const struct command *command, struct buffer *out)
{
    char name[300];
    snprintf(name, sizeof name, "command %.*s", TEXT_ARG(command->engine->name));
    child_status_add(out, name,
                     "running %" PRIu32 ", run %" PRIu64 ", clean %" PRIu64 ", found %" PRIu64
                     ", failed %" PRIu64 ", died %" PRIu64 ", late %" PRIu64 ", stopped %" PRIu64,
                     command->running, command->run, command->clean, command->found, command->failed,
                     command->died, command->late, command->stopped);
}

/* "process 4711": "second, 1.3 s". */
static void run_status(const struct run *run, struct buffer *out)
{
    char name[40];
    if (run->room < 0) return;
    snprintf(name, sizeof name, "process %d", (int)run->keeper);
    uint64_t took_ms = loop_now_ms(run->runs->child->loop) - run->began_ms;
    child_status_add(out, name, "%.*s, %.1f s", TEXT_ARG(run->command->engine->name), (double)took_ms / 1000);
}

void runs_status(const struct runs *runs, struct buffer *out)
{
    const struct run *run;
    uint64_t count = 0;
    uint32_t running = 0;
    for (size_t i = 0; i < runs->set->count; i++) {
        count += runs->set->items[i].run;
        running += runs->set->items[i].running;
        command_status(&runs->set->items[i], out);
    }
    child_status_add(out, "commands run", "%" PRIu64, count);
    child_status_add(out, "running", "%" PRIu32, running);
    if (runs->trouble) child_status_add(out, "trouble", "%s", runs->trouble);
    TAILQ_FOREACH(run, &runs->line, line) run_status(run, out);
}
