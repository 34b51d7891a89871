/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which characters may be shown as they are. Pure. */
#ifndef SEKIMORI_BASE_PRINTABLE_H
#define SEKIMORI_BASE_PRINTABLE_H

#include "base/text.h"

/* Bytes of the character at the front that may stand in a line as it is (a backslash too); 0: a control, one
   that turns the direction or shows nothing, or bytes that are no UTF-8. */
size_t printable_length(struct text text);

/* Every character of it may. An empty text is. */
bool printable_is_whole(struct text text);

/* The code point of the well-formed character of `length` bytes (1 to 4) at the front. */
uint32_t printable_code(struct text text, size_t length);

/* The character acts on what shows it, or takes room or none and shows nothing. */
bool printable_is_active(uint32_t code);

#endif
