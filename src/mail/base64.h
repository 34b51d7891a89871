/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Bytes as base64, RFC 2045 section 6.8. Decoding stands in decode.h. */
#ifndef SEKIMORI_MAIL_BASE64_H
#define SEKIMORI_MAIL_BASE64_H

#include "base/buffer.h"

/* One run, no line ends. */
void base64_add(struct buffer *out, struct text bytes);

/* Lines of 76, with CRLF between; after the last one too when `ends_line`. */
void base64_add_lines(struct buffer *out, struct text bytes, bool ends_line);

#endif
