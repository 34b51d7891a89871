/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When a certificate ends. */
#ifndef SEKIMORI_REPORT_EXPIRY_H
#define SEKIMORI_REPORT_EXPIRY_H

#include "base/text.h"

/* Of the certificate in `pem` that ends first, in seconds since 1970. False: there is none. */
bool expiry_of(struct text pem, int64_t *out_ends);

#endif
