/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* TXT records at hand for an evaluation, and messages read and judged in one call. */
#ifndef SEKIMORI_TESTS_KEY_ZONE_H
#define SEKIMORI_TESTS_KEY_ZONE_H

#include "auth/canonical.h"
#include "auth/message_signatures.h"
#include "auth/private_key.h"

struct zone_record {
    struct text name, value;
    enum dns_status status; /* other than DNS_FOUND: the value is of no use */
};

struct zone {
    struct arena *arena;
    struct zone_record records[128];
    size_t count;
};

void zone_add(struct zone *zone, struct text name, struct text value);

/* Answers at hand: what is not in the zone does not exist. */
struct dns_answers zone_answers(struct zone *zone);

/* A message read by header rules of ours, through its byte form and back, and judged. */
struct judged {
    struct header header;
    struct message_signatures signatures;
    struct dkim_verdict dkim[DKIM_SIGNATURES_MOST];
    struct arc_verdict arc;
};

void zone_judge(struct zone *zone, struct text message, uint64_t now_s, struct judged *out);

void zone_header(struct arena *arena, struct text message, struct header *out);

/* The TXT record of a key, in the arena. */
struct text zone_record_of(struct arena *arena, const struct private_key *key);

/* Signs `message` with a DKIM-Signature that ends in "b=", and puts it in front; in the arena. `tags` go
   before bh= and `names` is h=. `limit`: bytes of the body, -1: all. */
struct text zone_sign(struct arena *arena, const struct private_key *key, const char *tags, const char *names,
                      enum canonical_form header_form, enum canonical_form body_form, int64_t limit,
                      struct text message);

/* Bare LF becomes CRLF; in the arena. */
struct text zone_crlf(struct arena *arena, struct text text);

#endif
