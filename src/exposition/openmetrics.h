/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The text form of OpenMetrics 1.0: a family's head, its samples, labels. Pure; knows no metric. */
#ifndef SEKIMORI_EXPOSITION_OPENMETRICS_H
#define SEKIMORI_EXPOSITION_OPENMETRICS_H

#include "base/buffer.h"
#include "ipc/measures.h"

#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum openmetrics_type {
    OPENMETRICS_COUNTER, /* its samples end in _total */
    OPENMETRICS_GAUGE,
    OPENMETRICS_HISTOGRAM,
    OPENMETRICS_GAUGE_HISTOGRAM, /* what it counts goes away again */
    OPENMETRICS_INFO,            /* its sample ends in _info */
};

struct openmetrics_family {
    const char *name;
    enum openmetrics_type type;
    const char *unit; /* which the name ends in; NULL: it counts things */
    const char *help; /* a sentence */
};

/* Appends, as all below. */
void openmetrics_head(const struct openmetrics_family *family, struct buffer *out);
/* name="value", behind a comma where `labels` has some; the value is escaped, and a character that is no
   UTF-8 cuts it. */
void openmetrics_label(const char *name, struct text value, struct buffer *labels);
/* `value` divided by `divisor`, a power of ten from 1 on: milliseconds and 1000 are seconds. `labels` may be
   empty. */
void openmetrics_sample(const struct openmetrics_family *family, struct text labels, uint64_t value,
                        uint32_t divisor, struct buffer *out);
/* A whole number that may be below 0. */
void openmetrics_signed(const struct openmetrics_family *family, struct text labels, int64_t value,
                        struct buffer *out);
/* All samples of a histogram without labels. Its count is the sum of its buckets, whatever its writer does
   meanwhile. */
void openmetrics_histogram(const struct openmetrics_family *family, enum measures_scale scale,
                           const struct histogram *histogram, struct buffer *out);
void openmetrics_end(struct buffer *out); /* nothing may follow */

#endif
