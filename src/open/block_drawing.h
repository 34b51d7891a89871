/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Pictures that are drawn with characters: full and half blocks, quadrants, squares, "#". */
#ifndef SEKIMORI_OPEN_BLOCK_DRAWING_H
#define SEKIMORI_OPEN_BLOCK_DRAWING_H

#include "base/text.h"
#include "open/bitmap.h"

enum { DRAWING_LINES_LEAST = 10, DRAWING_LINES_MOST = 200, DRAWING_CELLS_MOST = 400, DRAWINGS_MOST = 4 };

/* Each drawing of at least DRAWING_LINES_LEAST lines. The bitmap is borrowed for the call. False from
   `on_drawing`: no more is wanted. `text`: UTF-8, what is none is a blank. At most DRAWINGS_MOST drawings. */
void block_drawing_find(struct text text, bool (*on_drawing)(void *context, const struct bitmap *bitmap),
                        void *context);

#endif
