/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The time for what lasts: a process with a loop asks that (base/loop.h), which looks at the clock once a
 * turn. */
#ifndef SEKIMORI_BASE_MONOTONIC_H
#define SEKIMORI_BASE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in milliseconds: nobody sets it, and it stands still while the machine sleeps. */
static inline uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
