/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How often something may be done that others bring about: so many times at once, and so many a second in the
   long run, whoever they are. Pure: the caller brings the clock. */
#ifndef SEKIMORI_BASE_ALLOWANCE_H
#define SEKIMORI_BASE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialised nothing of it is used. */
struct allowance {
    uint64_t at_ms, used; /* used: in thousandths of one time, as of at_ms */
    uint64_t denied, told_ms;
};

/* One time more. False, and counted: there have been too many. */
bool allowance_take(struct allowance *allowance, uint32_t at_once, uint32_t per_second, uint64_t now_ms);

/* How often it was denied since the last answer that was not 0. Not 0 every ten seconds at most, so that a
   line of the log may say it. */
uint64_t allowance_denied(struct allowance *allowance, uint64_t now_ms);

#endif
