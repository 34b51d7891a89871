/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts of strangers for a terminal or a plain-text mail: nothing in them acts on what shows them. */
#ifndef SEKIMORI_BASE_PLAIN_H
#define SEKIMORI_BASE_PLAIN_H

#include "base/buffer.h"

/* Appends `text` on one line, at most `most` columns wide (0: all of it), an ellipsis where it was cut.
   Control characters, and those that turn the direction of writing, become \n, \t or \u{…}; bytes that are no
   UTF-8 become \x…; a backslash is doubled. Returns the columns used; wide characters take two. */
size_t plain_add(struct buffer *out, struct text text, size_t most);

/* Columns that a text of ours takes as it is: nothing in it is escaped. */
size_t plain_width(struct text text);

#endif
