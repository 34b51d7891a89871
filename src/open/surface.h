/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where poppler and librsvg draw, by cairo, and what they drew in grey. */
#ifndef SEKIMORI_OPEN_SURFACE_H
#define SEKIMORI_OPEN_SURFACE_H

#include <cairo.h>

#include "open/bitmap.h"

struct surface {
    cairo_surface_t *target;
    cairo_t *cairo; /* borrowed: until surface_close */
    void *pixels;
};

/* White. False, and nothing is held: too many pixels. */
bool surface_open(struct surface *canvas, uint32_t width, uint32_t height);

/* Ends it; what was drawn is the caller's. False, and `out` is none: something failed. */
bool surface_close(struct surface *canvas, struct bitmap *out);

#endif
