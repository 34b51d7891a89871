/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the key and forgets it. */
#include "base/signing_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { BITS_LEAST = 1024, BITS_MOST = 4096 /* RFC 8301 section 3.2 */, FILE_MOST = 64 * 1024 };

static int no_passphrase(char *room, int size, int is_writing, void *context)
{
    return -1;
}

static EVP_PKEY *pair_read(struct text pem)
{
    BIO *bio = pem.length > 0 && pem.length <= FILE_MOST ? BIO_new_mem_buf(pem.at, (int)pem.length) : NULL;
    EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return pair;
}

const char *signing_key_trouble(struct text pem, bool is_ed25519)
{
    EVP_PKEY *pair = pair_read(pem);
    if (!pair) return "no private key in PEM, or one with a passphrase";
    int id = EVP_PKEY_get_base_id(pair), bits = EVP_PKEY_get_bits(pair);
    EVP_PKEY_free(pair);
    if (is_ed25519) return id == EVP_PKEY_ED25519 ? NULL : "not a key of Ed25519";
    if (id != EVP_PKEY_RSA) return "not a key of RSA";
    if (bits < BITS_LEAST) return "an RSA key of less than 1024 bits, which nobody accepts";
    return bits > BITS_MOST ? "an RSA key of more than 4096 bits, which others need not verify" : NULL;
}
