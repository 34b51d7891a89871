/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Everything that is signed in a message, DKIM and ARC alike: its bytes are read once, where they are seen;
   what was read travels in a byte form to where keys are known. Pure. */
#ifndef SEKIMORI_AUTH_MESSAGE_SIGNATURES_H
#define SEKIMORI_AUTH_MESSAGE_SIGNATURES_H

#include "auth/arc.h"
#include "base/codec.h"
#include "mail/header.h"

struct message_signatures {
    struct dkim_facts dkim;
    struct arc_facts arc;
};

/* `header` is that of `message`, the bytes as they came. Each byte of the body is hashed at most twice (once
   for each canonical form that some signature wants), not at all where nothing is signed; header bytes are
   hashed up to MESSAGE_SIGNATURES_HEADER_BYTES in all. Texts live in the arena. */
void message_signatures_read(struct arena *arena, struct text message, const struct header *header,
                             struct message_signatures *out);

enum { MESSAGE_SIGNATURES_HEADER_BYTES = 16 * 1024 * 1024 };

/* The byte form, appended: nothing is kept of what it is made from. */
void message_signatures_put(const struct message_signatures *signatures, struct buffer *out);

/* False, *out undefined: malformed. Texts are borrowed from the reader's text, lists live in the arena. */
bool message_signatures_get(struct arena *arena, struct reader *reader, struct message_signatures *out);

/* What both are worth: `out_dkim` has dkim.count places. False, both undefined: not yet; the keys of both are
   noted as wanted together. */
bool message_signatures_judge(struct arena *arena, const struct message_signatures *signatures,
                              struct dns_answers *answers, uint64_t now_s, struct dkim_verdict *out_dkim,
                              struct arc_verdict *out_arc);

#endif
