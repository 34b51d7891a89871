/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a load run counted, and how it is printed. */
#ifndef SEKIMORI_BENCH_REPORT_H
#define SEKIMORI_BENCH_REPORT_H

#include "base/text.h"
#include "ids.h"
#include "latency.h"

enum { REPORT_KINDS_MOST = 64, REPORT_WHY_BYTES = 128 };

/* One way in which messages ended: the reply's code, where it came, and the first text seen with it. */
struct report_kind {
    const char *where;
    int code; /* 0: no reply */
    uint64_t count;
    char why[REPORT_WHY_BYTES];
};

struct report {
    uint64_t finished, acknowledged, unsent; /* unsent: due, but the run was over */
    uint64_t connections, failed_connects;
    double began, ended; /* first connect, last end of a message: tool_now seconds */
    struct ids *acknowledged_ids;
    struct latency latency; /* of acknowledged messages */
    struct report_kind kinds[REPORT_KINDS_MOST];
    size_t kind_count;
};

void report_count(struct report *report, const char *where, int code, struct text why);

void report_print(const struct report *report, bool json);

#endif
