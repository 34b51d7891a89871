/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sizes, times, points and times of day, as one writes them. */
#ifndef SEKIMORI_CONFIG_UNITS_H
#define SEKIMORI_CONFIG_UNITS_H

#include "base/buffer.h"

/* "512", "64K", "25M", "1G", "2T": powers of 1024. False also when it does not fit 63 bits. */
bool units_size_parse(struct text word, uint64_t *out_bytes);
/* "500ms", "30s", "5m", "1h", "5d", and "0". */
bool units_time_parse(struct text word, uint64_t *out_ms);
/* "6.8", "20", or "never" (INFINITY); at most nine digits on each side of the point, no sign. */
bool units_points_parse(struct text word, double *out_points);
/* "03:00" */
bool units_clock_parse(struct text word, uint64_t *out_minutes);

/* With the largest unit that leaves a whole number; parsed again they give the same value. */
void units_size_print(uint64_t bytes, struct buffer *out);
void units_time_print(uint64_t ms, struct buffer *out);
void units_points_print(double points, struct buffer *out);
void units_clock_print(uint64_t minutes, struct buffer *out);

#endif
