/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* 128 bits that tell messages apart, fast. With a seed that outsiders do not know nobody can make two
   messages alike on purpose; for anything that has to stand alone there is digest.h. */
#ifndef SEKIMORI_MAIL_FINGERPRINT_H
#define SEKIMORI_MAIL_FINGERPRINT_H

#include "base/text.h"

enum { FINGERPRINT_BYTES = 16 };

/* Of the pieces one after the other; their lengths count too. The same on every machine. */
void fingerprint(uint64_t seed, const struct text *pieces, size_t count, char out[FINGERPRINT_BYTES]);

#endif
