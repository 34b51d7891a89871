/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Walks from a process to its ancestors by /proc. Numbers of processes are given again, so each step is
   looked at twice: while the child still names the parent, the parent has not ended. */
#include "master/own_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/die.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* since Linux 6.5 */
#endif

enum { STEPS_MOST = 4096, PARENT_GONE = -1, PARENT_HIDDEN = -2 };

void kinship_begin(void)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) die_errno("orphans cannot be adopted");
}

/* 0: none that this namespace knows. PARENT_HIDDEN: there is such a process, but /proc shows it to its own
   user only; ours are of our user. */
static pid_t parent_of(pid_t pid)
{
    char path[40], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0) close(fd);
    if (got <= 0) return kill(pid, 0) != 0 && errno == EPERM ? PARENT_HIDDEN : PARENT_GONE;
    line[got] = '\0';
    const char *behind_name = strrchr(line, ')'); /* ") S 123": the name may have any character */
    return behind_name && strlen(behind_name) > 4 ? (pid_t)atoi(behind_name + 4) : PARENT_GONE;
}

/* Ends at us, at a process without a parent, or at one that is not of our user. */
static bool is_stranger(pid_t pid)
{
    pid_t parent = parent_of(pid);
    for (int step = 0; step < STEPS_MOST; step++) {
        if (pid == getpid() || parent == getpid() || parent == PARENT_GONE) return false;
        if (parent == 0 || parent == PARENT_HIDDEN) return true;
        pid_t grandparent = parent_of(parent);
        if (parent_of(pid) == parent) {
            pid = parent;
            parent = grandparent;
        } else {
            parent = parent_of(pid); /* it was adopted meanwhile */
        }
    }
    return false;
}

/* A descriptor of the very process that connected; where the kernel has none to give, of who has its number.
 */
static int process_open(int fd, pid_t pid)
{
    int process = -1;
    socklen_t size = sizeof process;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &size) == 0) return process;
    return errno == ENOPROTOOPT ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

bool kinship_is_stranger(int fd, pid_t pid)
{
    if (pid <= 0) return true; /* of a namespace around ours */
    struct pollfd process = { process_open(fd, pid), POLLIN, 0 };
    if (process.fd < 0) return false;
    bool is_good = is_stranger(pid) && poll(&process, 1, 0) == 0;
    close(process.fd);
    return is_good;
}
