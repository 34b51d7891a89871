/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SVG to grey, by librsvg, which is given bytes and no place where it could fetch others. */
#ifndef SEKIMORI_OPEN_SVG_READER_H
#define SEKIMORI_OPEN_SVG_READER_H

#include "base/text.h"
#include "open/bitmap.h"

void svg_reader_warm_up(void); /* what librsvg would open at its first picture: before the jail */

/* On white, within a square of SVG_SIDE. `out` is the caller's. False: it is none, or damaged. One that
   stands in HTML and names no namespace is taken too. */
bool svg_reader_read(struct text bytes, struct bitmap *out);

enum { SVG_SIDE = 800 };

#endif
