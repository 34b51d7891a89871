/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who connects to a master: its descendants by every way, one that has ended, and a stranger. Each master is
   a process of its own, so that this one is a stranger to it. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/own_processes.h"

#include <cmocka.h>

enum who { STRANGER, CHILD, GRANDCHILD, ORPHAN, ENDED };
enum { SAID_STRANGER, SAID_KIN, FAILED };

static int connect_to(const struct sockaddr_un *address, socklen_t size)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, size) == 0 ? fd : -1;
}

/* Connects, says so with a byte, and stays until the other side hangs up. */
static _Noreturn void client_run(const struct sockaddr_un *address, socklen_t size, enum who who)
{
    char byte = 'x';
    prctl(PR_SET_NAME, "a) S 1 ("); /* as a process may be named */
    int fd = connect_to(address, size);
    if (fd < 0 || send(fd, &byte, 1, 0) != 1) _exit(FAILED);
    if (who != ENDED && read(fd, &byte, 1) < 0) _exit(FAILED);
    _exit(0);
}

static void client_start(const struct sockaddr_un *address, socklen_t size, enum who who)
{
    pid_t pid = who == STRANGER ? -1 : fork();
    if (pid > 0 && (who == ORPHAN || who == ENDED)) waitpid(pid, NULL, 0);
    if (pid != 0) return;
    if (who == CHILD || who == ENDED) client_run(address, size, who);
    pid_t parent = getpid();
    if (fork() != 0) {
        if (who == GRANDCHILD) wait(NULL);
        _exit(0);
    }
    setsid();
    while (who == ORPHAN && getppid() == parent) sched_yield();
    client_run(address, size, who);
}

/* Listens at an address that the kernel chooses, tells it, and judges who comes. */
static _Noreturn void master_run(int told, enum who who)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = sizeof address;
    struct ucred peer;
    char byte;
    alarm(20);
    kinship_begin();
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) != 0 || listen(fd, 4) != 0) _exit(FAILED);
    getsockname(fd, (struct sockaddr *)&address, &size);
    if (write(told, &address, size) != (ssize_t)size) _exit(FAILED);
    client_start(&address, size, who);
    int client = accept(fd, NULL, NULL);
    socklen_t peer_size = sizeof peer;
    if (client < 0 || read(client, &byte, 1) != 1 ||
        getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) != 0)
        _exit(FAILED);
    _exit(kinship_is_stranger(client, peer.pid) ? SAID_STRANGER : SAID_KIN);
}

static int judge(enum who who)
{
    struct sockaddr_un address;
    int pipe_fds[2], status;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t master = fork();
    if (master == 0) master_run(pipe_fds[1], who);
    ssize_t size = read(pipe_fds[0], &address, sizeof address);
    assert_true(size > 0);
    if (who == STRANGER) {
        int fd = connect_to(&address, (socklen_t)size);
        assert_true(fd >= 0);
        assert_int_equal(send(fd, "x", 1, 0), 1);
        waitpid(master, &status, 0);
        close(fd);
    } else {
        waitpid(master, &status, 0);
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

static void who_may_command(void **state)
{
    (void)state;
    static const struct {
        enum who who;
        int said;
    } rows[] = { { STRANGER, SAID_STRANGER },
                 { CHILD, SAID_KIN },
                 { GRANDCHILD, SAID_KIN },
                 { ORPHAN, SAID_KIN },
                 { ENDED, SAID_KIN } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (judge(rows[i].who) != rows[i].said) fail_msg("row %zu is judged otherwise", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(who_may_command) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
