/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* TLS over memory BIOs: nothing here touches a socket. Drained after every call, so no record is left behind.
 */
#include "base/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/certificate.h"
#include "base/die.h"

struct tls_context {
    SSL_CTX *openssl;
};

struct tls {
    SSL *ssl;
    BIO *in, *out;
    char *peer_name, *peer_doubt; /* NULL: none */
    bool is_nobody;               /* the peer is to be verified, but by no name: no handshake */
    char error[400];
};

static const char *error_text(char *room, size_t size)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : "no reason given";
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        reason = "no PEM block of that kind in the file";
    snprintf(room, size, "%s", reason ? reason : "unknown error");
    ERR_clear_error();
    return room;
}

static void fail(char *error, size_t size, const char *what)
{
    char reason[128];
    snprintf(error, size, "%s: %s", what, error_text(reason, sizeof reason));
}

static struct tls_context *context_new(const SSL_METHOD *method)
{
    struct tls_context *context = memory_alloc(sizeof *context);
    context->openssl = SSL_CTX_new(method);
    if (!context->openssl) die("out of memory (TLS)");
    if (SSL_CTX_set_min_proto_version(context->openssl, TLS1_2_VERSION) != 1) die("TLS 1.2 is not to be had");
    SSL_CTX_set_mode(context->openssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(context->openssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    return context;
}

/* The leaf, then the rest of the chain. */
static bool use_chain(SSL_CTX *openssl, struct text pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    bool good = leaf && SSL_CTX_use_certificate(openssl, leaf) == 1;
    X509_free(leaf);
    for (X509 *more; good && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
        if (SSL_CTX_add0_chain_cert(openssl, more) != 1) {
            X509_free(more);
            good = false;
        }
    BIO_free(bio);
    if (good) ERR_clear_error(); /* the end of the PEM text leaves "no start line" */
    return good;
}

static bool use_key(SSL_CTX *openssl, struct text pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    bool good = key && SSL_CTX_use_PrivateKey(openssl, key) == 1 && SSL_CTX_check_private_key(openssl) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

struct tls_context *tls_context_server(struct text certificate_pem, struct text key_pem, char *error,
                                       size_t size)
{
    struct tls_context *context = context_new(TLS_server_method());
    SSL_CTX_set_options(context->openssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context->openssl, SSL_SESS_CACHE_OFF);
    const char *failed = NULL;
    if (!use_chain(context->openssl, certificate_pem))
        failed = "certificate";
    else if (!use_key(context->openssl, key_pem))
        failed = "key";
    if (!failed) return context;
    fail(error, size, failed);
    tls_context_free(context);
    return NULL;
}

/* The system's roots, read by tls_warm_up while files can still be opened. */
static struct buffer system_roots;

static const char *system_roots_path(void)
{
    const char *path = getenv(X509_get_default_cert_file_env());
    return path ? path : "/etc/ssl/certs/ca-certificates.crt"; /* Debian's ca-certificates */
}

static void system_roots_read(void)
{
    BIO *file = BIO_new_file(system_roots_path(), "r");
    enum { STEP = 65536 };
    for (int got; file && (got = BIO_read(file, buffer_reserve(&system_roots, STEP), STEP)) > 0;)
        buffer_commit(&system_roots, (size_t)got);
    BIO_free(file);
    ERR_clear_error();
}

struct text tls_system_roots(void)
{
    return buffer_text(&system_roots);
}

void tls_warm_up(void)
{
    char error[200];
    if (buffer_length(&system_roots) == 0) system_roots_read();
    struct tls_context *context = tls_context_client(TEXT_NONE, false, error, sizeof error);
    struct tls *tls = context ? tls_new(context, false, TEXT("localhost")) : NULL;
    struct buffer flight = { 0 };
    if (tls) tls_begin(tls, &flight); /* fetches ciphers, digests and the random generator */
    tls_free(tls);
    tls_context_free(context);
    buffer_free(&flight);
}

static bool use_roots(SSL_CTX *openssl, struct text pem)
{
    if (pem.length == 0) pem = buffer_text(&system_roots);
    if (pem.length == 0) return false;
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    int added = 0;
    bool good = true;
    for (X509 *root; good && (root = PEM_read_bio_X509(bio, NULL, NULL, NULL)); added++) {
        good = X509_STORE_add_cert(SSL_CTX_get_cert_store(openssl), root) == 1;
        X509_free(root);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the PEM text leaves "no start line" */
    return good && added > 0;
}

/* Called for each certificate of the peer's chain. The first fault is kept, with the names of whose it is; a
   client ends the handshake for it, a server goes on with a peer that has no name. */
static int certificate_judged(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    char names[200] = "", doubt[360];
    if (is_good) return 1;
    if (!tls->peer_doubt) {
        if (leaf) certificate_names_print(leaf, names, sizeof names);
        snprintf(doubt, sizeof doubt, "%s (certificate of %s)",
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)), names);
        tls->peer_doubt = memory_string(text_of(doubt));
    }
    return SSL_is_server(ssl);
}

struct tls_context *tls_context_client(struct text ca_pem, bool verify, char *error, size_t size)
{
    struct tls_context *context = context_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context->openssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context->openssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       verify ? certificate_judged : NULL);
    if (!verify || use_roots(context->openssl, ca_pem)) return context;
    snprintf(error, size, "no root certificate in %s",
             ca_pem.length > 0 ? "what the configuration names" : system_roots_path());
    tls_context_free(context);
    return NULL;
}

/* What shows its peers a certificate and asks them for one. No session is resumed: each connection shows its
   certificate anew. */
static struct tls_context *context_mutual(bool is_server)
{
    struct tls_context *context = context_new(is_server ? TLS_server_method() : TLS_client_method());
    SSL_CTX *openssl = context->openssl;
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(openssl, SSL_OP_NO_TICKET | (is_server ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
    if (SSL_CTX_set_num_tickets(openssl, 0) != 1) die("TLS tickets cannot be turned off");
    SSL_CTX_set_mode(openssl, SSL_MODE_NO_AUTO_CHAIN); /* what a peer needs of the chain was said */
    SSL_CTX_set_verify(openssl, SSL_VERIFY_PEER, certificate_judged);
    certificate_common_name_ignore(SSL_CTX_get0_param(openssl));
    return context;
}

static struct tls_context *context_equip(struct tls_context *context, struct text certificate_pem,
                                         struct text key_pem, struct text ca_pem, char *error, size_t size)
{
    const char *failed = !use_chain(context->openssl, certificate_pem) ? "certificate"
                         : !use_key(context->openssl, key_pem)         ? "key"
                         : !use_roots(context->openssl, ca_pem)        ? "authority"
                                                                       : NULL;
    if (!failed) return context;
    fail(error, size, failed);
    tls_context_free(context);
    return NULL;
}

struct tls_context *tls_context_node(bool is_server, struct text certificate_pem, struct text key_pem,
                                     struct text ca_pem, char *error, size_t size)
{
    if (ca_pem.length == 0) ca_pem = TEXT(" "); /* never the system's roots */
    return context_equip(context_mutual(is_server), certificate_pem, key_pem, ca_pem, error, size);
}

struct tls_context *tls_context_asking(struct text certificate_pem, struct text key_pem, struct text ca_pem,
                                       char *error, size_t size)
{
    struct tls_context *context = context_mutual(true);
    certificate_servers_suffice(SSL_CTX_get0_param(context->openssl));
    return context_equip(context, certificate_pem, key_pem, ca_pem, error, size);
}

void tls_context_free(struct tls_context *context)
{
    if (!context) return;
    SSL_CTX_free(context->openssl);
    free(context);
}

/* A name that is an IP address is verified as one and sends no SNI (RFC 6066 section 3). False: no
   certificate can be held against that name. OpenSSL would take any for the empty one, and any below it for
   one that begins with a dot. */
static bool name_set(SSL *ssl, struct text name)
{
    if (name.length == 0 || name.at[0] == '.' || memchr(name.at, '\0', name.length)) return false;
    char *host = memory_string(name);
    bool good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ||
                (SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1);
    ERR_clear_error();
    free(host);
    return good;
}

struct tls *tls_new(struct tls_context *context, bool is_server, struct text name)
{
    struct tls *tls = memory_alloc(sizeof *tls);
    tls->ssl = SSL_new(context->openssl);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) die("out of memory (TLS)");
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    if (SSL_set_app_data(tls->ssl, tls) != 1) die("out of memory (TLS)");
    if (is_server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    bool is_named = is_server || name_set(tls->ssl, name);
    tls->is_nobody = !is_named && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE;
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls) return;
    SSL_free(tls->ssl);
    free(tls->peer_name);
    free(tls->peer_doubt);
    free(tls);
}

static void drain(struct tls *tls, struct buffer *out_send)
{
    char *bytes;
    long length = BIO_get_mem_data(tls->out, &bytes);
    if (length <= 0) return;
    buffer_add(out_send, bytes, (size_t)length);
    (void)BIO_reset(tls->out);
}

static enum tls_outcome failed(struct tls *tls, int result)
{
    int why = SSL_get_error(tls->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return TLS_OK;
    if (why == SSL_ERROR_ZERO_RETURN) return TLS_CLOSED;
    if (tls->peer_doubt && !SSL_is_server(tls->ssl)) {
        snprintf(tls->error, sizeof tls->error, "%s", tls->peer_doubt);
        ERR_clear_error();
    } else {
        error_text(tls->error, sizeof tls->error);
    }
    return TLS_FAILED;
}

/* At the end of the handshake. */
static void peer_note(struct tls *tls)
{
    const X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    bool is_verified = certificate && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE && !tls->peer_doubt &&
                       SSL_get_verify_result(tls->ssl) == X509_V_OK;
    char name[256];
    if (!is_verified) return;
    certificate_name_print(certificate, name, sizeof name);
    tls->peer_name = memory_string(text_of(name));
}

static enum tls_outcome read_plain(struct tls *tls, struct buffer *out_plain)
{
    enum { STEP = 16384 };
    for (;;) {
        int got = SSL_read(tls->ssl, buffer_reserve(out_plain, STEP), STEP);
        if (got <= 0) return failed(tls, got);
        buffer_commit(out_plain, (size_t)got);
    }
}

enum tls_outcome tls_receive(struct tls *tls, struct text ciphertext, struct buffer *out_plain,
                             struct buffer *out_send)
{
    ERR_clear_error();
    enum tls_outcome outcome = TLS_OK;
    if (tls->is_nobody) {
        snprintf(tls->error, sizeof tls->error, "there is no name to verify the certificate by");
        return TLS_FAILED;
    }
    if (ciphertext.length && BIO_write(tls->in, ciphertext.at, (int)ciphertext.length) < 0)
        die("out of memory (TLS)");
    if (!SSL_is_init_finished(tls->ssl)) {
        int result = SSL_do_handshake(tls->ssl);
        if (result <= 0)
            outcome = failed(tls, result);
        else
            peer_note(tls);
    }
    if (outcome == TLS_OK && SSL_is_init_finished(tls->ssl)) outcome = read_plain(tls, out_plain);
    drain(tls, out_send);
    return outcome;
}

enum tls_outcome tls_send(struct tls *tls, struct text plain, struct buffer *out_send)
{
    ERR_clear_error();
    while (plain.length > 0) {
        int step = plain.length > 16384 ? 16384 : (int)plain.length;
        int sent = SSL_write(tls->ssl, plain.at, step);
        if (sent <= 0) {
            drain(tls, out_send);
            enum tls_outcome outcome = failed(tls, sent);
            return outcome == TLS_OK ? TLS_FAILED : outcome;
        }
        plain = text_slice(plain, (size_t)sent, plain.length);
        drain(tls, out_send);
    }
    return TLS_OK;
}

enum tls_outcome tls_begin(struct tls *tls, struct buffer *out_send)
{
    struct buffer none = { 0 };
    enum tls_outcome outcome = tls_receive(tls, TEXT_NONE, &none, out_send);
    buffer_free(&none);
    return outcome;
}

void tls_finish(struct tls *tls, struct buffer *out_send)
{
    if (SSL_is_init_finished(tls->ssl)) SSL_shutdown(tls->ssl);
    ERR_clear_error();
    drain(tls, out_send);
}

bool tls_is_done(const struct tls *tls)
{
    return SSL_is_init_finished(tls->ssl);
}

const char *tls_peer_name(const struct tls *tls)
{
    return tls->peer_name ? tls->peer_name : "";
}

bool tls_peer_has_name(const struct tls *tls, struct text name)
{
    return tls->peer_name && certificate_is_named(SSL_get0_peer_certificate(tls->ssl), name);
}

const char *tls_peer_doubt(const struct tls *tls)
{
    return tls->peer_doubt ? tls->peer_doubt : "";
}

const char *tls_error(const struct tls *tls)
{
    return tls->error;
}

const char *tls_version(const struct tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *tls_cipher(const struct tls *tls)
{
    const char *name = SSL_get_cipher_name(tls->ssl);
    return name ? name : "";
}

int tls_bits(const struct tls *tls)
{
    return SSL_get_cipher_bits(tls->ssl, NULL);
}
