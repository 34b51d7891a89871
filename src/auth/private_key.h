/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Private keys that sign digests: for the process that holds them, which sees nothing of a message but the
   digests, and for the command that makes them. */
#ifndef SEKIMORI_AUTH_PRIVATE_KEY_H
#define SEKIMORI_AUTH_PRIVATE_KEY_H

#include "auth/public_key.h"
#include "base/buffer.h"

struct private_key;

/* PEM (PKCS #8, or PKCS #1 of RSA, without a passphrase) or the same in DER; RSA of 1024 to 4096 bits, or
   Ed25519. NULL with the reason in `error`, NUL-ended. The caller frees it. */
struct private_key *private_key_load(struct text bytes, char *error, size_t size);

/* A new pair. `bits`, for RSA alone: 1024 to 4096. NULL: OpenSSL refuses. The caller frees it. */
struct private_key *private_key_new(enum key_kind kind, uint32_t bits);

void private_key_free(struct private_key *key); /* NULL is allowed */

/* What it was made or loaded as. */
enum key_kind private_key_kind(const struct private_key *key);
uint32_t private_key_bits(const struct private_key *key); /* 256 of Ed25519 */

/* Appends the raw signature of the digest, which public_key_verify takes. False with nothing appended:
   OpenSSL refuses. */
bool private_key_sign(const struct private_key *key, const uint8_t digest[KEY_DIGEST_BYTES],
                      struct buffer *out);

/* Appends the key as PEM (PKCS #8), for a file. */
void private_key_pem_add(const struct private_key *key, struct buffer *out);

/* Appends the public half as p= has it, in DER or 32 raw bytes. */
void private_key_public_add(const struct private_key *key, struct buffer *out);

/* Appends the TXT record for SELECTOR._domainkey.DOMAIN: "v=DKIM1; k=rsa; p=MIIB…" (RFC 6376 section 3.6.1),
   unbroken: who writes it into a zone cuts it into strings of 255 bytes. */
void private_key_record_add(const struct private_key *key, struct buffer *out);

#endif
