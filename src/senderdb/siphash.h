/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): a keyed hash for names that are stored. Who does
   not know the key can neither guess which name a hash is of nor make two names with one hash. */
#ifndef SEKIMORI_SENDERDB_SIPHASH_H
#define SEKIMORI_SENDERDB_SIPHASH_H

#include "base/text.h"

enum { SIPHASH_BYTES = 16 }; /* of the key and of the result */

/* Any key, any text. */
void siphash(const uint8_t key[SIPHASH_BYTES], struct text text, uint8_t out[SIPHASH_BYTES]);

#endif
