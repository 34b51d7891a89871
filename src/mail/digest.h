/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SHA-256, for naming bytes and for signing them. */
#ifndef SEKIMORI_MAIL_DIGEST_H
#define SEKIMORI_MAIL_DIGEST_H

#include "base/text.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX_SIZE = 65 };

void digest_sha256(struct text bytes, uint8_t out[DIGEST_BYTES]);

void digest_hmac_sha256(struct text key, struct text bytes, uint8_t out[DIGEST_BYTES]);

/* Lower-case hexadecimal, NUL-ended; returns room. */
char *digest_sha256_hex(struct text bytes, char room[DIGEST_HEX_SIZE]);

#endif
