/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The forms in which header fields and bodies are signed (RFC 6376 section 3.4), hashed without a copy of
   what stays as it is. Bytes as they came: a line of the body ends in CRLF alone, a fold in a header field in
   CRLF or LF. */
#ifndef SEKIMORI_AUTH_CANONICAL_H
#define SEKIMORI_AUTH_CANONICAL_H

#include "auth/running_digest.h"

enum canonical_form { CANONICAL_SIMPLE, CANONICAL_RELAXED };

/* Adds a whole field, name and line end included. Without a final CRLF when it is the signature itself
   (section 3.7). */
void canonical_field_add(struct running_digest *digest, enum canonical_form form, struct text field,
                         bool with_line_end);

enum { CANONICAL_WHOLE = -1 };

/* A digest of the body that somebody wants. */
struct canonical_want {
    enum canonical_form form;
    int64_t limit;   /* l=: bytes of the canonical body, CANONICAL_WHOLE: all */
    bool is_short;   /* out: the body has fewer bytes than `limit`; there is no digest then */
    bool is_partial; /* out: it has more */
    uint8_t digest[RUNNING_DIGEST_BYTES]; /* out */
};

/* Fills all of them in one pass. The array is put in another order: by form and limit, where equal ones are
   calculated once. */
void canonical_body_hash(struct text body, struct canonical_want **wants, uint32_t count);

#endif
