/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* X.509 certificates in PEM: what one says, whether an authority stands behind it, and the making of a
   private authority with certificates for its nodes. The only file that knows <openssl/x509v3.h>. */
#ifndef SEKIMORI_BASE_CERTIFICATE_H
#define SEKIMORI_BASE_CERTIFICATE_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"

struct x509_st; /* OpenSSL's X509, and its rules for verifying one */
struct X509_VERIFY_PARAM_st;

struct certificate_wish {
    struct text name;         /* common name: at most CERTIFICATE_NAME_MOST bytes */
    struct text organisation; /* of an authority; may be empty */
    const struct text *dns;   /* of a node, in this order in its subjectAltName (RFC 5280 section 4.2.1.6) */
    size_t dns_count;
    const struct address *addresses;
    size_t address_count;
    int64_t from_s, until_s; /* seconds since 1970 */
};

enum { CERTIFICATE_NAME_MOST = 64 }; /* RFC 5280 appendix A.1: ub-common-name */

/* A certificate and its key, both PEM. Zero-initialised by the caller, who frees them. */
struct certificate_pair {
    struct buffer certificate, key;
};

/* An ECDSA P-256 key and a certificate of it, signed by itself, that may sign nodes and nothing below them
   (path length 0). False with the reason in `error`. */
bool certificate_make_authority(const struct certificate_wish *wish, struct certificate_pair *out,
                                char *error, size_t size);

/* The same for a node: server and client at once. It ends with its authority at the latest. */
bool certificate_make_node(const struct certificate_wish *wish, struct text authority_pem,
                           struct text authority_key_pem, struct certificate_pair *out, char *error,
                           size_t size);

enum { CERTIFICATE_SECRET_BYTES = 32 };

/* What all nodes of an authority know and nobody else: it stands beside the key of a node, in a PEM block of
   its own, and follows from the authority's key, so that it stays when a node's certificate is renewed.
   False: `pem` has none, as keys that something else made. */
bool certificate_secret_read(struct text key_pem, uint8_t out[CERTIFICATE_SECRET_BYTES]);

/* What the first certificate of a PEM text says. Texts are in the arena. */
struct certificate_facts {
    struct text name;   /* the first DNS name, else the common name, else "unnamed": never empty */
    struct text names;  /* all DNS names and addresses, "edge1.example.jp, 192.0.2.1"; else the common name */
    struct text serial; /* hexadecimal */
    int64_t from_s, until_s;
    bool is_authority;
};

/* False when there is no certificate. */
bool certificate_read(struct text pem, struct arena *arena, struct certificate_facts *out);

/* The first certificate is for that DNS name, by one of its own or by a wildcard (RFC 6125 section 6.4); its
   common name does not count. */
bool certificate_has_name(struct text pem, struct text name);

/* The first certificate (with the rest of `pem` as chain) was made by one in `authorities_pem` and may be
   a TLS server as well as a client. Says nothing about time. False with the reason in `error`. */
bool certificate_is_of(struct text pem, struct text authorities_pem, char *error, size_t size);

/* Of a certificate that TLS holds: `name` and `names` as above, NUL-ended, cut to fit. */
void certificate_name_print(const struct x509_st *certificate, char *room, size_t size);
void certificate_names_print(const struct x509_st *certificate, char *room, size_t size);

/* Of a certificate that TLS holds: as certificate_has_name. NULL has no name. */
bool certificate_is_named(const struct x509_st *certificate, struct text name);

/* A peer's name must be a DNS name of the certificate; its common name does not do (RFC 9525 section 2). */
void certificate_common_name_ignore(struct X509_VERIFY_PARAM_st *rules);

/* What clients show counts where it is made for TLS servers (RFC 5280 section 4.2.1.12). */
void certificate_servers_suffice(struct X509_VERIFY_PARAM_st *rules);

enum { CERTIFICATE_DAY_SIZE = 16 };

/* "2028-03-01", UTC; returns room. */
char *certificate_day_print(int64_t when_s, char room[CERTIFICATE_DAY_SIZE]);

/* Whole days from `now_s` to `until_s`; below 0 once it is over. */
int64_t certificate_days_left(int64_t until_s, int64_t now_s);

#endif
