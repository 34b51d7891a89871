/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SHA-256, for naming bytes and for signing them. */
#ifndef SEKIMORI_MAIL_DIGEST_H
#define SEKIMORI_MAIL_DIGEST_H

#include "base/text.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX_SIZE = 65 };

/* In the same time, wherever two digests differ. */
bool digest_equal(const uint8_t a[DIGEST_BYTES], const uint8_t b[DIGEST_BYTES]);

enum digest_kind { DIGEST_SHA256, DIGEST_SHA1, DIGEST_MD5 };
/* Of what others publish, into the first bytes of *out. Returns how many. Once before the jail, as OpenSSL
   opens files. Dies where OpenSSL lacks it. */
size_t digest_by(enum digest_kind kind, struct text bytes, uint8_t out[DIGEST_BYTES]);

/* Both die where OpenSSL lacks the algorithm. HMAC is that of RFC 2104. */
void digest_sha256(struct text bytes, uint8_t out[DIGEST_BYTES]);
void digest_hmac_sha256(struct text key, struct text bytes, uint8_t out[DIGEST_BYTES]);

/* The algorithm, looked up by OpenSSL once in a process; the same for as long as it runs. */
const struct evp_md_st *digest_sha256_algorithm(void);

/* Signs many texts under one secret, fast: what is long is first made short by Poly1305 under a key of its
   own, which nobody sees the results of, then all is signed by HMAC-SHA-256. */
struct digest_key;
struct digest_key *digest_key_new(struct text secret); /* once before the jail: OpenSSL opens files */
void digest_key_free(struct digest_key *key);          /* NULL is allowed */

/* Of the pieces one after the other; their lengths count too. The same on every machine. */
void digest_signed(struct digest_key *key, const struct text *pieces, size_t count,
                   uint8_t out[DIGEST_BYTES]);

/* Lower-case hexadecimal, NUL-ended; returns room. */
char *digest_sha256_hex(struct text bytes, char room[DIGEST_HEX_SIZE]);

#endif
