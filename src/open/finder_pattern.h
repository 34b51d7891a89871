/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Could a QR code be in a picture? Its three finder patterns (ISO/IEC 18004 section 6.3.3) are 1:1:3:1:1 of
   dark and light along rows and columns through them. A look at every third row (of a small picture at each),
   and at columns where that shows some, by the edges that libzbar sees: what says no saves the whole search.
 */
#ifndef SEKIMORI_OPEN_FINDER_PATTERN_H
#define SEKIMORI_OPEN_FINDER_PATTERN_H

#include "open/bitmap.h"

/* `enlarged`: how many pixels wide and high each of the picture was made before; 1: it was not. Then one line
   through each is enough. Dark on light: whether three that rows and columns cross in lie as those of a code
   do, seen from aside and turned too. False: libzbar would find none, as far as drawn codes of many shapes
   have shown (README.md). */
bool finder_pattern_may_be(const struct bitmap *bitmap, uint32_t enlarged);

#endif
