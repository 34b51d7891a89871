/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages read and judged in one call, with the keys of a zone. */
#ifndef SEKIMORI_TESTS_JUDGED_H
#define SEKIMORI_TESTS_JUDGED_H

#include "auth/message_signatures.h"
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

/* Bare LF becomes CRLF; in the arena. */
struct text judged_crlf(struct arena *arena, struct text text);

#endif
