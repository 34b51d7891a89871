/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/ */
#include "exposition/openmetrics.h"

#include <inttypes.h>

#include "base/utf8.h"

static const uint32_t scale_divisors[MEASURES_SCALES] = {
    [MEASURES_WORK] = 1000000, [MEASURES_WAIT] = 1000, [MEASURES_SIZE] = 1
};

static const struct {
    const char *name, *suffix;
} types[] = {
    [OPENMETRICS_COUNTER] = { "counter", "_total" }, [OPENMETRICS_GAUGE] = { "gauge", "" },
    [OPENMETRICS_HISTOGRAM] = { "histogram", "" },   [OPENMETRICS_GAUGE_HISTOGRAM] = { "gaugehistogram", "" },
    [OPENMETRICS_INFO] = { "info", "_info" },
};

static void escape(struct text value, struct buffer *out)
{
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        if (c == '\n')
            buffer_add_text(out, TEXT("\\n"));
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else
            buffer_add_char(out, c);
    }
}

void openmetrics_head(const struct openmetrics_family *family, struct buffer *out)
{
    buffer_printf(out, "# TYPE %s %s\n", family->name, types[family->type].name);
    if (family->unit) buffer_printf(out, "# UNIT %s %s\n", family->name, family->unit);
    buffer_printf(out, "# HELP %s ", family->name);
    escape(text_of(family->help), out);
    buffer_add_char(out, '\n');
}

void openmetrics_label(const char *name, struct text value, struct buffer *labels)
{
    size_t good = 0, step;
    while (good < value.length && (step = utf8_sequence(text_slice(value, good, value.length))) > 0)
        good += step;
    buffer_printf(labels, "%s%s=\"", buffer_length(labels) ? "," : "", name);
    escape(text_slice(value, 0, good), labels);
    buffer_add_char(labels, '"');
}

static void number_print(uint64_t value, uint32_t divisor, struct buffer *out)
{
    int digits = 0;
    for (uint32_t rest = divisor; rest > 1; rest /= 10) digits++;
    if (divisor > 1)
        buffer_printf(out, "%" PRIu64 ".%0*" PRIu64, value / divisor, digits, value % divisor);
    else
        buffer_printf(out, "%" PRIu64, value);
}

static void name_print(const struct openmetrics_family *family, const char *suffix, struct text labels,
                       struct buffer *out)
{
    buffer_printf(out, "%s%s", family->name, suffix);
    if (labels.length) buffer_printf(out, "{%.*s}", TEXT_ARG(labels));
    buffer_add_char(out, ' ');
}

static void sample_print(const struct openmetrics_family *family, const char *suffix, struct text labels,
                         uint64_t value, uint32_t divisor, struct buffer *out)
{
    name_print(family, suffix, labels, out);
    number_print(value, divisor, out);
    buffer_add_char(out, '\n');
}

void openmetrics_sample(const struct openmetrics_family *family, struct text labels, uint64_t value,
                        uint32_t divisor, struct buffer *out)
{
    sample_print(family, types[family->type].suffix, labels, value, divisor, out);
}

void openmetrics_signed(const struct openmetrics_family *family, struct text labels, int64_t value,
                        struct buffer *out)
{
    name_print(family, types[family->type].suffix, labels, out);
    buffer_printf(out, "%" PRId64 "\n", value);
}

/* A bound is a float in its canonical form: "0.00025", "1.0". */
static void bound_print(uint64_t value, uint32_t divisor, struct buffer *out)
{
    if (divisor <= 1) {
        number_print(value * 10, 10, out);
        return;
    }
    for (; divisor > 10 && value % 10 == 0; divisor /= 10) value /= 10;
    number_print(value, divisor, out);
}

void openmetrics_histogram(const struct openmetrics_family *family, enum measures_scale scale,
                           const struct histogram *histogram, struct buffer *out)
{
    const struct histogram now = *histogram;
    uint32_t divisor = scale_divisors[scale];
    bool is_gauge = family->type == OPENMETRICS_GAUGE_HISTOGRAM;
    uint64_t count = 0;
    for (unsigned i = 0; i <= MEASURES_BOUNDS; i++) {
        count += now.buckets[i];
        buffer_printf(out, "%s_bucket{le=\"", family->name);
        if (i < MEASURES_BOUNDS)
            bound_print(measures_bounds[scale][i], divisor, out);
        else
            buffer_add_text(out, TEXT("+Inf"));
        buffer_printf(out, "\"} %" PRIu64 "\n", count);
    }
    sample_print(family, is_gauge ? "_gcount" : "_count", TEXT_NONE, count, 1, out);
    sample_print(family, is_gauge ? "_gsum" : "_sum", TEXT_NONE, now.sum, divisor, out);
}

void openmetrics_end(struct buffer *out)
{
    buffer_add_text(out, TEXT("# EOF\n"));
}
