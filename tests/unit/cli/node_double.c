/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A child process on a socket in a folder of its own, and a page that both see. */
#include "node_double.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/codec.h"
#include "ipc/ask_master.h"
#include "ipc/channel.h"

enum { PATIENCE_MS = 20000 };

static void command_note(struct text command, char *page)
{
    size_t length = strlen(page);
    snprintf(page + length, NODE_COMMAND_SIZE - length, "%.*s;", TEXT_ARG(command));
    for (char *at = page + length; *at; at++)
        if (*at == '\n') *at = '|';
}

static void answer_send(int fd, uint16_t type, int code, const char *text)
{
    struct buffer payload = { 0 };
    if (type == MASTER_DONE) put_u8(&payload, (uint8_t)code);
    put_text(&payload, text_of(text ? text : ""));
    channel_send_now(fd, type, 0, buffer_text(&payload), NULL, 0);
    buffer_free(&payload);
}

static void one_answer(int fd, const struct node_answer *answer, char *page)
{
    struct frame frame;
    if (!channel_wait(fd, PATIENCE_MS, &frame) || frame.type != MASTER_DO) return;
    struct reader reader = reader_of(frame.payload);
    command_note(get_text(&reader), page);
    for (int i = 0; i < 3 && answer->parts[i]; i++) answer_send(fd, MASTER_MORE, 0, answer->parts[i]);
    if (answer->code >= 0) answer_send(fd, MASTER_DONE, answer->code, answer->last);
}

static _Noreturn void serve(int listening, const struct node_answer *answers, char *page)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < NODE_ANSWERS_MOST; i++) {
        int fd = accept(listening, NULL, NULL);
        if (fd < 0) break;
        one_answer(fd, &answers[i], page);
        close(fd);
    }
    _exit(0);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, NODE_ANSWERS_MOST), 0);
    return fd;
}

void node_double_run(const char *verb, const char *rest, const struct node_answer *answers, struct said *out,
                     char out_commands[NODE_COMMAND_SIZE])
{
    char state[] = "/tmp/sekimori-node-XXXXXX", run[64], control[80], words[1024];
    char *page = mmap(NULL, NODE_COMMAND_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED && mkdtemp(state));
    snprintf(run, sizeof run, "%s/run", state);
    snprintf(control, sizeof control, "%s/control", run);
    snprintf(words, sizeof words, "%s --state %s%s%s", verb, state, *rest ? " " : "", rest);
    assert_int_equal(mkdir(run, 0700), 0);
    int listening = listen_at(control);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) serve(listening, answers, page);
    close(listening);
    said_by_verb(words, out);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    memcpy(out_commands, page, NODE_COMMAND_SIZE);
    munmap(page, NODE_COMMAND_SIZE);
    unlink(control);
    rmdir(run);
    rmdir(state);
}
