/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Addresses in delivery status: the original recipient of RFC 3461 section 4.2 ("type;address"), and how one
   in UTF-8 is written in ASCII (RFC 6533 section 3). Used by dsn.c and by deliver. */
#ifndef SEKIMORI_MAIL_ORCPT_H
#define SEKIMORI_MAIL_ORCPT_H

#include "base/arena.h"
#include "base/buffer.h"

/* Appends the address as utf-8-addr-xtext: \x{65E5} for what is not ASCII, and for "+", "=", "\", blanks and
   controls. A byte that belongs to no character counts as the character of its number. */
void orcpt_put_utf8(struct text address, struct buffer *out);

/* The original recipient (decoded, as in the envelope) in ASCII alone: where its address has UTF-8 it is of
   type "utf-8", as utf-8-addr-xtext. What is neither ASCII nor UTF-8, or has no type, is returned as it is.
   In the arena, or `orcpt` itself. */
struct text orcpt_to_ascii(struct arena *arena, struct text orcpt);

#endif
