/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file of this folder that knows OpenSSL. */
#include "mail/digest.h"

#include <openssl/evp.h>

#include "base/die.h"

void digest_sha256(struct text bytes, uint8_t out[DIGEST_BYTES])
{
    unsigned int length = 0;
    if (EVP_Digest(bytes.at ? bytes.at : "", bytes.length, out, &length, EVP_sha256(), NULL) != 1 ||
        length != DIGEST_BYTES)
        die("SHA-256 is not available");
}

void digest_hmac_sha256(struct text key, struct text bytes, uint8_t out[DIGEST_BYTES])
{
    size_t length = 0;
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.at, key.length, (const unsigned char *)bytes.at,
                   bytes.length, out, DIGEST_BYTES, &length) ||
        length != DIGEST_BYTES)
        die("HMAC-SHA-256 is not available");
}

char *digest_sha256_hex(struct text bytes, char room[DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(bytes, sum);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        room[2 * i] = digits[sum[i] >> 4];
        room[2 * i + 1] = digits[sum[i] & 15];
    }
    room[2 * DIGEST_BYTES] = '\0';
    return room;
}
