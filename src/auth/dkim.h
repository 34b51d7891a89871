/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DKIM signatures of a message (RFC 6376, 8301, 8463, 8616): what was read where its bytes were seen, and
   what that is worth once the DNS has told the keys. Pure. Called through auth/message_signatures.h. */
#ifndef SEKIMORI_AUTH_DKIM_H
#define SEKIMORI_AUTH_DKIM_H

#include "auth/authentication_results.h"
#include "auth/public_key.h"
#include "dns/answers.h"

enum {
    DKIM_SIGNATURES_MOST = 16, /* read of a message; further ones are counted */
    DKIM_NAME_MOST = 241,      /* bytes of d= and s= together: SELECTOR._domainkey.DOMAIN is a DNS name */
    DKIM_IDENTITY_MOST = 320,  /* bytes of i= */
    DKIM_FUTURE_S = 300,       /* a signature may be made so much later than our clock says */
};

/* Why a signature is not good. The first part is seen in the message, the second needs key or time. */
enum dkim_reason {
    DKIM_GOOD,
    DKIM_SYNTAX,            /* no tag list, a tag twice, a value that its tag cannot have */
    DKIM_TAG_MISSING,       /* v= a= b= bh= d= h= s= are required; of ARC others */
    DKIM_VERSION,           /* v= is not 1 */
    DKIM_ALGORITHM,         /* a= is unknown */
    DKIM_SHA1,              /* a=rsa-sha1: RFC 8301 section 3.1 */
    DKIM_CANONICALIZATION,  /* c= is unknown */
    DKIM_QUERY,             /* q= has no dns/txt */
    DKIM_DOMAIN,            /* d= or s= is no domain name */
    DKIM_IDENTITY,          /* i= is outside d= */
    DKIM_FROM_UNSIGNED,     /* h= has no From */
    DKIM_TIMES,             /* x= is not later than t= */
    DKIM_LENGTH,            /* l= is longer than the body */
    DKIM_HEADER_CUT,        /* the header is over our limits: its end was not seen */
    DKIM_TOO_MUCH,          /* its fields and the other signatures' are over what we hash of one message */
    DKIM_SEAL_FIELDS,       /* ARC: h= has ARC-Seal, or a seal has h= */
    DKIM_EXPIRED,           /* x= is over */
    DKIM_FUTURE,            /* t= is to come */
    DKIM_KEY_UNREACHABLE,   /* the DNS did not answer in time */
    DKIM_KEY_MISSING,       /* the DNS has no such record */
    DKIM_KEY_SYNTAX,        /* no record there is a key record */
    DKIM_KEY_REVOKED,       /* p= is empty */
    DKIM_KEY_KIND,          /* k= is not of the signature's algorithm */
    DKIM_KEY_HASH,          /* the record's h= has no sha256 */
    DKIM_KEY_SERVICE,       /* the record's s= has neither email nor * */
    DKIM_KEY_STRICT,        /* t=s, and i= is in a subdomain of d= */
    DKIM_KEY_BROKEN,        /* p= is no key */
    DKIM_KEY_SHORT,         /* RSA below 1024 bits: RFC 8301 section 3.2 */
    DKIM_KEY_LONG,          /* RSA over 4096 bits, which b= alone may show */
    DKIM_BODY_DIFFERS,      /* bh= is not of this body */
    DKIM_SIGNATURE_DIFFERS, /* b= is not this key's signature of this header */
    DKIM_REASON_COUNT
};

/* Of a name, all fields of the header are in h=; also where there is none. */
enum dkim_covered {
    DKIM_COVERS_FROM = 1 << 0,
    DKIM_COVERS_SUBJECT = 1 << 1,
    DKIM_COVERS_TO = 1 << 2,
    DKIM_COVERS_CC = 1 << 3,
    DKIM_COVERS_UNSUBSCRIBE = 1 << 4, /* List-Unsubscribe */
    DKIM_COVERS_LIST_ID = 1 << 5,
    DKIM_COVERS_ALL = (1 << 6) - 1
};

/* What can be known of a signature from the message alone; also of an ARC-Message-Signature and ARC-Seal. */
struct dkim_signature {
    enum dkim_reason reason;          /* DKIM_GOOD as far as was seen; else the signature is worth nothing */
    enum key_kind kind;               /* by a= */
    struct text domain;               /* d=: A-labels, lower case; empty where it could not be read */
    struct text selector;             /* s=: likewise */
    struct text identity;             /* i=, decoded: "joe@eng.example.com"; its default "@" and d= */
    struct text signature;            /* b=, decoded, at most KEY_SIGNATURE_MOST bytes */
    uint8_t digest[KEY_DIGEST_BYTES]; /* SHA-256 of the header as h= wants it and of the field itself */
    bool body_differs;                /* bh= is not of this body */
    bool is_partial;                  /* l= covers less than the whole body */
    unsigned covered;                 /* enum dkim_covered */
    uint64_t signed_s, expires_s;     /* t= and x=, seconds since 1970; 0: none */
};

struct dkim_facts {
    struct dkim_signature *signatures; /* in the order of the header */
    uint32_t count;                    /* at most DKIM_SIGNATURES_MOST */
    uint32_t unread;                   /* fields behind those */
};

struct dkim_verdict {
    enum auth_result result;
    enum dkim_reason reason;
    uint32_t key_bits; /* 0: no key was found */
    bool is_testing;   /* the key's t=y: neither pass nor failure says anything (RFC 6376 section 3.6.1) */
    bool header_holds; /* b= is right: with DKIM_BODY_DIFFERS, only the body was altered */
};

/* One verdict a signature, into out[facts->count]. False, `out` undefined: not yet, all keys that are missing
   are noted as wanted in `answers`. */
bool dkim_judge(const struct dkim_facts *facts, struct dns_answers *answers, uint64_t now_s,
                struct dkim_verdict *out);

/* The same for one of them. */
bool dkim_judge_one(const struct dkim_signature *signature, struct dns_answers *answers, uint64_t now_s,
                    struct dkim_verdict *out);

/* True: its key is known, or needs no asking; false: noted as wanted. */
bool dkim_ask(const struct dkim_signature *signature, struct dns_answers *answers, uint64_t now_s);

/* In English, for people and for reason= : "the body was altered"; "" for DKIM_GOOD. */
const char *dkim_reason_text(enum dkim_reason reason);
/* For programs: "body-differs"; "good" for DKIM_GOOD. */
const char *dkim_reason_name(enum dkim_reason reason);

/* "rsa-sha256"; of one whose reason is DKIM_SHA1 "rsa-sha1", of DKIM_ALGORITHM "unknown". */
const char *dkim_algorithm_name(const struct dkim_signature *signature);

#endif
