/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file of this folder that knows OpenSSL. */
#include "mail/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/die.h"

/* OpenSSL would look it up by its name for each digest. */
const EVP_MD *digest_sha256_algorithm(void)
{
    static EVP_MD *fetched;
    if (!fetched) fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!fetched) die("SHA-256 is not available");
    return fetched;
}

void digest_sha256(struct text bytes, uint8_t out[DIGEST_BYTES])
{
    unsigned int length = 0;
    if (EVP_Digest(bytes.at ? bytes.at : "", bytes.length, out, &length, digest_sha256_algorithm(), NULL) !=
            1 ||
        length != DIGEST_BYTES)
        die("SHA-256 is not available");
}

size_t digest_by(enum digest_kind kind, struct text bytes, uint8_t out[DIGEST_BYTES])
{
    const EVP_MD *algorithm = kind == DIGEST_SHA256 ? digest_sha256_algorithm()
                              : kind == DIGEST_SHA1 ? EVP_sha1()
                                                    : EVP_md5();
    unsigned int length = 0;
    if (EVP_Digest(bytes.at ? bytes.at : "", bytes.length, out, &length, algorithm, NULL) != 1)
        die("a digest is not available");
    return length;
}

bool digest_equal(const uint8_t a[DIGEST_BYTES], const uint8_t b[DIGEST_BYTES])
{
    return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}

void digest_hmac_sha256(struct text key, struct text bytes, uint8_t out[DIGEST_BYTES])
{
    size_t length = 0;
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.at, key.length, (const unsigned char *)bytes.at,
                   bytes.length, out, DIGEST_BYTES, &length) ||
        length != DIGEST_BYTES)
        die("HMAC-SHA-256 is not available");
}

/* --- many under one key --- */

enum { SHORT_MOST = 256, POLY1305_BYTES = 16 };

struct digest_key {
    EVP_MAC_CTX *sign, *shorten;
    uint8_t shorten_key[DIGEST_BYTES]; /* 32 bytes, as Poly1305 wants */
};

static EVP_MAC_CTX *mac_new(const char *name)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (!context) die("%s is not available", name);
    return context;
}

struct digest_key *digest_key_new(struct text secret)
{
    struct digest_key *key = memory_alloc(sizeof *key);
    const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                                       (char[]){ "SHA256" }, 0),
                                      OSSL_PARAM_construct_end() };
    key->sign = mac_new("HMAC");
    key->shorten = mac_new("POLY1305");
    if (!EVP_MAC_init(key->sign, (const unsigned char *)secret.at, secret.length, parameters))
        die("HMAC-SHA-256 is not available");
    digest_hmac_sha256(secret, TEXT("the key that shortens"), key->shorten_key);
    return key;
}

void digest_key_free(struct digest_key *key)
{
    if (!key) return;
    EVP_MAC_CTX_free(key->sign);
    EVP_MAC_CTX_free(key->shorten);
    free(key);
}

static bool piece_sign(struct digest_key *key, struct text piece)
{
    uint64_t length = htole64(piece.length);
    uint8_t tag[POLY1305_BYTES];
    size_t size = 0;
    if (!EVP_MAC_update(key->sign, (const unsigned char *)&length, sizeof length)) return false;
    if (piece.length <= SHORT_MOST)
        return piece.length == 0 || EVP_MAC_update(key->sign, (const unsigned char *)piece.at, piece.length);
    return EVP_MAC_init(key->shorten, key->shorten_key, sizeof key->shorten_key, NULL) &&
           EVP_MAC_update(key->shorten, (const unsigned char *)piece.at, piece.length) &&
           EVP_MAC_final(key->shorten, tag, &size, sizeof tag) && size == sizeof tag &&
           EVP_MAC_update(key->sign, tag, sizeof tag);
}

void digest_signed(struct digest_key *key, const struct text *pieces, size_t count, uint8_t out[DIGEST_BYTES])
{
    size_t size = 0;
    bool is_good = EVP_MAC_init(key->sign, NULL, 0, NULL);
    for (size_t i = 0; is_good && i < count; i++) is_good = piece_sign(key, pieces[i]);
    if (!is_good || !EVP_MAC_final(key->sign, out, &size, DIGEST_BYTES) || size != DIGEST_BYTES)
        die("a text cannot be signed");
}

char *digest_sha256_hex(struct text bytes, char room[DIGEST_HEX_SIZE])
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(bytes, sum);
    return text_print_hex(text_from((const char *)sum, sizeof sum), room);
}
