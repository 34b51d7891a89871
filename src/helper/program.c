/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Starts, listens, waits, kills. What it says goes to the log line by line, up to a limit; what is beyond is
   read all the same, so that it never waits for us. */
#include "helper/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "config/executable.h"

enum {
    LINE_MOST = 500, /* bytes; longer ones are broken */
    LINES_MOST = 40,
    READ_BYTES = 16 * 1024,
    READS_MOST = 8, /* of one turn, and of what is left at the end: a pipe holds 64 KiB */
    EXIT_NOT_EXECUTED = 127
};

struct program {
    enum { PROGRAM_MAGIC = 0x63f2029b } magic;
    struct loop *loop;
    const char *name;
    void (*said)(void *context, struct text line);
    void (*ended)(void *context, const struct program_end *end);
    void *context;
    pid_t pid;
    int process, output; /* a descriptor of the process; what it says */
    struct watch *process_watch, *output_watch;
    struct timer *limit;
    uint64_t began_ms, ends_ms;
    bool is_late;
    struct buffer line; /* begun */
    unsigned lines;
    uint64_t unsaid; /* bytes that are not in the log */
};

/* --- what it says --- */

static void line_tell(struct program *program)
{
    log_info("%s (pid %d): %.*s", program->name, (int)program->pid, TEXT_ARG(buffer_text(&program->line)));
    if (program->said) program->said(program->context, buffer_text(&program->line));
    buffer_clear(&program->line);
    program->lines++;
}

static void output_take(struct program *program, struct text bytes)
{
    while (bytes.length > 0 && program->lines < LINES_MOST) {
        size_t room = LINE_MOST - buffer_length(&program->line), end = text_find_char(bytes, '\n');
        size_t taken = end < room ? end : room;
        buffer_add_text(&program->line, text_slice(bytes, 0, taken));
        bool is_line = end <= room && end < bytes.length;
        bytes = text_slice(bytes, taken + is_line, bytes.length);
        if (is_line || buffer_length(&program->line) == LINE_MOST) line_tell(program);
    }
    program->unsaid += bytes.length;
}

/* Ends with what is there: somebody else may keep the other end open for ever. */
static void output_read(struct program *program)
{
    char room[READ_BYTES];
    for (int i = 0; i < READS_MOST && program->output_watch; i++) {
        ssize_t got = read(program->output, room, sizeof room);
        if (got > 0) {
            output_take(program, text_from(room, (size_t)got));
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        watch_free(program->output_watch);
        program->output_watch = NULL;
    }
}

static void output_is_ready(void *context, int what)
{
    output_read(CONTEXT(context, struct program, PROGRAM_MAGIC));
}

/* --- the end --- */

static void group_kill(const struct program *program)
{
    kill(-program->pid, SIGKILL);
    kill(program->pid, SIGKILL);
}

static void limit_is_over(void *context)
{
    struct program *program = CONTEXT(context, struct program, PROGRAM_MAGIC);
    program->is_late = true;
    group_kill(program);
}

static struct program_end end_of(const struct program *program, int status)
{
    struct program_end end = { .took_ms = loop_now_ms(program->loop) - program->began_ms };
    if (program->is_late) {
        end.outcome = PROGRAM_LATE;
    } else if (WIFSIGNALED(status)) {
        end.outcome = PROGRAM_KILLED;
        end.number = (uint32_t)WTERMSIG(status);
    } else {
        end.outcome = PROGRAM_EXITED;
        end.number = (uint32_t)WEXITSTATUS(status);
    }
    return end;
}

static void end_log(const struct program *program, const struct program_end *end)
{
    struct buffer says = { 0 };
    program_end_say(end, &says);
    if (program->unsaid)
        log_warning("%s (pid %d): %" PRIu64 " bytes more of what it said are left out", program->name,
                    (int)program->pid, program->unsaid);
    log_line(program_end_is_good(end) ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "%s (pid %d) %.*s", program->name,
             (int)program->pid, TEXT_ARG(buffer_text(&says)));
    buffer_free(&says);
}

static void program_free(struct program *program)
{
    watch_free(program->process_watch);
    watch_free(program->output_watch);
    timer_free(program->limit);
    buffer_free(&program->line);
    free(program);
}

/* The group is killed before its leader is waited for: until then nobody else can get its number. */
static void process_ended(void *context, int what)
{
    struct program *program = CONTEXT(context, struct program, PROGRAM_MAGIC);
    int status = 0;
    kill(-program->pid, SIGKILL);
    while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR) continue;
    output_read(program);
    if (buffer_length(&program->line)) line_tell(program);
    struct program_end end = end_of(program, status);
    end_log(program, &end);
    void (*ended)(void *, const struct program_end *) = program->ended;
    void *whom = program->context;
    program_free(program);
    ended(whom, &end);
}

