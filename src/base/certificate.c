/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Certificates with OpenSSL. Keys are ECDSA P-256: every TLS 1.2 and 1.3 peer takes them, a signature costs
   microseconds. No name constraints: the authority is believed only where a configuration names its file, so
   they would forbid nothing that matters and break the first node with a new name. */
#include "base/certificate.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "base/die.h"

enum { DAY_S = 86400, SERIAL_BYTES = 16, VERSION_3 = 2 };

static bool fail(char *error, size_t size, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    snprintf(error, size, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return false;
}

/* A BIO that reads the text, which is borrowed. */
static BIO *bio_of(struct text text)
{
    BIO *bio = BIO_new_mem_buf(text.at ? text.at : "", (int)text.length);
    if (!bio) die("out of memory (certificates)");
    return bio;
}

static X509 *first_of(struct text pem)
{
    BIO *bio = bio_of(pem);
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

/* --- making --- */

struct extension {
    int nid;
    const char *value; /* as in openssl's x509v3_config(5) */
};

static const struct extension authority_extensions[] = {
    { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
    { NID_key_usage, "critical,keyCertSign,cRLSign" },
    { NID_subject_key_identifier, "hash" },
    { NID_authority_key_identifier, "keyid:always" },
    { 0, NULL },
};

static const struct extension node_extensions[] = {
    { NID_basic_constraints, "critical,CA:FALSE" },   { NID_key_usage, "critical,digitalSignature" },
    { NID_ext_key_usage, "serverAuth,clientAuth" },   { NID_subject_key_identifier, "hash" },
    { NID_authority_key_identifier, "keyid:always" }, { 0, NULL },
};

static bool extensions_add(X509 *certificate, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; extensions->value; extensions++) {
        X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, &context, extensions->nid, extensions->value);
        bool good = made && X509_add_ext(certificate, made, -1) == 1;
        X509_EXTENSION_free(made);
        if (!good) return false;
    }
    return true;
}

static bool name_push(GENERAL_NAMES *names, int kind, const void *bytes, size_t length)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(kind == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    if (!name || !value || ASN1_STRING_set(value, bytes, (int)length) != 1)
        die("out of memory (certificates)");
    GENERAL_NAME_set0_value(name, kind, value);
    return sk_GENERAL_NAME_push(names, name) > 0;
}

static bool alternative_names_add(X509 *certificate, const struct certificate_wish *wish)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool good = names != NULL;
    for (size_t i = 0; good && i < wish->dns_count; i++)
        good = name_push(names, GEN_DNS, wish->dns[i].at, wish->dns[i].length);
    for (size_t i = 0; good && i < wish->address_count; i++) {
        size_t skipped = address_is_v4(&wish->addresses[i]) ? 12 : 0;
        good = name_push(names, GEN_IPADD, wish->addresses[i].bytes + skipped, 16 - skipped);
    }
    good = good && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return good;
}

/* RFC 5280 section 4.1.2.2: positive; random, so that no two ever meet. */
static bool serial_set(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7F) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

static bool entry_add(X509_NAME *subject, const char *field, struct text value)
{
    return value.length == 0 ||
           X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, (const unsigned char *)value.at,
                                      (int)value.length, -1, 0) == 1;
}

/* All but extensions and signature. */
static X509 *certificate_begin(const struct certificate_wish *wish, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (!certificate) die("out of memory (certificates)");
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool good = X509_set_version(certificate, VERSION_3) == 1 && serial_set(certificate) &&
                ASN1_TIME_set(X509_getm_notBefore(certificate), wish->from_s) &&
                ASN1_TIME_set(X509_getm_notAfter(certificate), wish->until_s) &&
                entry_add(subject, "O", wish->organisation) && entry_add(subject, "CN", wish->name) &&
                X509_set_pubkey(certificate, key) == 1;
    if (good) return certificate;
    X509_free(certificate);
    return NULL;
}

static void pem_add(BIO *bio, struct buffer *out)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    buffer_add(out, bytes, (size_t)length);
    OPENSSL_cleanse(bytes, (size_t)length);
}

static bool pair_write(X509 *certificate, EVP_PKEY *key, struct certificate_pair *out)
{
    BIO *public = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    bool good = public && secret && PEM_write_bio_X509(public, certificate) == 1 &&
                PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (good) pem_add(public, &out->certificate);
    if (good) pem_add(secret, &out->key);
    BIO_free(public);
    BIO_free(secret);
    return good;
}

bool certificate_make_authority(const struct certificate_wish *wish, struct certificate_pair *out,
                                char *error, size_t size)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = key ? certificate_begin(wish, key) : NULL;
    bool good = made && X509_set_issuer_name(made, X509_get_subject_name(made)) == 1 &&
                extensions_add(made, made, authority_extensions) && X509_sign(made, key, EVP_sha256()) > 0 &&
                pair_write(made, key, out);
    X509_free(made);
    EVP_PKEY_free(key);
    return good || fail(error, size, "the authority cannot be made");
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm tm = { 0 };
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool node_make(const struct certificate_wish *wish, X509 *authority, EVP_PKEY *authority_key,
                      struct certificate_pair *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = key ? certificate_begin(wish, key) : NULL;
    bool good = made && X509_set_issuer_name(made, X509_get_subject_name(authority)) == 1 &&
                extensions_add(made, authority, node_extensions) && alternative_names_add(made, wish) &&
                X509_sign(made, authority_key, EVP_sha256()) > 0 && pair_write(made, key, out);
    X509_free(made);
    EVP_PKEY_free(key);
    return good;
}

