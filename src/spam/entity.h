/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Character references of HTML: "&amp;", "&#12354;", "&#x3042;". */
#ifndef SEKIMORI_SPAM_ENTITY_H
#define SEKIMORI_SPAM_ENTITY_H

#include "base/buffer.h"

enum { ENTITY_BYTES_MOST = 32 }; /* a longer one is none */

/* `text` begins with "&". Appends the character it stands for, in UTF-8, and returns its length with the
   semicolon, which may be missing behind a number and the oldest names, as browsers have it. 0, nothing
   appended: it is none, and the "&" stands for itself. */
size_t entity_read(struct text text, struct buffer *out);

#endif
