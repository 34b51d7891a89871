/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* RGB24 of cairo: a word a pixel, lines with gaps. */
#include "open/surface.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/die.h"

enum { HUGE_PAGE = 2 << 20 };

/* In huge pages, where the kernel has some: a page of a PDF is 1,200 small ones, and a fault for each is
 * dear.
 */
static void *pixels_new(size_t bytes)
{
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *pixels = bytes < HUGE_PAGE ? malloc(bytes) : aligned_alloc(HUGE_PAGE, whole);
    if (!pixels) die("out of memory (%zu bytes)", bytes);
    if (bytes >= HUGE_PAGE) madvise(pixels, whole, MADV_HUGEPAGE);
    return pixels;
}

bool surface_open(struct surface *canvas, uint32_t width, uint32_t height)
{
    *canvas = (struct surface){ 0 };
    if (width > BITMAP_SIDE_MOST || height > BITMAP_SIDE_MOST) return false;
    if ((uint64_t)width * height > BITMAP_PIXELS_MOST) return false;
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, (int)width);
    canvas->pixels = pixels_new((size_t)stride * height);
    canvas->target = cairo_image_surface_create_for_data(canvas->pixels, CAIRO_FORMAT_RGB24, (int)width,
                                                         (int)height, stride);
    canvas->cairo = cairo_create(canvas->target);
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return true;
}

/* Where the compiler sees that nothing else changes, it takes many pixels at once. */
static void line_take(const uint32_t *restrict colours, uint8_t *restrict out, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t colour = colours[x];
        uint32_t grey = (colour >> 16 & 0xFF) * 77 + (colour >> 8 & 0xFF) * 150 + (colour & 0xFF) * 29;
        out[x] = (uint8_t)(grey / 256);
    }
}

static void take(cairo_surface_t *surface, struct bitmap *out)
{
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *data = cairo_image_surface_get_data(surface);
    for (uint32_t y = 0; y < out->height; y++)
        line_take((const uint32_t *)(const void *)(data + y * stride), out->grey + (size_t)y * out->width,
                  out->width);
}

bool surface_close(struct surface *canvas, struct bitmap *out)
{
    *out = (struct bitmap){ 0 };
    cairo_surface_flush(canvas->target);
    bool is_good = cairo_surface_status(canvas->target) == CAIRO_STATUS_SUCCESS &&
                   bitmap_new(out, (uint32_t)cairo_image_surface_get_width(canvas->target),
                              (uint32_t)cairo_image_surface_get_height(canvas->target));
    if (is_good) take(canvas->target, out);
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->target);
    free(canvas->pixels);
    *canvas = (struct surface){ 0 };
    return is_good;
}
