/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The envelope of a message (RFC 5321 section 2.3.1) with its SMTP extensions, and its byte form for frames
   and the journal. Texts are borrowed. */
#ifndef SEKIMORI_MAIL_ENVELOPE_H
#define SEKIMORI_MAIL_ENVELOPE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/codec.h"

enum envelope_body { BODY_UNSTATED, BODY_7BIT, BODY_8BITMIME };
enum envelope_return { RETURN_UNSTATED, RETURN_FULL, RETURN_HEADERS }; /* RFC 3461 section 4.3 */

/* RFC 3461 section 4.1; 0: unstated. NEVER stands alone. */
enum notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

struct recipient {
    struct text address; /* as given, without brackets */
    struct text orcpt;   /* "rfc822;user@example.jp", xtext decoded; empty: none */
    uint8_t notify;      /* enum notify bits */
};

struct envelope {
    struct text sender; /* without brackets; empty: the null path <> */
    struct text envid;  /* xtext decoded; empty: none */
    uint64_t size;      /* declared, 0: not */
    enum envelope_body body;
    enum envelope_return ret;
    bool smtputf8;
    /* Between nodes of ours. origin: the XCLIENT attributes that name the first client to the next node;
       empty: there is nothing to say. transaction: names sender, recipients and content, so that a node that
       kept them knows them when they come again; TRANSACTION_BYTES long, or empty. */
    struct text origin, transaction;
    uint32_t recipient_count;
    struct recipient *recipients;
};

enum { ENVELOPE_RECIPIENTS_MOST = 10000, TRANSACTION_BYTES = 16 };

/* Appends what envelope_get reads. ENVELOPE_RECIPIENTS_MOST is the caller's to keep: get refuses more. */
void envelope_put(const struct envelope *envelope, struct buffer *out);
/* False: malformed. Texts borrow from the reader's text; the list lives in the arena. */
bool envelope_get(struct arena *arena, struct reader *reader, struct envelope *out);

/* The part of an address behind its last "@"; empty for a bare local part. */
struct text envelope_domain_of(struct text address);

#endif
