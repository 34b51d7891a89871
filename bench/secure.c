/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* TLS for the bench programs, straight on the socket. */
#include "secure.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/die.h"

enum { JOIN_BYTES = 16384, CERTIFICATE_SECONDS = 86400 };

struct secure_context {
    SSL_CTX *ssl;
    bool is_server;
};

struct secure {
    SSL *ssl;
};

static X509 *certificate_new(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (!certificate) die("out of memory");
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -CERTIFICATE_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_SECONDS);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench.example", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    if (!X509_sign(certificate, key, EVP_sha256())) die("cannot sign a certificate");
    return certificate;
}

static void certificate_set(SSL_CTX *ssl)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key) die("cannot make a key");
    X509 *certificate = certificate_new(key);
    if (SSL_CTX_use_certificate(ssl, certificate) != 1 || SSL_CTX_use_PrivateKey(ssl, key) != 1)
        die("cannot use the certificate");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

struct secure_context *secure_context_new(bool is_server)
{
    struct secure_context *context = memory_alloc(sizeof *context);
    context->is_server = is_server;
    context->ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (!context->ssl) die("cannot start TLS");
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(context->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (is_server) certificate_set(context->ssl);
    return context;
}

void secure_context_free(struct secure_context *context)
{
    if (!context) return;
    SSL_CTX_free(context->ssl);
    free(context);
}

struct secure *secure_new(struct secure_context *context, int fd)
{
    struct secure *secure = memory_alloc(sizeof *secure);
    secure->ssl = SSL_new(context->ssl);
    if (!secure->ssl || SSL_set_fd(secure->ssl, fd) != 1) die("cannot start TLS");
    if (context->is_server)
        SSL_set_accept_state(secure->ssl);
    else
        SSL_set_connect_state(secure->ssl);
    return secure;
}

void secure_free(struct secure *secure)
{
    if (!secure) return;
    SSL_free(secure->ssl);
    free(secure);
}

enum secure_step secure_handshake(struct secure *secure)
{
    int result = SSL_do_handshake(secure->ssl);
    if (result == 1) return SECURE_DONE;
    switch (SSL_get_error(secure->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return SECURE_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return SECURE_WANTS_WRITE;
    default:
        return SECURE_FAILED;
    }
}

static ssize_t result_of(struct secure *secure, int result)
{
    if (result > 0) return result;
    switch (SSL_get_error(secure->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        errno = ECONNRESET;
        return -1;
    }
}

ssize_t secure_read(struct secure *secure, void *bytes, size_t size)
{
    return result_of(secure, SSL_read(secure->ssl, bytes, size > INT_MAX ? INT_MAX : (int)size));
}

/* Small pieces are joined: one record and one system call instead of one for each. */
ssize_t secure_write(struct secure *secure, const struct iovec *pieces, int count)
{
    char room[JOIN_BYTES];
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof room; i++) {
        size_t part = pieces[i].iov_len < sizeof room - used ? pieces[i].iov_len : sizeof room - used;
        memcpy(room + used, pieces[i].iov_base, part);
        used += part;
    }
    return result_of(secure, SSL_write(secure->ssl, room, (int)used));
}
