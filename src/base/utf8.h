/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Well-formed UTF-8: RFC 3629 section 4. No overlong forms, no surrogates, nothing over U+10FFFF. */
#ifndef SEKIMORI_BASE_UTF8_H
#define SEKIMORI_BASE_UTF8_H

#include "base/text.h"

/* Bytes of the character at the front of `text` (1 to 4), 0 when there is no well-formed one. */
size_t utf8_sequence(struct text text);

bool utf8_is_valid(struct text text); /* an empty text is */

/* The bytes of a code point, and how many; 0: it is U+0000, a surrogate, or over U+10FFFF. */
size_t utf8_write(uint32_t point, char out[4]);

#endif
