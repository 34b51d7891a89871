/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Public keys as key records publish them (RFC 6376 section 3.6.1, RFC 8463 section 3), and what they verify.
   Bounded: no key of another size is ever calculated with. */
#ifndef SEKIMORI_AUTH_PUBLIC_KEY_H
#define SEKIMORI_AUTH_PUBLIC_KEY_H

#include "base/text.h"

enum key_kind { KEY_RSA, KEY_ED25519, KEY_KIND_COUNT };

enum {
    KEY_RSA_BITS_LEAST = 1024, /* RFC 8301 section 3.2: a verifier takes 1024 to 4096 */
    KEY_RSA_BITS_MOST = 4096,
    KEY_ED25519_BYTES = 32,   /* RFC 8463 section 3 */
    KEY_SIGNATURE_MOST = 512, /* bytes, of RSA-4096 */
    KEY_DIGEST_BYTES = 32     /* SHA-256 */
};

enum key_outcome {
    KEY_HOLDS,   /* the signature is this key's */
    KEY_DIFFERS, /* it is not */
    KEY_BROKEN,  /* these bytes are no key of that kind */
    KEY_SHORT,   /* RSA below 1024 bits */
    KEY_LONG,    /* RSA over 4096 bits, or with an exponent over 64 bits: nothing was calculated */
};

/* `key`: of RSA a SubjectPublicKeyInfo or a bare RSAPublicKey in DER, of Ed25519 its 32 bytes. RSA by PKCS #1
   v1.5 with SHA-256; Ed25519 signs the digest as its message. *out_bits is the key's size, 0 where it is
   broken. */
enum key_outcome public_key_verify(enum key_kind kind, struct text key,
                                   const uint8_t digest[KEY_DIGEST_BYTES], struct text signature,
                                   uint32_t *out_bits);

const char *public_key_kind_name(enum key_kind kind); /* as k= has it: "rsa", "ed25519" */

#endif
