/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The states of an engine: well, sick, sick and tried. Called by engine_client.c. */
#include "consult/breaker.h"

bool breaker_may_ask(struct breaker *breaker, uint64_t now_ms)
{
    if (!breaker->is_sick) return true;
    if (breaker->is_tried || now_ms < breaker->until_ms) return false;
    return breaker->is_tried = true;
}

bool breaker_answered(struct breaker *breaker)
{
    bool was_sick = breaker->is_sick;
    breaker->failures = 0;
    breaker->is_sick = breaker->is_tried = false;
    return was_sick;
}

bool breaker_failed(struct breaker *breaker, uint64_t now_ms)
{
    bool was_sick = breaker->is_sick;
    if (breaker->failures < breaker->failures_most) breaker->failures++;
    breaker->is_sick = breaker->failures >= breaker->failures_most;
    breaker->is_tried = false;
    if (breaker->is_sick) breaker->until_ms = now_ms + breaker->pause_ms;
    return breaker->is_sick && !was_sick;
}

void breaker_let_go(struct breaker *breaker)
{
    breaker->is_tried = false;
}
