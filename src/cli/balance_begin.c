/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lock that a running node holds is held meanwhile. */
#include "cli/balance_begin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static int counts_remove(int run)
{
    int code = EX_OK, lock = openat(run, "lock", O_RDONLY | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
        fputs("sekimori balance: the node is running; stop it first: sekimori stop\n", stderr);
        code = EX_TEMPFAIL;
    } else if (unlinkat(run, "counters", 0) != 0 && errno != ENOENT) {
        fprintf(stderr, "sekimori balance: the counts cannot be taken away: %m\n");
        code = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;
    }
    if (lock >= 0) close(lock);
    return code;
}

int balance_begin(const struct control_target *target)
{
    char state[PATH_SIZE], path[PATH_SIZE + 8];
    int code = control_state_folder(target, state, sizeof state);
    if (code != EX_OK) return code;
    snprintf(path, sizeof path, "%s/run", state);
    int run = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run < 0) {
        fprintf(stderr, "sekimori balance: %s: %m\n", path);
        return EX_NOINPUT;
    }
    code = counts_remove(run);
    close(run);
    if (code == EX_OK) puts("the counts begin anew when the node starts");
    return code;
}
