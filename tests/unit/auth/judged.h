/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages read and judged in one call, with the keys of a zone. */
#ifndef SEKIMORI_TESTS_JUDGED_H
#define SEKIMORI_TESTS_JUDGED_H

#include "auth/canonical.h"
#include "auth/message_signatures.h"
#include "auth/private_key.h"
#include "zone.h"

/* A message read by header rules of ours, through its byte form and back, and judged. */
struct judged {
    struct header header;
    struct message_signatures signatures;
    struct dkim_verdict dkim[DKIM_SIGNATURES_MOST];
    struct arc_verdict arc;
};

/* In the zone's arena; borrows from the message. */
void judged_make(struct zone *zone, struct text message, uint64_t now_s, struct judged *out);

void judged_header(struct arena *arena, struct text message, struct header *out);

/* The TXT record of a key, in the arena. */
struct text judged_record_of(struct arena *arena, const struct private_key *key);

/* Signs `message` with a DKIM-Signature that ends in "b=", and puts it in front; in the arena. `tags` go
   before bh= and `names` is h=. `limit`: bytes of the body, -1: all. */
struct text judged_sign(struct arena *arena, const struct private_key *key, const char *tags,
                        const char *names, enum canonical_form header_form, enum canonical_form body_form,
                        int64_t limit, struct text message);

/* Bare LF becomes CRLF; in the arena. */
struct text judged_crlf(struct arena *arena, struct text text);

#endif
