/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The size of an RSA key is read off its DER before OpenSSL sees it, so that none is too long to calculate
   with. Opening one costs a third of a verification, and the same few domains send most mail: the keys of
   late are kept open. */
#include "auth/public_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hash.h"

const char *public_key_kind_name(enum key_kind kind)
{
    return kind == KEY_ED25519 ? "ed25519" : "rsa";
}

static const unsigned char *bytes_of(struct text text)
{
    return (const unsigned char *)(text.at ? text.at : "");
}

/* --- DER, as far as an RSA key needs it --- */

/* Cuts one element of that tag off *rest. False: there is none. */
static bool element_take(struct text *rest, uint8_t tag, struct text *out)
{
    const unsigned char *at = bytes_of(*rest);
    if (rest->length < 2 || at[0] != tag) return false;
    size_t head = 2, length = at[1];
    if (length >= 0x80) {
        size_t octets = length & 0x7f;
        if (octets == 0 || octets > 2 || rest->length < 2 + octets) return false;
        length = octets == 1 ? at[2] : (size_t)at[2] << 8 | at[3];
        head += octets;
    }
    if (length > rest->length - head) return false;
    *out = text_slice(*rest, head, head + length);
    *rest = text_slice(*rest, head + length, rest->length);
    return true;
}

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_SEQUENCE = 0x30 };

static uint32_t integer_bits(struct text integer)
{
    const unsigned char *at = bytes_of(integer);
    size_t zeros = 0;
    while (zeros < integer.length && at[zeros] == 0) zeros++;
    if (zeros == integer.length) return 0;
    return (uint32_t)(8 * (integer.length - zeros)) - (uint32_t)(__builtin_clz(at[zeros]) - 24);
}

/* The SEQUENCE of modulus and exponent, whole, in a SubjectPublicKeyInfo or alone (RFC 8017 appendix A.1.1).
 */
static bool rsa_find(struct text key, struct text *out)
{
    struct text outer = TEXT_NONE, inner = TEXT_NONE, bits = TEXT_NONE, rest = key;
    if (!element_take(&rest, DER_SEQUENCE, &outer)) return false;
    struct text begun = outer;
    if (!element_take(&outer, DER_SEQUENCE, &inner)) {
        *out = text_slice(key, 0, key.length - rest.length);
        return begun.length > 0;
    }
    if (!element_take(&outer, DER_BIT_STRING, &bits) || bits.length < 1 || bits.at[0] != 0) return false;
    *out = text_slice(bits, 1, bits.length);
    return true;
}

static bool rsa_measure(struct text key, uint32_t *out_bits, uint32_t *out_exponent_bits)
{
    struct text rsa = TEXT_NONE, numbers = TEXT_NONE, modulus = TEXT_NONE, exponent = TEXT_NONE;
    if (!rsa_find(key, &rsa) || !element_take(&rsa, DER_SEQUENCE, &numbers)) return false;
    if (!element_take(&numbers, DER_INTEGER, &modulus)) return false;
    if (!element_take(&numbers, DER_INTEGER, &exponent)) return false;
    *out_bits = integer_bits(modulus);
    *out_exponent_bits = integer_bits(exponent);
    return *out_bits > 0;
}

/* --- RSA keys that are open --- */

enum { OPEN_KEYS = 64, OPEN_KEY_BYTES = 600 }; /* RSA-4096 takes 550 */

struct open_key {
    char bytes[OPEN_KEY_BYTES];
    size_t length; /* 0: the place is free */
    EVP_PKEY *opened;
};

/* By a keyed hash, so that nobody chooses whose key his own replaces; one table a thread. */
static struct open_key *open_key_place(struct text key)
{
    static _Thread_local struct open_key places[OPEN_KEYS];
    return &places[hash_text(key) % OPEN_KEYS];
}

/* NULL: it is not open. */
static EVP_PKEY *open_key_find(struct text key)
{
    const struct open_key *place = open_key_place(key);
    if (place->length == 0 || !text_equal(text_from(place->bytes, place->length), key)) return NULL;
    EVP_PKEY_up_ref(place->opened);
    return place->opened;
}

static void open_key_keep(struct text key, EVP_PKEY *opened)
{
    struct open_key *place = open_key_place(key);
    if (key.length > OPEN_KEY_BYTES || EVP_PKEY_up_ref(opened) <= 0) return;
    if (place->length > 0) EVP_PKEY_free(place->opened);
    memcpy(place->bytes, key.at, key.length);
    place->length = key.length;
    place->opened = opened;
}

/* --- verification --- */

static enum key_outcome rsa_open(struct text key, uint32_t *out_bits, EVP_PKEY **out)
{
    struct text rsa = TEXT_NONE;
    uint32_t exponent_bits = 0;
    if (!rsa_measure(key, out_bits, &exponent_bits)) return KEY_BROKEN;
    if (*out_bits < KEY_RSA_BITS_LEAST) return KEY_SHORT;
    if (*out_bits > KEY_RSA_BITS_MOST || exponent_bits > 64) return KEY_LONG;
    *out = open_key_find(key);
    if (*out) return KEY_HOLDS;
    rsa_find(key, &rsa);
    const unsigned char *at = bytes_of(rsa);
    *out = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)rsa.length);
    if (*out) open_key_keep(key, *out);
    return *out ? KEY_HOLDS : KEY_BROKEN;
}

static bool rsa_verify(EVP_PKEY *key, const uint8_t digest[KEY_DIGEST_BYTES], struct text signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool holds =
        context && EVP_PKEY_verify_init(context) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0 &&
        EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
        EVP_PKEY_verify(context, bytes_of(signature), signature.length, digest, KEY_DIGEST_BYTES) > 0;
    EVP_PKEY_CTX_free(context);
    return holds;
}

static enum key_outcome ed25519_open(struct text key, uint32_t *out_bits, EVP_PKEY **out)
{
    if (key.length != KEY_ED25519_BYTES) return KEY_BROKEN;
    *out_bits = 8 * KEY_ED25519_BYTES;
    *out = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes_of(key), key.length);
    return *out ? KEY_HOLDS : KEY_BROKEN;
}

static bool ed25519_verify(EVP_PKEY *key, const uint8_t digest[KEY_DIGEST_BYTES], struct text signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds =
        context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) > 0 &&
        EVP_DigestVerify(context, bytes_of(signature), signature.length, digest, KEY_DIGEST_BYTES) > 0;
    EVP_MD_CTX_free(context);
    return holds;
}

enum key_outcome public_key_verify(enum key_kind kind, struct text key,
                                   const uint8_t digest[KEY_DIGEST_BYTES], struct text signature,
                                   uint32_t *out_bits)
{
    EVP_PKEY *opened = NULL;
    *out_bits = 0;
    enum key_outcome outcome =
        kind == KEY_ED25519 ? ed25519_open(key, out_bits, &opened) : rsa_open(key, out_bits, &opened);
    if (outcome != KEY_HOLDS) {
        ERR_clear_error(); /* of this thread, where TLS would find it */
        return outcome;
    }
    bool holds = kind == KEY_ED25519 ? ed25519_verify(opened, digest, signature)
                                     : rsa_verify(opened, digest, signature);
    EVP_PKEY_free(opened);
    if (!holds) ERR_clear_error();
    return holds ? KEY_HOLDS : KEY_DIFFERS;
}
