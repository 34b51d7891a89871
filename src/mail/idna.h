/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* International domain names: A-labels (xn--…, what DNS knows) and U-labels (what people read), IDNA2008.
   The only file that knows libidn2. */
#ifndef SEKIMORI_MAIL_IDNA_H
#define SEKIMORI_MAIL_IDNA_H

#include "base/arena.h"

/* The form to ask DNS for and to compare with: A-labels, lower case. A domain in ASCII is only lower-cased,
   whatever it holds; one in UTF-8 must be valid under IDNA2008 and be a host name then, else false. The
   result lives in the arena. */
bool idna_to_ascii(struct arena *arena, struct text domain, struct text *out);

/* For people: each valid A-label as UTF-8, everything else lower-cased. */
struct text idna_to_unicode(struct arena *arena, struct text domain);

/* The same domain, in whichever of its forms both are written. */
bool idna_equal(struct text a, struct text b);

#endif
