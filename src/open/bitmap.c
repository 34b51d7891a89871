/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plain loops: what is large has been shrunk before most of them. */
#include "open/bitmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

bool bitmap_new(struct bitmap *bitmap, uint32_t width, uint32_t height)
{
    *bitmap = (struct bitmap){ 0 };
    if (width == 0 || height == 0 || width > BITMAP_SIDE_MOST || height > BITMAP_SIDE_MOST) return false;
    if ((uint64_t)width * height > BITMAP_PIXELS_MOST) return false;
    *bitmap = (struct bitmap){ width, height, memory_alloc((size_t)width * height) };
    memset(bitmap->grey, 255, (size_t)width * height);
    return true;
}

void bitmap_free(struct bitmap *bitmap)
{
    free(bitmap->grey);
    *bitmap = (struct bitmap){ 0 };
}

static uint8_t *line_of(const struct bitmap *bitmap, uint32_t y)
{
    return bitmap->grey + (size_t)y * bitmap->width;
}

void bitmap_fill(struct bitmap *bitmap, uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint8_t grey)
{
    if (x >= bitmap->width || y >= bitmap->height) return;
    if (width > bitmap->width - x) width = bitmap->width - x;
    if (height > bitmap->height - y) height = bitmap->height - y;
    for (uint32_t i = 0; i < height; i++) memset(line_of(bitmap, y + i) + x, grey, width);
}

void bitmap_invert(struct bitmap *bitmap)
{
    uint8_t *grey = bitmap->grey;
    size_t pixels = (size_t)bitmap->width * bitmap->height;
    for (size_t i = 0; i < pixels; i++) grey[i] = (uint8_t)(255 - grey[i]);
}

bool bitmap_enlarge(const struct bitmap *bitmap, uint32_t times, struct bitmap *out)
{
    if (bitmap->width > BITMAP_SIDE_MOST / times || bitmap->height > BITMAP_SIDE_MOST / times) return false;
    if (!bitmap_new(out, bitmap->width * times, bitmap->height * times)) return false;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *from = line_of(bitmap, y / times);
        uint8_t *to = line_of(out, y);
        for (uint32_t x = 0; x < out->width; x++) to[x] = from[x / times];
    }
    return true;
}

static inline uint8_t mean(const struct bitmap *bitmap, uint32_t left, uint32_t top, uint32_t times)
{
    uint32_t sum = 0;
    for (uint32_t y = 0; y < times; y++)
        for (uint32_t x = 0; x < times; x++) sum += line_of(bitmap, top + y)[left + x];
    return (uint8_t)(sum / (times * times));
}

static void paste(const struct bitmap *bitmap, uint32_t x, uint32_t y, struct bitmap *out)
{
    for (uint32_t i = 0; i < bitmap->height; i++)
        memcpy(line_of(out, y + i) + x, line_of(bitmap, i), bitmap->width);
}

static inline void means_fill(const struct bitmap *bitmap, uint32_t times, struct bitmap *out)
{
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++)
            line_of(out, y)[x] = mean(bitmap, x * times, y * times, times);
}

/* By one and by two are what most pictures come to: the compiler knows how to halve. */
bool bitmap_shrink(const struct bitmap *bitmap, uint32_t times, struct bitmap *out)
{
    if (!bitmap_new(out, bitmap->width / times, bitmap->height / times)) return false;
    if (times == 1)
        paste(bitmap, 0, 0, out);
    else if (times == 2)
        means_fill(bitmap, 2, out);
    else
        means_fill(bitmap, times, out);
    return true;
}

bool bitmap_join(const struct bitmap *first, const struct bitmap *second, bool is_below, struct bitmap *out)
{
    uint32_t width = is_below ? first->width : first->width + second->width;
    uint32_t height = is_below ? first->height + second->height : first->height;
    bool fits = is_below ? first->width == second->width : first->height == second->height;
    if (!fits || !bitmap_new(out, width, height)) return false;
    paste(first, 0, 0, out);
    paste(second, is_below ? 0 : first->width, is_below ? first->height : 0, out);
    return true;
}
