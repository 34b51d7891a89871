/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A JSON string (RFC 8259 section 7), for processes that write a little JSON and have no library for it. */
#ifndef SEKIMORI_BASE_JSON_TEXT_H
#define SEKIMORI_BASE_JSON_TEXT_H

#include "base/buffer.h"

/* Quoted and escaped; bytes that are no UTF-8 become U+FFFD. */
void json_text_add(struct buffer *out, struct text text);

#endif
