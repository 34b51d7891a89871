/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A bucket that fills with what is done and leaks at the rate that is allowed. */
#include "base/allowance.h"

enum { ONE = 1000, TELL_MS = 10000 };

bool allowance_take(struct allowance *allowance, uint32_t at_once, uint32_t per_second, uint64_t now_ms)
{
    uint64_t leaked = now_ms > allowance->at_ms ? (now_ms - allowance->at_ms) * per_second : 0;
    allowance->used = allowance->used > leaked ? allowance->used - leaked : 0;
    allowance->at_ms = now_ms;
    if (allowance->used + ONE > (uint64_t)at_once * ONE) {
        allowance->denied++;
        return false;
    }
    allowance->used += ONE;
    return true;
}

uint64_t allowance_denied(struct allowance *allowance, uint64_t now_ms)
{
    uint64_t denied = allowance->denied;
    if (!denied || (allowance->told_ms && now_ms - allowance->told_ms < TELL_MS)) return 0;
    allowance->told_ms = now_ms;
    allowance->denied = 0;
    return denied;
}
