/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Between the fork and the command: namespaces, limits, descriptors, jail. Called by runs.c. What the command
   gets is its standard input, to read, and a pipe for what it says; no other descriptor. */
#include "engine/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/signals.h"
#include "engine/scratch.h"

enum {
    REPORT_FD = 3,
    PROCESSES_MOST = 64,
    FILES_MOST = 256, /* descriptors */
    SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};
static const rlim_t MEMORY_MOST = (rlim_t)4 << 30, FILE_MOST = (rlim_t)256 << 20;

static _Noreturn void tell(int fd, int outcome, int number)
{
    struct keeper_report report = { .outcome = outcome, .number = (uint32_t)number };
    file_write_all(fd, text_from((const char *)&report, sizeof report));
    _exit(0);
}

/* --- the message --- */

static bool file_copy(int to, int from, uint64_t size)
{
    off_t at = 0;
    while ((uint64_t)at < size)
        if (sendfile(to, from, &at, size - (uint64_t)at) <= 0) return false;
    return true;
}

/* Sealed memory that holds it. -1 with errno. */
static int sealed_make(const struct keeper_order *order)
{
    int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    bool is_whole =
        order->body >= 0 ? file_copy(fd, order->body, order->size) : file_write_all(fd, order->bytes);
    return is_whole && fcntl(fd, F_ADD_SEALS, SEALS) == 0 ? fd : -1;
}

/* Opened anew, since the place where a descriptor stands is shared by all its copies. */
static int message_open(const struct keeper_order *order)
{
    char path[40];
    int fd = order->is_sealed ? order->body : sealed_make(order);
    if (fd < 0) return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* --- the command --- */

static bool limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit both = { most, most };
    return setrlimit(what, &both) == 0;
}

static bool limits_set(const struct keeper_order *order)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, order->seconds) && limit(RLIMIT_FSIZE, FILE_MOST) &&
           limit(RLIMIT_NOFILE, FILES_MOST) && limit(RLIMIT_NPROC, PROCESSES_MOST) &&
           limit(RLIMIT_AS, MEMORY_MOST);
}

static _Noreturn void become(const struct keeper_order *order)
{
    char folder[80];
    char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
                                  "LC_ALL=C", folder, NULL };
    snprintf(folder, sizeof folder, "TMPDIR=%s", order->scratch);
    setsid();
    if ((!order->paths || jail_enter_command(order->paths)) && limits_set(order))
        execve(order->arguments[0], order->arguments, environment);
    tell(REPORT_FD, KEEPER_FAILED, errno);
}

/* --- the keeper --- */

/* It does not outlive engine, also when that ended before we could ask for it: nobody reads the pipe then. */
static bool is_watched(const struct keeper_order *order)
{
    struct pollfd output = { order->output, 0, 0 };
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && poll(&output, 1, 0) == 0;
}

/* Standard input, outputs, and the report, which the command does not get. */
static bool descriptors_set(const struct keeper_order *order, int message)
{
    int report = fcntl(order->report, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    int output = fcntl(order->output, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    int input = fcntl(message, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    return report >= 0 && output >= 0 && input >= 0 && dup2(input, STDIN_FILENO) == STDIN_FILENO &&
           dup2(output, STDOUT_FILENO) == STDOUT_FILENO && dup2(output, STDERR_FILENO) == STDERR_FILENO &&
           dup3(report, REPORT_FD, O_CLOEXEC) == REPORT_FD && close_range(REPORT_FD + 1, ~0u, 0) == 0;
}

static bool prepare(const struct keeper_order *order)
{
    signals_default();
    int scratch = open(order->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!capabilities_keep(0) || scratch < 0 || fchdir(scratch) != 0 || !scratch_clear(scratch)) return false;
    int message = message_open(order);
    return message >= 0 && descriptors_set(order, message);
}

/* Others whom it left behind come to us, as to the first process; they end with us. */
static int wait_for(pid_t command)
{
    int status = 0;
    for (pid_t ended = 0; ended != command;) {
        ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR) return -1;
    }
    return status;
}

static _Noreturn void keeper_run(const struct keeper_order *order)
{
    if (!is_watched(order)) _exit(0);
    prctl(PR_SET_NAME, "engine-keeper");
    if (!prepare(order)) tell(order->report, KEEPER_FAILED, errno);
    pid_t command = fork();
    if (command == 0) become(order);
    if (command < 0) tell(REPORT_FD, KEEPER_FAILED, errno);
    int status = wait_for(command);
    if (status < 0) tell(REPORT_FD, KEEPER_FAILED, errno);
    if (WIFSIGNALED(status)) tell(REPORT_FD, KEEPER_KILLED, WTERMSIG(status));
    tell(REPORT_FD, KEEPER_EXITED, WEXITSTATUS(status));
}

/* No call of the C library forks into namespaces. */
pid_t keeper_fork(const struct keeper_order *order)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) keeper_run(order);
    return pid;
}
