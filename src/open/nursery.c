/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by main.c. A reader that ended is told to nobody: its worker sees the channel close. */
#include "open/nursery.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/ask_open.h"
#include "open/reader_life.h"

enum { READERS_MOST = 256, REAP_MS = 200, LINES_AT_ONCE = 5 };

struct reader_place {
    pid_t pid; /* 0: free */
    uint64_t number;
    bool is_ended; /* by us: killed, and to be reaped */
};

struct nursery {
    enum { NURSERY_MAGIC = 0x4c7b60d5 } magic;
    struct child *child;
    struct channel *scan; /* NULL: none is there */
    struct timer *reaping;
    struct reader_place readers[READERS_MOST];
    struct allowance lines;
    const struct jail *jail; /* of readers; NULL: none */
    int nowhere;
    uint32_t count;
    uint64_t forked, died;
};

/* --- ends --- */

static void died_log(struct nursery *nursery, int status)
{
    nursery->died++;
    if (!log_has_room(&nursery->lines, LINES_AT_ONCE, 1, loop_now_ms(nursery->child->loop), LOG_LEVEL_WARNING,
                      "%llu readers more ended by themselves"))
        return;
    if (WIFSIGNALED(status))
        log_warning("a reader was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        log_warning("a reader ended with status %d", WEXITSTATUS(status));
}

static void reap(void *context)
{
    struct nursery *nursery = CONTEXT(context, struct nursery, NURSERY_MAGIC);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int i = 0; i < READERS_MOST; i++) {
            struct reader_place *reader = &nursery->readers[i];
            if (reader->pid != pid) continue;
            bool is_plain = reader->is_ended || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
            if (!is_plain) died_log(nursery, status);
            *reader = (struct reader_place){ 0 };
            nursery->count--;
        }
    if (nursery->count > 0) timer_set(nursery->reaping, REAP_MS);
}

static void reader_end(struct reader_place *reader)
{
    if (reader->pid == 0 || reader->is_ended) return;
    reader->is_ended = true;
    kill(reader->pid, SIGKILL);
}

static void readers_end(struct nursery *nursery, uint64_t number, bool is_all)
{
    for (int i = 0; i < READERS_MOST; i++)
        if (is_all || nursery->readers[i].number == number) reader_end(&nursery->readers[i]);
}

/* --- begins --- */

/* The asker's end of a channel to a new reader; -1: none can be had. */
static int reader_fork(struct nursery *nursery, uint64_t number)
{
    struct reader_place *place = NULL;
    int ends[2];
    for (int i = 0; i < READERS_MOST && !place; i++)
        if (nursery->readers[i].pid == 0) place = &nursery->readers[i];
    if (!place || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    pid_t parent = getpid();
    log_flush();
    pid_t pid = fork();
    if (pid == 0) reader_life_run(ends[1], nursery->nowhere, parent, nursery->child->config, nursery->jail);
    close(ends[1]);
    if (pid < 0) {
        log_error("a reader cannot be forked: %s", strerror(errno));
        close(ends[0]);
        return -1;
    }
    *place = (struct reader_place){ pid, number, false };
    nursery->count++;
    nursery->forked++;
    return ends[0];
}

static bool scan_frame(void *context, struct frame *frame)
{
    struct nursery *nursery = CONTEXT(context, struct nursery, NURSERY_MAGIC);
    if (frame->payload.length > 0) return false;
    reap(nursery);
    if (frame->type == OPEN_END) readers_end(nursery, frame->id, false);
    if (frame->type == OPEN_READER) {
        int fd = reader_fork(nursery, frame->id);
        channel_send_fds(nursery->scan, OPEN_READER_IS, frame->id, TEXT_NONE, &fd, fd >= 0 ? 1 : 0);
    }
    if (nursery->count > 0 && !timer_is_set(nursery->reaping)) timer_set(nursery->reaping, REAP_MS);
    return frame->type == OPEN_END || frame->type == OPEN_READER;
}

static void scan_gone(void *context)
{
    struct nursery *nursery = CONTEXT(context, struct nursery, NURSERY_MAGIC);
    channel_close(nursery->scan);
    nursery->scan = NULL;
    readers_end(nursery, 0, true);
}

void nursery_connect(struct nursery *nursery, int fd)
{
    static const struct channel_events events = { scan_frame, scan_gone };
    if (nursery->scan) scan_gone(nursery);
    nursery->scan = channel_open(nursery->child->loop, fd, &events, nursery);
}

struct nursery *nursery_new(struct child *child, int nowhere, const struct jail *jail)
{
    struct nursery *nursery = memory_alloc(sizeof *nursery);
    nursery->magic = NURSERY_MAGIC;
    nursery->child = child;
    nursery->nowhere = nowhere;
    nursery->jail = jail;
    nursery->reaping = timer_new(child->loop, reap, nursery);
    return nursery;
}

void nursery_status(const struct nursery *nursery, struct buffer *out)
{
    child_status_add(out, "readers", "%u", nursery->count);
    child_status_add(out, "readers forked", "%llu", (unsigned long long)nursery->forked);
    child_status_add(out, "readers died", "%llu", (unsigned long long)nursery->died);
}
