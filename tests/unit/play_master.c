/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Master's frames, one after the other. */
#include "play_master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "config/bundle.h"
#include "config/load.h"

enum { CONTROL_FD = 3, ANSWER_MS = 10000, STOP_MS = 2000 };

void play_fail(const char *what)
{
    fprintf(stderr, "play master: %s: %s\n", what, strerror(errno));
    exit(70);
}

static void give(struct played *played, enum master_frame type, struct buffer *payload, int fd)
{
    if (!channel_send_now(played->control, (uint16_t)type, 0, buffer_text(payload), &fd, fd >= 0))
        play_fail("the process is gone");
    buffer_free(payload);
}

static void config_give(struct played *played, const char *path)
{
    struct problem_list problems;
    struct buffer bundle = { 0 }, nothing = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    if (!config) play_fail(path);
    config_bundle_write(config, &bundle);
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct text bytes = buffer_text(&bundle);
    if (fd < 0 || write(fd, bytes.at, bytes.length) != (ssize_t)bytes.length) play_fail("memfd");
    give(played, MASTER_CONFIG, &nothing, fd);
    close(fd);
    buffer_free(&bundle);
    config_free(config);
    problem_list_free(&problems);
}

static _Noreturn void process_become(int end, const char *program, enum process_kind kind)
{
    int copy = fcntl(end, F_DUPFD, CONTROL_FD + 1); /* so that dup2 has two different numbers */
    if (copy < 0 || dup2(copy, CONTROL_FD) < 0) play_fail("dup2");
    close(copy);
    execl(program, program, process_name(kind), "0", (char *)NULL);
    play_fail(program);
}

void play_start(struct played *played, const char *program, enum process_kind kind, const char *config)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) play_fail("socketpair");
    played->pid = fork();
    if (played->pid < 0) play_fail("fork");
    if (played->pid == 0) process_become(ends[1], program, kind);
    close(ends[1]);
    played->control = ends[0];
    config_give(played, config);
}

void play_give_peer(struct played *played, enum process_kind kind, int fd)
{
    struct buffer payload = { 0 };
    put_u8(&payload, (uint8_t)kind);
    put_u16(&payload, 0);
    give(played, MASTER_PEER, &payload, fd);
}

void play_give_map(struct played *played, const char *name, uint16_t slot, int fd)
{
    struct buffer payload = { 0 };
    put_text(&payload, text_of(name));
    put_u16(&payload, slot);
    give(played, MASTER_MAP, &payload, fd);
}

void play_give_secret(struct played *played, const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, CHILD_SECRET_BYTES) != 0) play_fail("memfd_create");
    play_give_map(played, name, 0, fd);
    close(fd);
}

void play_give_folder(struct played *played, const char *name, int fd)
{
    struct buffer payload = { 0 };
    put_text(&payload, text_of(name));
    give(played, MASTER_FOLDER, &payload, fd);
}

/* Signs of life in the middle of long work come before the answer. */
static void await(struct played *played, enum master_frame type, struct frame *frame)
{
    do {
        if (!channel_wait(played->control, ANSWER_MS, frame)) play_fail("no answer");
    } while (frame->type == MASTER_BEAT);
    if (frame->type != type) play_fail("an answer that was not asked for");
}

void play_wait_ready(struct played *played)
{
    struct buffer nothing = { 0 };
    struct frame frame;
    give(played, MASTER_START, &nothing, -1);
    await(played, MASTER_READY, &frame);
}

void play_reload(struct played *played, const char *config)
{
    struct frame frame;
    config_give(played, config);
    await(played, MASTER_RELOADED, &frame);
}

void play_give_client(struct played *played, const char *command, int fd)
{
    struct buffer payload = { 0 };
    struct commander commander = { .user = TEXT("root"), .is_owner = true, .may_operate = true, .may_read_content = true };
    put_text(&payload, text_of(command));
    commander_put(&commander, &payload);
    give(played, MASTER_CLIENT, &payload, fd);
}

void play_status_print(struct played *played)
{
    struct buffer nothing = { 0 };
    struct frame frame;
    give(played, MASTER_STATUS, &nothing, -1);
    await(played, MASTER_STATUS_REPLY, &frame);
    struct reader reader = reader_of(frame.payload);
    printf("status");
    while (reader.rest.length > 0 && !reader.failed) {
        struct text name = get_text(&reader), value = get_text(&reader);
        printf(" %.*s=%.*s", TEXT_ARG(name), TEXT_ARG(value));
    }
    printf("\n");
    fflush(stdout);
}

int play_stop(struct played *played)
{
    struct buffer within = { 0 };
    int status = 0;
    put_u32(&within, STOP_MS);
    give(played, MASTER_STOP, &within, -1);
    waitpid(played->pid, &status, 0);
    close(played->control);
    if (WIFSIGNALED(status)) fprintf(stderr, "play master: it died of signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
