/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* PNG, JPEG, GIF (its first picture), BMP and WebP to grey, by libgd. */
#ifndef SEKIMORI_OPEN_PICTURE_READER_H
#define SEKIMORI_OPEN_PICTURE_READER_H

#include "base/text.h"
#include "open/bitmap.h"

/* libgd writes nothing anywhere from now on: before the first picture. */
void picture_reader_warm_up(void);

/* On white, and where some of it is transparent also on black, in `out_on_black`, else none. Both are the
   caller's. False: damaged, or more pixels than BITMAP_PIXELS_MOST, by its header. */
bool picture_reader_read(struct text bytes, struct bitmap *out, struct bitmap *out_on_black);

#endif