void program_hurry(struct program *program, uint64_t within_ms)
{
    uint64_t ends = loop_now_ms(program->loop) + within_ms;
    if (ends >= program->ends_ms) return;
    program->ends_ms = ends;
    timer_clear(program->limit);
    timer_set(program->limit, within_ms);
}

/* --- the start --- */

static int input_make(struct text input)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) return -1;
    if (file_write_all(fd, input) && lseek(fd, 0, SEEK_SET) == 0) return fd;
    close(fd);
    return -1;
}

static char **arguments_of(const struct text_list *command)
{
    char **arguments = memory_alloc((command->count + 1) * sizeof *arguments);
    for (size_t i = 0; i < command->count; i++) arguments[i] = memory_string(command->items[i]);
    return arguments;
}

static void arguments_free(char **arguments)
{
    for (char **at = arguments; *at; at++) free(*at);
    free(arguments);
}

/* In the child: nothing of ours goes over but these three descriptors. It does not outlive helper, which
   could kill it no more and would run it again. */
static _Noreturn void become(const struct program_order *order, char *const *arguments, int input, int output,
                             pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EXIT_NOT_EXECUTED);
    signals_default();
    setsid();
    bool is_ready = chdir("/") == 0 && dup2(input, STDIN_FILENO) == STDIN_FILENO &&
                    dup2(output, STDOUT_FILENO) == STDOUT_FILENO &&
                    dup2(output, STDERR_FILENO) == STDERR_FILENO &&
                    close_range(STDERR_FILENO + 1, ~0u, 0) == 0;
    bool is_jailed = is_ready && (!order->paths || jail_enter_program(order->paths));
    if (is_jailed) execve(arguments[0], arguments, order->environment);
    dprintf(STDERR_FILENO, "%s cannot be executed: %m\n", arguments[0]);
    _exit(EXIT_NOT_EXECUTED);
}

static pid_t launch(const struct program_order *order, int input, int output)
{
    char **arguments = arguments_of(order->command);
    log_flush();
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become(order, arguments, input, output, parent);
    arguments_free(arguments);
    return pid;
}

static struct program *program_watch(struct loop *loop, const struct program_order *order, pid_t pid,
                                     int process, int output)
{
    struct program *program = memory_alloc(sizeof *program);
    *program = (struct program){ .magic = PROGRAM_MAGIC,
                                 .loop = loop,
                                 .name = order->name,
                                 .said = order->said,
                                 .ended = order->ended,
                                 .context = order->context,
                                 .pid = pid,
                                 .process = process,
                                 .output = output,
                                 .began_ms = loop_now_ms(loop),
                                 .ends_ms = loop_now_ms(loop) + order->limit_ms };
    program->process_watch = watch_new(loop, process, process_ended, program);
    program->output_watch = watch_new(loop, output, output_is_ready, program);
    program->limit = timer_new(loop, limit_is_over, program);
    watch_set(program->process_watch, WATCH_READ);
    watch_set(program->output_watch, WATCH_READ);
    timer_set(program->limit, order->limit_ms);
    return program;
}

static struct program *refuse(const struct program_order *order, const char *why)
{
    log_error("%s: %.*s: %s", order->name, TEXT_ARG(order->command->items[0]), why);
    return NULL;
}

/* A descriptor of the process; -1: it could not be started, and nothing is left of it. */
static int launch_watched(const struct program_order *order, int input, int output, pid_t *out_pid)
{
    pid_t pid = *out_pid = launch(order, input, output);
    int process = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid < 0 || process >= 0) return process;
    int error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    errno = error;
    return -1;
}

/* Whatever is lacking (descriptors, processes, memory) lacks for this one; the next may run. */
struct program *program_start(struct loop *loop, const struct program_order *order)
{
    int output[2] = { -1, -1 }, input = -1, process = -1;
    pid_t pid;
    const char *why = executable_trouble(order->command);
    if (why) return refuse(order, why);
    input = input_make(order->input);
    if (input >= 0 && pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0) {
        fcntl(output[1], F_SETFL, 0); /* the program's end waits as any pipe does */
        process = launch_watched(order, input, output[1], &pid);
    }
    if (process < 0) why = strerror(errno);
    if (input >= 0) close(input);
    if (output[1] >= 0) close(output[1]);
    if (process >= 0) return program_watch(loop, order, pid, process, output[0]);
    if (output[0] >= 0) close(output[0]);
    return refuse(order, why);
}
