/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The pieces that mails of our own are made of. Pure. */
#ifndef SEKIMORI_MAIL_COMPOSE_H
#define SEKIMORI_MAIL_COMPOSE_H

#include "base/buffer.h"

enum { COMPOSE_DATE_SIZE = 40, COMPOSE_LINE = 76 };

/* RFC 5322 section 3.3, in UTC; independent of the locale. */
const char *compose_date(uint64_t ms, char room[COMPOSE_DATE_SIZE]);

/* Lines of `line` characters, each with CRLF; 0: one line without. */
void compose_base64(struct buffer *out, struct text bytes, size_t line);

/* For a header field: controls become blanks or '?', as do bytes over 127. */
void compose_plain(struct buffer *out, struct text text);

#endif