/* --- what the nodes share --- */

static const char secret_name[] = "SEKIMORI NODES SECRET";

/* Of an elliptic curve the number alone, whose form depends on no version of OpenSSL. 0 or less: none; else
   the caller frees *out. */
static int private_bytes(EVP_PKEY *key, unsigned char **out)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) return i2d_PrivateKey(key, out);
    int length = (EVP_PKEY_get_bits(key) + 7) / 8;
    *out = OPENSSL_malloc((size_t)length);
    if (*out) length = BN_bn2binpad(number, *out, length);
    BN_clear_free(number);
    return *out ? length : 0;
}

static bool secret_add(EVP_PKEY *authority_key, struct buffer *out)
{
    static const char purpose[] = "sekimori: what the nodes share";
    unsigned char *bytes = NULL, secret[CERTIFICATE_SECRET_BYTES];
    size_t size = 0;
    int length = private_bytes(authority_key, &bytes);
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio && length > 0 &&
                EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, bytes, (size_t)length,
                          (const unsigned char *)purpose, sizeof purpose - 1, secret, sizeof secret, &size) &&
                size == sizeof secret && PEM_write_bio(bio, secret_name, "", secret, sizeof secret) > 0;
    if (good) pem_add(bio, out);
    OPENSSL_cleanse(secret, sizeof secret);
    if (length > 0) OPENSSL_clear_free(bytes, (size_t)length);
    BIO_free(bio);
    return good;
}

bool certificate_secret_read(struct text key_pem, uint8_t out[CERTIFICATE_SECRET_BYTES])
{
    BIO *bio = bio_of(key_pem);
    char *name = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long length = 0;
    bool is_found = false;
    while (!is_found && PEM_read_bio(bio, &name, &header, &bytes, &length) == 1) {
        is_found = strcmp(name, secret_name) == 0 && length == CERTIFICATE_SECRET_BYTES;
        if (is_found) memcpy(out, bytes, CERTIFICATE_SECRET_BYTES);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(bytes, (size_t)length);
    }
    ERR_clear_error();
    BIO_free(bio);
    return is_found;
}

bool certificate_make_node(const struct certificate_wish *wish, struct text authority_pem,
                           struct text authority_key_pem, struct certificate_pair *out, char *error,
                           size_t size)
{
    BIO *bio = bio_of(authority_key_pem);
    X509 *authority = first_of(authority_pem);
    EVP_PKEY *authority_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    struct certificate_wish bounded = *wish;
    bool good = false;
    if (!authority)
        fail(error, size, "the authority's certificate cannot be read");
    else if (!authority_key)
        fail(error, size, "the authority's key cannot be read");
    else if (X509_check_private_key(authority, authority_key) != 1)
        fail(error, size, "the authority's key does not fit its certificate");
    else if (X509_check_ca(authority) != 1)
        fail(error, size, "the authority's certificate may not sign others");
    else {
        int64_t end = time_of(X509_get0_notAfter(authority));
        if (bounded.until_s > end) bounded.until_s = end;
        good = (node_make(&bounded, authority, authority_key, out) && secret_add(authority_key, &out->key)) ||
               fail(error, size, "the certificate cannot be made");
    }
    X509_free(authority);
    EVP_PKEY_free(authority_key);
    BIO_free(bio);
    return good;
}

/* --- reading --- */

static void string_add(struct buffer *out, const ASN1_STRING *value)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    for (int i = 0; i < ASN1_STRING_length(value); i++)
        buffer_add_char(out, bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : '?');
}

static bool general_name_add(struct buffer *out, const GENERAL_NAME *name)
{
    int kind;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    if (kind == GEN_DNS) {
        string_add(out, value);
        return true;
    }
    int length = kind == GEN_IPADD ? ASN1_STRING_length(value) : 0;
    if (length != 4 && length != 16) return false;
    char room[ADDRESS_TEXT_SIZE];
    struct address address;
    address_from_bytes(ASN1_STRING_get0_data(value), (size_t)length, &address);
    buffer_add_text(out, text_of(address_print(&address, room)));
    return true;
}

static void common_name_add(struct buffer *out, const X509 *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) string_add(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

/* DNS names and addresses, or only the first DNS name; the common name when there is none. */
static void names_add(struct buffer *out, const X509 *certificate, bool only_first)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        size_t before = buffer_length(out);
        if (only_first && name->type != GEN_DNS) continue;
        if (before > 0) buffer_add_text(out, TEXT(", "));
        if (!general_name_add(out, name)) out->end = out->start + before;
        if (only_first && buffer_length(out) > 0) break;
    }
    GENERAL_NAMES_free(names);
    if (buffer_length(out) == 0) common_name_add(out, certificate);
    if (buffer_length(out) == 0) buffer_add_text(out, TEXT("unnamed"));
    ERR_clear_error();
}

