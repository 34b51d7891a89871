/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One DKIM-Signature, ARC-Message-Signature or ARC-Seal field as it is written (RFC 6376 section 3.5, RFC
   8617 section 4.1), before anything is hashed. */
#ifndef SEKIMORI_AUTH_DKIM_FIELD_H
#define SEKIMORI_AUTH_DKIM_FIELD_H

#include "auth/canonical.h"
#include "auth/dkim.h"
#include "auth/tag_list.h"
#include "mail/header.h"

enum dkim_field_kind { DKIM_FIELD_SIGNATURE, DKIM_FIELD_ARC_MESSAGE, DKIM_FIELD_ARC_SEAL };

struct dkim_field {
    const struct header_field *field;
    enum dkim_field_kind kind;
    struct dkim_signature *signature;      /* where the reading goes */
    enum canonical_form form;              /* of the header */
    struct text names;                     /* h= */
    uint8_t body_digest[KEY_DIGEST_BYTES]; /* bh= */
    struct canonical_want body;
};

/* Reads it into *out and *signature, whose reason says what is wrong, DKIM_GOOD: nothing. All that was
   readable of d=, s=, i= and a= is filled in for people, whatever the reason. Texts live in the arena. */
void dkim_field_read(struct arena *arena, const struct header_field *field, enum dkim_field_kind kind,
                     struct dkim_signature *signature, struct dkim_field *out);

/* The whole field without the value of b= and white space around it (section 3.7), in the arena. */
struct text dkim_field_unsigned(struct arena *arena, const struct header_field *field);

/* The whole field as it stands in the message: name, folds and line end. */
struct text dkim_field_bytes(const struct header_field *field);

#endif
