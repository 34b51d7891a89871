/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The fields by which a message says that a mailing list sent it: List-Id (RFC 2919) with List-Post (RFC
   2369) or Precedence, and whether its author wrote to that list. Nothing here is proven. Pure; linear. */
#ifndef SEKIMORI_AUTH_MAILING_LIST_H
#define SEKIMORI_AUTH_MAILING_LIST_H

#include "base/codec.h"
#include "mail/header.h"

enum { MAILING_LIST_ID_MOST = 255 }; /* bytes of an id: RFC 2919 section 3 */

struct mailing_list {
    struct text id; /* "tech.lists.example", lower case; empty: no list says that it sent this */
    bool is_in_to;  /* the list's address, "tech@lists.example", stands in a To field */
    bool is_in_cc;  /* the same in Cc */
};

/* A list is named where there is one List-Id, its id is of letters, digits and "-_.+" with at least one dot,
   and List-Post or `Precedence: list` or `bulk` stands beside it. The id lives in the arena. */
void mailing_list_read(struct arena *arena, const struct header *header, struct mailing_list *out);

/* The id of the one List-Id, in lower case, in the arena; empty where it is none of that kind. */
struct text mailing_list_id(struct arena *arena, const struct header *header);
/* Letters, digits and "-_.+", with at least one dot; a domain in A-labels is one too. */
bool mailing_list_is_id(struct text id);

/* The byte form, appended; what is read borrows the id. What is malformed fails the reader. */
void mailing_list_put(const struct mailing_list *list, struct buffer *out);
void mailing_list_get(struct reader *reader, struct mailing_list *out);

#endif
