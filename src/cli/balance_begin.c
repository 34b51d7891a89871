/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lock that a running node holds is held meanwhile, so master's ring of events is ours for the record. */
#include "cli/balance_begin.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ipc/event.h"
#include "ipc/ring.h"

enum { PATH_SIZE = 4096 };

/* The ledger has it when the node is started. A state folder without a ring has had no node yet. */
static void act_record(int run)
{
    struct buffer record = { 0 };
    struct timespec now;
    char name[24];
    const struct passwd *entry = getpwuid(getuid());
    snprintf(name, sizeof name, "%u", (unsigned)getuid());
    clock_gettime(CLOCK_REALTIME, &now);
    struct event_audit event = { .time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
                                 .uid = getuid(),
                                 .user = text_of(entry ? entry->pw_name : name),
                                 .process = TEXT("node"),
                                 .act = TEXT("balance"),
                                 .about = TEXT("the counts begin anew") };
    int fd = openat(run, "events/master.0", O_RDWR | O_CLOEXEC);
    struct ring *ring = fd < 0 ? NULL : ring_map(fd);
    event_audit_put(&event, &record);
    if (!ring || !ring_append(ring, buffer_text(&record)))
        fputs("sekimori balance: this cannot be recorded for `sekimori audit`\n", stderr);
    if (ring) ring_unmap(ring);
    if (fd >= 0) close(fd);
    buffer_free(&record);
}

static int counts_remove(int run)
{
    int code = EX_OK, lock = openat(run, "lock", O_RDONLY | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
        fputs("sekimori balance: the node is running; stop it first: sekimori stop\n", stderr);
        code = EX_TEMPFAIL;
    } else if (unlinkat(run, "counters", 0) != 0 && errno != ENOENT) {
        fprintf(stderr, "sekimori balance: the counts cannot be taken away: %m\n");
        code = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;
    } else {
        act_record(run);
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
