/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Charts for the report, as PNG: as wide as a telephone, drawn at twice the size they are shown at, for sharp
   screens, without a ground of their own, in colours that stand out from white and from black. */
#ifndef SEKIMORI_REPORT_DAILY_CHART_H
#define SEKIMORI_REPORT_DAILY_CHART_H

#include "base/buffer.h"
#include "statistics/sheet.h"

enum { CHART_WIDTH = 356, CHART_HEIGHT = 200, CHART_POINTS_MOST = 62, CHART_SERIES_MOST = 4 };

/* Bars, one a point, of the series stacked from the first one up. */
struct chart {
    unsigned points;
    const char *const *labels; /* one a point, NULL: none there */
    const bool *is_shaded;     /* one a point: a day off; NULL: none */
    unsigned series_count;
    struct chart_series {
        const char *name;     /* as it is shown */
        uint32_t colour;      /* 0xrrggbb */
        const double *values; /* one a point */
    } series[CHART_SERIES_MOST];
};

/* Appends the PNG. False, with the reason in the log, when it cannot be drawn. */
bool chart_draw(const struct chart *chart, struct buffer *out_png);

/* The least of 1, 2, 2.5 and 5 times a power of ten by which `most` is reached in at most `steps` steps, 1 or
 * more. */
double chart_step(double most, unsigned steps);

#endif
