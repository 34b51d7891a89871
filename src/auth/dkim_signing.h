/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DKIM-Signature fields of ours (RFC 6376 section 5). Who holds the private key sees digests alone: begin,
   have the digest signed elsewhere (auth/private_key.h), end. Pure. */
#ifndef SEKIMORI_AUTH_DKIM_SIGNING_H
#define SEKIMORI_AUTH_DKIM_SIGNING_H

#include "auth/public_key.h"
#include "mail/header.h"

/* Whose key signs. Domain and selector are A-labels. */
struct dkim_signer {
    struct text domain, selector;
    enum key_kind kind;
};

/* A field whose b= is empty. */
struct dkim_signing {
    struct text before, after;        /* b= belongs between them */
    uint8_t digest[KEY_DIGEST_BYTES]; /* to be signed */
    bool is_unfolded;                 /* b= stays on one line */
};

/* SHA-256 of the body in its relaxed form: once for all signers of a message. */
void dkim_signing_body(struct text body, uint8_t out[KEY_DIGEST_BYTES]);

/* Composes the field, relaxed/relaxed, without l=, folded within 78 columns. What a person sees and what says
   how it is read is signed once more often than it is there, so that none can be put in front. `header` is
   that of the message as it leaves. False: it has no From (RFC 6376 section 5.4). Lives in the arena. */
bool dkim_signing_begin(struct arena *arena, const struct header *header,
                        const uint8_t body_digest[KEY_DIGEST_BYTES], const struct dkim_signer *signer,
                        uint64_t now_s, struct dkim_signing *out);

/* The whole field, CRLF-ended, in the arena; belongs in front of the message. `signature` is raw. */
struct text dkim_signing_end(struct arena *arena, const struct dkim_signing *signing, struct text signature);

/* A field of that name (any case) is signed. */
bool dkim_signing_covers(struct text name);

/* What follows is for ARC too. The names that are signed, as h= has them; in the arena. */
struct text dkim_signing_names(struct arena *arena, const struct header *header);

/* Sets the digest of the fields that `names` selects and of the field itself. */
void dkim_signing_digest(struct arena *arena, const struct header *header, struct text names,
                         struct dkim_signing *signing);

#endif
