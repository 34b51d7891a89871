/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A foreign text as people may see it: on one line, without controls, without characters that turn the line
   around, cut. What is not shown as it is stands escaped, so that nothing is hidden. */
#ifndef SEKIMORI_BASE_SHOWN_H
#define SEKIMORI_BASE_SHOWN_H

#include "base/buffer.h"

/* Appends at most `most` columns, the last an ellipsis where the text was longer. Controls and bytes that are
   no UTF-8 become \x0a; invisible and direction-changing characters \u{202e}; a backslash is doubled. */
void shown_add(struct buffer *out, struct text text, size_t most);

/* Columns that valid UTF-8 takes in a fixed-width font: two for East Asian wide characters, none for marks.
 */
size_t shown_width(struct text text);

#endif
