/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Keys as OpenSSL holds them. */
#include "auth/private_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/die.h"
#include "mail/base64.h"

struct private_key {
    EVP_PKEY *pair;
    enum key_kind kind;
};

/* --- reading and making --- */

/* Takes the pair over. NULL with the reason: it is none that signs mail. */
static struct private_key *wrap(EVP_PKEY *pair, char *error, size_t size)
{
    int id = EVP_PKEY_get_base_id(pair), bits = EVP_PKEY_get_bits(pair);
    bool is_good = true;
    if (id != EVP_PKEY_RSA && id != EVP_PKEY_ED25519) {
        snprintf(error, size, "a key of neither RSA nor Ed25519");
        is_good = false;
    } else if (id == EVP_PKEY_RSA && (bits < KEY_RSA_BITS_LEAST || bits > KEY_RSA_BITS_MOST)) {
        snprintf(error, size, "an RSA key of %d bits: %d to %d are accepted", bits, KEY_RSA_BITS_LEAST,
                 KEY_RSA_BITS_MOST);
        is_good = false;
    }
    if (!is_good) {
        EVP_PKEY_free(pair);
        return NULL;
    }
    struct private_key *key = memory_alloc(sizeof *key);
    key->pair = pair;
    key->kind = id == EVP_PKEY_ED25519 ? KEY_ED25519 : KEY_RSA;
    return key;
}

/* A key with a passphrase is not asked for one. */
static int no_passphrase(char *room, int size, int is_writing, void *context)
{
    return -1;
}

static EVP_PKEY *pem_read(struct text bytes)
{
    BIO *bio = BIO_new_mem_buf(bytes.at, (int)bytes.length);
    EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return pair;
}

enum { FILE_MOST = 64 * 1024 };

struct private_key *private_key_load(struct text bytes, char *error, size_t size)
{
    EVP_PKEY *pair = NULL;
    bool is_pem = text_find(bytes, TEXT("-----BEGIN ")) < bytes.length;
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.length > 0 && bytes.length <= FILE_MOST)
        pair = is_pem ? pem_read(bytes) : d2i_AutoPrivateKey(NULL, &at, (long)bytes.length);
    ERR_clear_error();
    if (pair) return wrap(pair, error, size);
    snprintf(error, size,
             is_pem ? "no private key, or one with a passphrase" : "neither PEM nor DER of a key");
    return NULL;
}

struct private_key *private_key_new(enum key_kind kind, uint32_t bits)
{
    char error[128];
    if (kind == KEY_RSA && (bits < KEY_RSA_BITS_LEAST || bits > KEY_RSA_BITS_MOST)) return NULL;
    EVP_PKEY *pair = kind == KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                         : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    return pair ? wrap(pair, error, sizeof error) : NULL;
}

void private_key_free(struct private_key *key)
{
    if (!key) return;
    EVP_PKEY_free(key->pair);
    free(key);
}

enum key_kind private_key_kind(const struct private_key *key)
{
    return key->kind;
}

uint32_t private_key_bits(const struct private_key *key)
{
    return key->kind == KEY_ED25519 ? 8 * KEY_ED25519_BYTES : (uint32_t)EVP_PKEY_get_bits(key->pair);
}

/* --- signing --- */

static bool rsa_sign(EVP_PKEY *pair, const uint8_t digest[KEY_DIGEST_BYTES], uint8_t *out, size_t *length)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair, NULL);
    bool is_signed = context && EVP_PKEY_sign_init(context) > 0 &&
                     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0 &&
                     EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
                     EVP_PKEY_sign(context, out, length, digest, KEY_DIGEST_BYTES) > 0;
    EVP_PKEY_CTX_free(context);
    return is_signed;
}

static bool ed25519_sign(EVP_PKEY *pair, const uint8_t digest[KEY_DIGEST_BYTES], uint8_t *out, size_t *length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed = context && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) > 0 &&
                     EVP_DigestSign(context, out, length, digest, KEY_DIGEST_BYTES) > 0;
    EVP_MD_CTX_free(context);
    return is_signed;
}

bool private_key_sign(const struct private_key *key, const uint8_t digest[KEY_DIGEST_BYTES],
                      struct buffer *out)
{
    uint8_t signature[KEY_SIGNATURE_MOST];
    size_t length = sizeof signature;
    bool is_signed = key->kind == KEY_ED25519 ? ed25519_sign(key->pair, digest, signature, &length)
                                              : rsa_sign(key->pair, digest, signature, &length);
    if (is_signed)
        buffer_add(out, signature, length);
    else
        ERR_clear_error();
    return is_signed;
}

/* --- writing --- */

void private_key_pem_add(const struct private_key *key, struct buffer *out)
{
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || !PEM_write_bio_PrivateKey(bio, key->pair, NULL, NULL, 0, NULL, NULL))
        die("OpenSSL cannot write a private key");
    long length = BIO_get_mem_data(bio, &bytes);
    buffer_add(out, bytes, (size_t)length);
    BIO_free(bio);
}

void private_key_public_add(const struct private_key *key, struct buffer *out)
{
    uint8_t raw[KEY_ED25519_BYTES];
    size_t size = sizeof raw;
    unsigned char *der = NULL;
    if (key->kind == KEY_ED25519) {
        if (!EVP_PKEY_get_raw_public_key(key->pair, raw, &size)) die("OpenSSL cannot write a public key");
        buffer_add(out, raw, size);
        return;
    }
    int length = i2d_PUBKEY(key->pair, &der);
    if (length <= 0) die("OpenSSL cannot write a public key");
    buffer_add(out, der, (size_t)length);
    OPENSSL_free(der);
}

void private_key_record_add(const struct private_key *key, struct buffer *out)
{
    struct buffer bytes = { 0 };
    private_key_public_add(key, &bytes);
    buffer_printf(out, "v=DKIM1; k=%s; p=", public_key_kind_name(key->kind));
    base64_add(out, buffer_text(&bytes));
    buffer_free(&bytes);
}
