/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail magazines: what its sender sends to many, names a way to end (RFC 2369, RFC 8058), and proves to have
   sent. First half: what the header says, and anybody may write; second half: what of that is proven. Pure;
   linear. */
#ifndef SEKIMORI_AUTH_NEWSLETTER_H
#define SEKIMORI_AUTH_NEWSLETTER_H

#include "base/codec.h"
#include "mail/header.h"

/* Names of letters, digits and "-_.+" in lower case, in the arena or borrowed. */
struct newsletter_fields {
    struct text list_id;     /* of the one List-Id; empty: none */
    struct text unsubscribe; /* the host of the first link in the one List-Unsubscribe, or the domain of its
                                address; empty: it is no newsletter */
    bool is_one_click;       /* List-Unsubscribe-Post as in RFC 8058, beside an https link */
    bool is_to_many;         /* List-Id, Feedback-ID, or `Precedence: bulk` or `list` */
    bool is_discussion;      /* List-Post names where to write to: a mailing list, no newsletter */
};

/* Of the whole header. */
void newsletter_read(struct arena *arena, const struct header *header, struct newsletter_fields *out);

/* The header is that of a newsletter: a way to end, and one-click or a sign that it goes to many, and nobody
   is asked to write to it. */
bool newsletter_is_said(const struct newsletter_fields *fields);

/* The byte form, appended; what is read borrows its texts. What is malformed fails the reader. */
void newsletter_put(const struct newsletter_fields *fields, struct buffer *out);
void newsletter_get(struct reader *reader, struct newsletter_fields *out);

/* --- what is proven --- */

/* Which newsletter it is: approvals go by both together. */
struct newsletter {
    struct text name;   /* the List-Id, else the host of List-Unsubscribe; empty: it is no newsletter */
    struct text domain; /* the organizational domain of the author, which is proven */
};

struct auth_facts;
struct authentication;

/* A newsletter whose one author is proven: by a signature of his organization that holds, is of the whole
   body and of every List-Unsubscribe, or by SPF of the address in MAIL FROM (`sender`) where its domain is of
   his organization; and DMARC does not fail. A List-Id that no such signature covers counts with SPF alone.
   The organization is by the public suffix list, whatever DMARC goes by, so that a domain without a DMARC
   record has one too. */
struct newsletter newsletter_prove(struct arena *arena, const struct auth_facts *facts,
                                   const struct authentication *result, struct text sender);

#endif
