/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* RGB24 of cairo: a word a pixel, lines with gaps. */
#include "open/surface.h"

#include <string.h>

bool surface_open(struct surface *canvas, uint32_t width, uint32_t height)
{
    *canvas = (struct surface){ 0 };
    if (width > BITMAP_SIDE_MOST || height > BITMAP_SIDE_MOST) return false;
    if ((uint64_t)width * height > BITMAP_PIXELS_MOST) return false;
    canvas->target = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    canvas->cairo = cairo_create(canvas->target);
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return true;
}

static void take(cairo_surface_t *surface, struct bitmap *out)
{
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *data = cairo_image_surface_get_data(surface);
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++) {
            uint32_t colour;
            memcpy(&colour, data + y * stride + x * sizeof colour, sizeof colour);
            uint32_t grey = (colour >> 16 & 0xFF) * 77 + (colour >> 8 & 0xFF) * 150 + (colour & 0xFF) * 29;
            out->grey[(size_t)y * out->width + x] = (uint8_t)(grey / 256);
        }
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
    *canvas = (struct surface){ 0 };
    return is_good;
}
