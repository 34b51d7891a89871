/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* TLS over memory: contexts made from PEM text, sessions that turn ciphertext to plaintext and back.
   The only file that knows OpenSSL's SSL interface. */
#ifndef SEKIMORI_BASE_TLS_H
#define SEKIMORI_BASE_TLS_H

#include "base/buffer.h"
#include "base/text.h"

struct tls_context;
struct tls;

/* Loads what OpenSSL opens lazily, and the system's roots: call before the jail closes. */
void tls_warm_up(void);

/* What tls_warm_up read, PEM, for the process's life; empty: there are none. */
struct text tls_system_roots(void);

/* NULL on failure, with the reason in `error`. Certificate: the chain, leaf first. */
struct tls_context *tls_context_server(struct text certificate_pem, struct text key_pem, char *error,
                                       size_t size);
/* `ca_pem` empty: the system's roots. `verify` false: any certificate will do (opportunistic). */
struct tls_context *tls_context_client(struct text ca_pem, bool verify, char *error, size_t size);
/* A node among nodes: shows `certificate_pem` to its peers and asks them for one of an authority in `ca_pem`.
   As client it takes no server without one that has the server's name or address as a subjectAltName. As
   server it fails no handshake for want of one, so that SMTP can say what is missing: see tls_peer_name. No
   session is ever resumed: each connection shows its certificate anew, so none outlives an expiry or an
   authority. */
struct tls_context *tls_context_node(bool is_server, struct text certificate_pem, struct text key_pem,
                                     struct text ca_pem, char *error, size_t size);
/* A server that asks clients for a certificate of an authority in `ca_pem` (empty: the system's roots), and
   serves those without one all the same: see tls_peer_has_name. It has to be one for TLS servers, also where
   it is for clients too: public authorities make no others any more. No session is ever resumed. */
struct tls_context *tls_context_asking(struct text certificate_pem, struct text key_pem, struct text ca_pem,
                                       char *error, size_t size);
void tls_context_free(struct tls_context *context); /* sessions made from it live on */

/* `name`: whom a client wants to reach, a host or an address. Where the context verifies and there is none
   that a certificate can be held against, every handshake fails. */
struct tls *tls_new(struct tls_context *context, bool is_server, struct text name);
void tls_free(struct tls *tls);

enum tls_outcome { TLS_OK, TLS_CLOSED, TLS_FAILED };

/* Feeds ciphertext; appends plaintext and what must be sent. Drained after every call. */
enum tls_outcome tls_receive(struct tls *tls, struct text ciphertext, struct buffer *out_plain,
                             struct buffer *out_send);
/* Encrypts. Only after tls_is_done. */
enum tls_outcome tls_send(struct tls *tls, struct text plain, struct buffer *out_send);
/* Client: the first flight. */
enum tls_outcome tls_begin(struct tls *tls, struct buffer *out_send);
void tls_finish(struct tls *tls, struct buffer *out_send); /* close_notify */

bool tls_is_done(const struct tls *tls); /* the handshake */
/* The first DNS name (else the common name) in the certificate that the peer showed; "" when it showed none,
   when it was not verified, or was not asked for. */
const char *tls_peer_name(const struct tls *tls);
/* The certificate that the peer showed was verified, and is for that DNS name: see certificate_has_name. */
bool tls_peer_has_name(const struct tls *tls, struct text name);
/* Why the certificate that it showed does not count: "certificate has expired (certificate of edge1)". Else
 * "". */
const char *tls_peer_doubt(const struct tls *tls);
/* What failed last, "" before; the other two are OpenSSL's names, and mean something once tls_is_done.
   Borrowed. */
const char *tls_error(const struct tls *tls);
const char *tls_version(const struct tls *tls);
const char *tls_cipher(const struct tls *tls);
int tls_bits(const struct tls *tls); /* of the cipher, 0 before the handshake */

#endif
