/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is inside of CMS (RFC 5652) that nobody needs a key for: data, signed, digested, compressed (RFC
   3274). No signature is looked at. */
#ifndef SEKIMORI_OPEN_CMS_READER_H
#define SEKIMORI_OPEN_CMS_READER_H

#include "open/members.h"

/* BER, or with `is_pem` the same in base64 between two lines. One member at most goes to `unpack`; a
   signature alone has none. */
void cms_read(struct unpack *unpack, struct text bytes, bool is_pem);

#endif
