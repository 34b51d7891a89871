/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Header fields with 8-bit text in ASCII: for servers that take 7 bits only. Called by convert.c. */
#ifndef SEKIMORI_MAIL_FIELD_ASCII_H
#define SEKIMORI_MAIL_FIELD_ASCII_H

#include "base/buffer.h"
#include "mail/header.h"

/* Appends the whole field, CRLF-ended, in ASCII: text, phrases and comments as encoded words (RFC 2047
   section 5), parameters of MIME fields by RFC 2231, domains of addresses as A-labels. Text that is not UTF-8
   is read in `charset`, or, where that is empty or wrong, in the likeliest one. False, with something
   appended that is of no use: what is not ASCII stands where neither may be, as in an address. */
bool field_ascii_put(const struct header_field *field, struct text charset, struct buffer *out);

#endif
