/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads a PEM chain for its dates. */
#include "report/expiry.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

bool expiry_of(struct text pem, int64_t *out_ends)
{
    bool is_found = false;
    BIO *bio = BIO_new_mem_buf(pem.length ? pem.at : "", (int)pem.length);
    for (X509 *one; bio && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(one)) {
        struct tm tm;
        if (!ASN1_TIME_to_tm(X509_get0_notAfter(one), &tm)) continue;
        int64_t ends = timegm(&tm);
        if (!is_found || ends < *out_ends) *out_ends = ends;
        is_found = true;
    }
    BIO_free(bio);
    return is_found;
}
