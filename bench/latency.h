/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts durations in logarithmic steps under one percent wide: any number of samples in fixed memory. */
#ifndef SEKIMORI_BENCH_LATENCY_H
#define SEKIMORI_BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_STEPS = 128, LATENCY_OCTAVES = 40 };

struct latency {
    uint64_t counts[LATENCY_OCTAVES * LATENCY_STEPS];
    uint64_t samples;
    double most; /* seconds */
};

void latency_add(struct latency *latency, double seconds);

/* Seconds that `part` (0-1) of the samples do not exceed, at most one step too high; 0 without samples. */
double latency_quantile(const struct latency *latency, double part);

#endif
