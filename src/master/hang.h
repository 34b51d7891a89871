/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Does a process hang? Pure but for hang_describe: what the kernel shows of it each second, and a verdict. */
#ifndef SEKIMORI_MASTER_HANG_H
#define SEKIMORI_MASTER_HANG_H

#include <sys/types.h>

#include "base/buffer.h"

/* From /proc/PID/stat. */
struct hang_sight {
    char state; /* proc(5): 'D' waits for a disk, 'T' is stopped; 0: not known */
    pid_t parent;
    uint64_t cpu_ticks; /* computed so far */
    /* 0 where the line ends before them: what its children computed that it has buried, and theirs; pages. */
    uint64_t ended_ticks, resident_pages;
};
bool hang_sight_parse(struct text stat, struct hang_sight *out); /* false: not such a line */
bool hang_look(pid_t pid, struct hang_sight *out);               /* false: there is no such process */

/* Counted in rounds of master's own, each at most its period apart: time in which master did not run either
   (the machine slept, everybody was stopped) is one round. */
struct hang {
    uint32_t silent_ms; /* without an answer, outside of a wait for a disk */
    uint32_t disk_ms;   /* without an answer, seen waiting for a disk */
    uint64_t cpu_ticks;
};

enum hang_verdict {
    HANG_NONE,
    HANG_DISK, /* silent for the whole time, and a disk is what it waits for: nothing to be gained by a kill
                */
    HANG_KILL,
};

/* At the end of a round. `sight` is looked at only when it has not answered. One that is starting is alive
   while it computes. `limit_ms` 0: nobody hangs. */
enum hang_verdict hang_round(struct hang *hang, bool has_answered, bool is_starting,
                             const struct hang_sight *sight, uint32_t period_ms, uint32_t limit_ms);

enum { HANG_MENDED_MS = 10000 };
/* It was killed, and for HANG_MENDED_MS more it neither ended nor answered nor waited for a disk: master can
   do no more for it. */
bool hang_is_past_mending(const struct hang *hang, uint32_t limit_ms);

/* What the kernel shows of the place where it stands: "stopped, in do_signal_stop, system call 232". What may
   not be read is left out. */
void hang_describe(pid_t pid, struct buffer *out);

/* Whether `pid` comes from `ancestor` by a few forks. */
bool hang_descends(pid_t pid, pid_t ancestor);

#endif
