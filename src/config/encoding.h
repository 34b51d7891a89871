/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tells a file that is no UTF-8 from one with a wrong byte. */
#ifndef SEKIMORI_CONFIG_ENCODING_H
#define SEKIMORI_CONFIG_ENCODING_H

#include "base/text.h"

struct encoding {
    const char *name;  /* "Shift_JIS" */
    const char *iconv; /* what iconv -f calls it */
};

/* NULL: UTF-8 (with or without a byte order mark), or UTF-8 but for some bytes. Else what the file looks
   like, in static storage, and where the first byte is that is not UTF-8. */
const struct encoding *encoding_guess(struct text content, size_t *out_offset);

#endif
