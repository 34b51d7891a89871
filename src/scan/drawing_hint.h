/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Could a picture code be drawn in a text? What says no saves a reader. */
#ifndef SEKIMORI_SCAN_DRAWING_HINT_H
#define SEKIMORI_SCAN_DRAWING_HINT_H

#include "base/text.h"

/* UTF-8: by block characters, squares or "#", in lines that follow one another. */
bool drawing_hint_of_text(struct text text);
/* The same, by them as entities too, by cells with backgrounds, by SVG and by data: addresses of pictures. */
bool drawing_hint_of_html(struct text html);

#endif
