/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/jailed_reader.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/sandbox.h"

enum { CHANNEL_FD = 3 };

static void limits_set(const struct jailed_reader_order *order)
{
    const struct rlimit none = { 0, 0 }, seconds = { order->cpu_s, order->cpu_s };
    setrlimit(RLIMIT_CORE, &none);
    if (order->cpu_s) setrlimit(RLIMIT_CPU, &seconds);
#if !defined(__SANITIZE_ADDRESS__)
    const struct rlimit space = { order->space_bytes, order->space_bytes };
    setrlimit(RLIMIT_AS, &space);
#endif
}

_Noreturn static void child_run(const struct jailed_reader_order *order, int channel, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EX_OSERR);
    if (channel != CHANNEL_FD && dup2(channel, CHANNEL_FD) != CHANNEL_FD) _exit(EX_OSERR);
    close_range(CHANNEL_FD + 1, ~0U, 0);
    limits_set(order);
    if (order->has_jail && !jail_enter(order->name, JAIL_READER, NULL)) _exit(EX_OSERR);
    order->serve(CHANNEL_FD, order->context);
    _exit(EX_OK);
}

bool jailed_reader_start(const struct jailed_reader_order *order, struct jailed_reader *out)
{
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, order->socket_type | SOCK_CLOEXEC, 0, ends) != 0) return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) child_run(order, ends[1], parent);
    close(ends[1]);
    *out = (struct jailed_reader){ pid, ends[0] };
    if (pid > 0) return true;
    close(ends[0]);
    return false;
}

void jailed_reader_end(struct jailed_reader *reader)
{
    close(reader->channel);
    kill(reader->pid, SIGKILL);
    waitpid(reader->pid, NULL, 0);
}
