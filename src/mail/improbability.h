/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How little a text looks like one that somebody wrote: what tells apart the charsets in which the same bytes
   are whole. Called by charset.c. */
#ifndef SEKIMORI_MAIL_IMPROBABILITY_H
#define SEKIMORI_MAIL_IMPROBABILITY_H

#include "base/text.h"

/* Of valid UTF-8, about in bits: the sum of what each character costs, by its script and its neighbours. Two
   readings of the same bytes compare by it. U+FFFD costs more than any character. What costs `most` or more
   is not read to its end: then it is `most` at least. */
unsigned improbability_of(struct text utf8, unsigned most);

#endif
