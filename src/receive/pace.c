/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The arithmetic of patience. Called by connection.c and eviction.c. */
#include "receive/pace.h"

void pace_start(struct pace *pace, enum pace_stage stage, uint64_t now_ms)
{
    *pace = (struct pace){ stage, now_ms, 0 };
}

void pace_reach(struct pace *pace, enum pace_stage stage, uint64_t now_ms)
{
    if (stage > pace->stage) pace_start(pace, stage, now_ms);
}

static uint64_t owed_now(const struct pace *pace, const struct pace_limits *limits, uint64_t now_ms)
{
    uint64_t passed = now_ms > pace->at_ms ? now_ms - pace->at_ms : 0;
    return pace->owed + passed * limits->rate;
}

void pace_count(struct pace *pace, const struct pace_limits *limits, uint64_t now_ms, uint64_t octets)
{
    uint64_t owed = owed_now(pace, limits, now_ms), paid = octets * 1000;
    pace->owed = owed > paid ? owed - paid : 0;
    pace_skip(pace, now_ms);
}

void pace_skip(struct pace *pace, uint64_t now_ms)
{
    pace->at_ms = now_ms;
}

uint64_t pace_behind_ms(const struct pace *pace, const struct pace_limits *limits, uint64_t now_ms)
{
    return owed_now(pace, limits, now_ms) / limits->rate;
}

/* A message has the time of a command and that of data, and by its octets more. */
static uint64_t allowed_ms(enum pace_stage stage, const struct pace_limits *limits)
{
    if (stage == PACE_GREETING) return limits->greeting_ms;
    return limits->command_ms + (stage == PACE_MESSAGE ? limits->data_ms : 0);
}

uint64_t pace_left_ms(const struct pace *pace, const struct pace_limits *limits, uint64_t now_ms)
{
    uint64_t behind = pace_behind_ms(pace, limits, now_ms), allowed = allowed_ms(pace->stage, limits);
    return behind < allowed ? allowed - behind : 0;
}
