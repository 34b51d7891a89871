/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names that are often lent without asking: who writes under one of them should do so from its domain. */
#ifndef SEKIMORI_SPAM_BRANDS_H
#define SEKIMORI_SPAM_BRANDS_H

#include "base/text.h"

/* A folded text (a display name, a Subject) has the name of a brand, and the organisational domain that wrote
   it is none of that brand's, nor of another that is named there. Names that are spread ("p a y p a l") are
   read too. Who writes from its own domain claims nothing: whether that is forged, authentication tells. */
bool brands_are_claimed(struct text folded, struct text organization);

/* A host, in small letters, has a brand's name as one of its words ("secure-paypal.example",
   "paypal.kuvx.example") and its organisational domain is none of that brand's. Of names that are common
   words nothing is said. */
bool brands_are_lent(struct text host, struct text organization);

#endif
