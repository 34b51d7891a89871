/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a load run has to say at its end. */
#ifndef SEKIMORI_BENCH_LOAD_REPORT_H
#define SEKIMORI_BENCH_LOAD_REPORT_H

#include "base/text.h"
#include "latency.h"

enum { LOAD_ENDINGS = 64 };

/* Messages that ended alike: where in the conversation, with which code. `example` is the first reply's text.
 */
struct load_ending {
    const char *where;
    int code; /* 0: no reply, `example` says why */
    uint64_t count;
    char example[128];
};

struct load_report {
    double begun, ended, last_reply; /* CLOCK_MONOTONIC; the first connection is opened at `begun` */
    uint64_t acknowledged, connections, failed_connects;
    struct latency latency; /* of acknowledged messages */
    struct load_ending endings[LOAD_ENDINGS];
    unsigned ending_count;
};

/* Counts an ending; once the table is full unlike ones go into its last row. */
void load_report_ending(struct load_report *report, const char *where, int code, struct text why);

/* To standard output; the processor time is this process's own until now. */
void load_report_print(const struct load_report *report, bool json);

#endif
