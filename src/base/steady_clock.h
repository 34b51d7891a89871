/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A time for what waits: milliseconds since 1970 when it began, then as the machine runs, whatever is done to
   its clock. Kept in a small file, so that it goes on after a restart of the process and of the machine. Used
   by queue for due times and ages, by ledger for what it keeps. */
#ifndef SEKIMORI_BASE_STEADY_CLOCK_H
#define SEKIMORI_BASE_STEADY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    STEADY_BOOT_SIZE = 40,
    STEADY_STORE_MS = 10 * 60 * 1000, /* how often the file is written */
    STEADY_OFF_MOST_MS = 24 * 3600 * 1000,
    STEADY_SETTLED_MS = 7 * 24 * 3600 * 1000 /* a clock that was set is believed after so long */
};

struct steady {
    int fd;                      /* of the file, owned; -1: none, nothing is kept */
    char boot[STEADY_BOOT_SIZE]; /* the kernel's name of this run of the machine */
    int64_t base_ms;             /* steady time less the time since boot */
    int64_t offset_ms;           /* wall clock less steady time */
    int64_t settled_ms;          /* offset_ms before the clock was set, until that has settled */
    int64_t set_ms;              /* steady time when the clock was set last */
    int64_t stored_ms;           /* steady time in the file */
};

/* Goes on from the file `name` in `folder`, which is made if it is not there. In the same run of the machine
   all time counts. After another, the clock tells how long the machine was off, but no more than
   STEADY_OFF_MOST_MS and not less than nothing: what it says may be wrong. `boot`: NULL: the kernel's name.
 */
void steady_begin(struct steady *steady, int folder, const char *name, const char *boot, uint64_t wall_ms,
                  uint64_t boot_ms);
void steady_end(struct steady *steady);

static inline uint64_t steady_ms(const struct steady *steady, uint64_t boot_ms)
{
    return (uint64_t)((int64_t)boot_ms + steady->base_ms);
}

/* A steady time as the clock says it at present, and back. */
static inline uint64_t steady_to_wall(const struct steady *steady, uint64_t ms)
{
    int64_t wall = (int64_t)ms + steady->offset_ms;
    return wall > 0 ? (uint64_t)wall : 0;
}

static inline uint64_t steady_from_wall(const struct steady *steady, uint64_t ms)
{
    int64_t here = (int64_t)ms - steady->offset_ms;
    return here > 0 ? (uint64_t)here : 0;
}

/* The clock, for what is thrown away when it is old: never later than the clock would be if nobody had set it
   in the last STEADY_SETTLED_MS. */
static inline uint64_t steady_old_ms(const struct steady *steady, uint64_t wall_ms, uint64_t boot_ms)
{
    int64_t unset = (int64_t)steady_ms(steady, boot_ms) + steady->settled_ms;
    return unset < 0 ? 0 : (uint64_t)unset < wall_ms ? (uint64_t)unset : wall_ms;
}

/* Called now and then: notes that the clock was set. Returns by how many milliseconds (forward: positive), 0:
   by less than a second. */
int64_t steady_look(struct steady *steady, uint64_t wall_ms, uint64_t boot_ms);

#endif
