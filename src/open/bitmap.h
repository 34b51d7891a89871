/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A picture in grey, in memory, as the finder of codes takes it. Every size is bounded before anything is
   allocated for it. */
#ifndef SEKIMORI_OPEN_BITMAP_H
#define SEKIMORI_OPEN_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

enum { BITMAP_PIXELS_MOST = 16 << 20, BITMAP_SIDE_MOST = 32768 };

/* Zero-initialised is none. Lines from the top, without gaps: 0 is black, 255 white. */
struct bitmap {
    uint32_t width, height;
    uint8_t *grey;
};

/* White. False where a side is 0 or too long or the pixels are too many: nothing is allocated then. */
bool bitmap_new(struct bitmap *bitmap, uint32_t width, uint32_t height);
void bitmap_free(struct bitmap *bitmap); /* leaves none */

/* What of the rectangle lies outside is left out. */
void bitmap_fill(struct bitmap *bitmap, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 uint8_t grey);

void bitmap_invert(struct bitmap *bitmap); /* light becomes dark */

/* A new one in `out`; false as bitmap_new. `times`: from 1 on. */
bool bitmap_enlarge(const struct bitmap *bitmap, uint32_t times, struct bitmap *out);
/* Each pixel is the mean of `times` by `times`. */
bool bitmap_shrink(const struct bitmap *bitmap, uint32_t times, struct bitmap *out);
/* `second` to the right of `first`, or below it: their heights, or widths, are equal. */
bool bitmap_join(const struct bitmap *first, const struct bitmap *second, bool is_below, struct bitmap *out);

#endif
