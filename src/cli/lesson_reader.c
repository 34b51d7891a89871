/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Over a stream: a length of four bytes, then the mail; back, a length and the lesson. */
#include "cli/lesson_reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/sandbox.h"
#include "mail/digest.h"
#include "spam/lesson.h"

enum { ANSWER_MS = 20000, CHANNEL_FD = 3, CHILD_CPU_S = 3600, MAIL_MOST = 64 << 20 };
#define CHILD_SPACE_BYTES (UINT64_C(2) << 30)

struct lesson_reader {
    pid_t pid;
    int fd;
    struct base_model *base;
};

/* --- both sides --- */

/* False: the other side is gone, or `timeout_ms` (-1: none) went by without a byte. */
static bool take(int fd, void *out, size_t size, int timeout_ms)
{
    char *to = out;
    while (size > 0) {
        struct pollfd wait_for = { fd, POLLIN, 0 };
        if (timeout_ms >= 0 && poll(&wait_for, 1, timeout_ms) <= 0) return false;
        ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static bool tell(int fd, struct text bytes)
{
    uint32_t length = (uint32_t)bytes.length;
    return file_write_all(fd, text_from((const char *)&length, sizeof length)) && file_write_all(fd, bytes);
}

/* --- the child --- */

static void child_limit(void)
{
    const struct rlimit none = { 0, 0 }, seconds = { CHILD_CPU_S, CHILD_CPU_S };
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &seconds);
#if !defined(__SANITIZE_ADDRESS__)
    const struct rlimit space = { CHILD_SPACE_BYTES, CHILD_SPACE_BYTES };
    setrlimit(RLIMIT_AS, &space);
#endif
}

static bool mail_serve(const struct base_model *base)
{
    uint32_t length;
    struct lesson lesson;
    struct buffer mail = { 0 }, answer = { 0 };
    if (!take(CHANNEL_FD, &length, sizeof length, -1) || length > MAIL_MOST) return false;
    bool is_there = take(CHANNEL_FD, buffer_reserve(&mail, length + 1), length, -1);
    struct arena *arena = arena_new(1 << 18);
    if (is_there) {
        buffer_commit(&mail, length);
        lesson_read(arena, buffer_text(&mail), base, &lesson);
        lesson_write(&lesson, &answer);
        is_there = tell(CHANNEL_FD, buffer_text(&answer));
    }
    arena_free(arena);
    buffer_free(&mail);
    buffer_free(&answer);
    return is_there;
}

_Noreturn static void child_run(int fd, pid_t parent, const struct base_model *base)
{
    uint8_t digest[DIGEST_BYTES];
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EX_OK);
    if (fd != CHANNEL_FD && dup2(fd, CHANNEL_FD) != CHANNEL_FD) _exit(EX_OSERR);
    close_range(CHANNEL_FD + 1, ~0U, 0);
    digest_sha256(TEXT("what OpenSSL opens when it is first used is out of reach later"), digest);
    child_limit();
    if (!jail_enter("lesson reader", JAIL_READER, NULL)) _exit(EX_OSERR);
    while (mail_serve(base)) continue;
    _exit(EX_OK);
}

/* --- the parent --- */

static bool child_start(struct lesson_reader *reader)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    pid_t parent = getpid();
    fflush(NULL);
    reader->pid = fork();
    if (reader->pid == 0) child_run(ends[1], parent, reader->base);
    close(ends[1]);
    reader->fd = ends[0];
    if (reader->pid > 0) return true;
    close(ends[0]);
    return false;
}

static void child_end(struct lesson_reader *reader)
{
    if (reader->pid <= 0) return;
    close(reader->fd);
    kill(reader->pid, SIGKILL);
    waitpid(reader->pid, NULL, 0);
    reader->pid = 0;
}

struct lesson_reader *lesson_reader_start(struct text base_model)
{
    char path[4096], why[300];
    struct lesson_reader *reader = memory_alloc(sizeof *reader);
    signal(SIGPIPE, SIG_IGN);
    if (base_model.length > 0 && base_model.length < sizeof path) {
        snprintf(path, sizeof path, "%.*s", TEXT_ARG(base_model));
        reader->base = base_model_open(path, why, sizeof why);
        if (!reader->base) fprintf(stderr, "sekimori: mails are learned without the base model: %s\n", why);
    }
    if (child_start(reader)) return reader;
    fprintf(stderr, "sekimori: no process to read mails in: %s\n", strerror(errno));
    lesson_reader_stop(reader);
    return NULL;
}

void lesson_reader_stop(struct lesson_reader *reader)
{
    if (!reader) return;
    child_end(reader);
    base_model_close(reader->base);
    free(reader);
}

bool lesson_reader_read(struct lesson_reader *reader, struct text mail, struct buffer *out)
{
    uint32_t length = 0;
    buffer_clear(out);
    if (mail.length > MAIL_MOST || (reader->pid <= 0 && !child_start(reader))) return false;
    bool is_read = tell(reader->fd, mail) && take(reader->fd, &length, sizeof length, ANSWER_MS) &&
                   length <= LESSON_BYTES_MOST &&
                   take(reader->fd, buffer_reserve(out, length + 1), length, ANSWER_MS);
    if (is_read)
        buffer_commit(out, length);
    else
        child_end(reader);
    return is_read;
}