static void names_print(const X509 *certificate, bool only_first, char *room, size_t size)
{
    struct buffer names = { 0 };
    names_add(&names, certificate, only_first);
    snprintf(room, size, "%.*s", TEXT_ARG(buffer_text(&names)));
    buffer_free(&names);
}

void certificate_name_print(const struct x509_st *certificate, char *room, size_t size)
{
    names_print(certificate, true, room, size);
}

void certificate_names_print(const struct x509_st *certificate, char *room, size_t size)
{
    names_print(certificate, false, room, size);
}

static struct text names_in(struct arena *arena, const X509 *certificate, bool only_first)
{
    struct buffer names = { 0 };
    names_add(&names, certificate, only_first);
    struct text text = arena_text(arena, buffer_text(&names));
    buffer_free(&names);
    return text;
}

static struct text serial_in(struct arena *arena, const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *digits = number ? BN_bn2hex(number) : NULL;
    struct text text = arena_text(arena, text_of(digits ? digits : ""));
    OPENSSL_free(digits);
    BN_free(number);
    return text;
}

/* OpenSSL would take an empty name for any, and one that begins with a dot for all below it. */
bool certificate_is_named(const struct x509_st *certificate, struct text name)
{
    if (!certificate || name.length == 0 || name.at[0] == '.') return false;
    bool is_named = X509_check_host((X509 *)certificate, name.at, name.length,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
    ERR_clear_error();
    return is_named;
}

bool certificate_has_name(struct text pem, struct text name)
{
    X509 *certificate = first_of(pem);
    bool has = certificate_is_named(certificate, name);
    X509_free(certificate);
    return has;
}

bool certificate_read(struct text pem, struct arena *arena, struct certificate_facts *out)
{
    X509 *certificate = first_of(pem);
    ERR_clear_error();
    if (!certificate) return false;
    *out = (struct certificate_facts){ .name = names_in(arena, certificate, true),
                                       .names = names_in(arena, certificate, false),
                                       .serial = serial_in(arena, certificate),
                                       .from_s = time_of(X509_get0_notBefore(certificate)),
                                       .until_s = time_of(X509_get0_notAfter(certificate)),
                                       .is_authority = X509_check_ca(certificate) == 1 };
    X509_free(certificate);
    return true;
}

/* --- whose it is --- */

static STACK_OF(X509) * all_of(struct text pem)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *bio = bio_of(pem);
    if (!list) die("out of memory (certificates)");
    for (X509 *one; (one = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL));)
        if (sk_X509_push(list, one) <= 0) die("out of memory (certificates)");
    BIO_free(bio);
    ERR_clear_error(); /* the end of the text leaves "no start line" */
    return list;
}

static bool verify_as(X509_STORE *store, STACK_OF(X509) * chain, int purpose, char *error, size_t size)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (!context || X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) != 1)
        die("out of memory (certificates)");
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
    bool good = X509_STORE_CTX_set_purpose(context, purpose) == 1 && X509_verify_cert(context) == 1;
    if (!good) snprintf(error, size, "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return good;
}

bool certificate_is_of(struct text pem, struct text authorities_pem, char *error, size_t size)
{
    STACK_OF(X509) *chain = all_of(pem), *authorities = all_of(authorities_pem);
    X509_STORE *store = X509_STORE_new();
    bool good = false;
    for (int i = 0; i < sk_X509_num(authorities); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(authorities, i)) != 1)
            die("out of memory (certificates)");
    if (sk_X509_num(chain) == 0)
        snprintf(error, size, "there is no certificate in it");
    else if (sk_X509_num(authorities) == 0)
        snprintf(error, size, "there is no certificate of an authority");
    else
        good = verify_as(store, chain, X509_PURPOSE_SSL_SERVER, error, size) &&
               verify_as(store, chain, X509_PURPOSE_SSL_CLIENT, error, size);
    X509_STORE_free(store);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(authorities, X509_free);
    return good;
}

void certificate_common_name_ignore(struct X509_VERIFY_PARAM_st *rules)
{
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

void certificate_servers_suffice(struct X509_VERIFY_PARAM_st *rules)
{
    if (X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER) != 1) die("out of memory (TLS)");
}

/* --- time --- */

char *certificate_day_print(int64_t when_s, char room[CERTIFICATE_DAY_SIZE])
{
    struct tm tm;
    time_t when = (time_t)when_s;
    gmtime_r(&when, &tm);
    strftime(room, CERTIFICATE_DAY_SIZE, "%Y-%m-%d", &tm);
    return room;
}

int64_t certificate_days_left(int64_t until_s, int64_t now_s)
{
    int64_t left = until_s - now_s;
    return left >= 0 ? left / DAY_S : (left - DAY_S + 1) / DAY_S;
}
