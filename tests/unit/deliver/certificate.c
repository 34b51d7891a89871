/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One elliptic key, one certificate good for an hour. */
#include "certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static struct text drain(struct arena *arena, BIO *bio)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    struct text text = arena_text(arena, text_from(bytes, (size_t)length));
    BIO_free(bio);
    return text;
}

static void extension_add(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void certificate_make(struct arena *arena, const char *names, struct text *out_certificate,
                      struct text *out_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    BIO *certificate_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    extension_add(certificate, NID_subject_alt_name, names);
    extension_add(certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(certificate, key, EVP_sha256());
    PEM_write_bio_X509(certificate_bio, certificate);
    PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
    *out_certificate = drain(arena, certificate_bio);
    *out_key = drain(arena, key_bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
