/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A JSON string, quoted and escaped (RFC 8259 section 7). */
#ifndef SEKIMORI_MASTER_JSON_TEXT_H
#define SEKIMORI_MASTER_JSON_TEXT_H

#include "base/buffer.h"

void json_text_add(struct buffer *out, struct text text);

#endif
