/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A log-linear histogram: each power of two of nanoseconds is cut in LATENCY_STEPS equal steps. */
#include "latency.h"

#include <math.h>

static unsigned slot_of(uint64_t ns)
{
    if (ns < LATENCY_STEPS) return (unsigned)ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns) - 7; /* 2^7 is LATENCY_STEPS */
    if (octave + 1 >= LATENCY_OCTAVES) return LATENCY_OCTAVES * LATENCY_STEPS - 1;
    return (octave + 1) * LATENCY_STEPS + (unsigned)((ns >> octave) - LATENCY_STEPS);
}

static double slot_top(unsigned slot)
{
    unsigned octave = slot / LATENCY_STEPS, step = slot % LATENCY_STEPS;
    if (octave == 0) return (double)(step + 1) * 1e-9;
    return (double)((uint64_t)(step + LATENCY_STEPS + 1) << (octave - 1)) * 1e-9;
}

void latency_add(struct latency *latency, double seconds)
{
    if (seconds < 0) seconds = 0;
    latency->counts[slot_of((uint64_t)(seconds * 1e9))]++;
    latency->samples++;
    if (seconds > latency->most) latency->most = seconds;
}

double latency_quantile(const struct latency *latency, double part)
{
    uint64_t wanted = (uint64_t)ceil(part * (double)latency->samples), seen = 0;
    if (wanted == 0) wanted = 1;
    for (unsigned slot = 0; slot < LATENCY_OCTAVES * LATENCY_STEPS; slot++) {
        seen += latency->counts[slot];
        if (seen >= wanted) return fmin(slot_top(slot), latency->most);
    }
    return 0;
}
