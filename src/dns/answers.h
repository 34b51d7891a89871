/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the DNS has said so far, to one evaluation of SPF, DKIM, DMARC or ARC. An evaluator never waits: it
   looks here, and what is not there is noted as wanted. Then its owner asks, puts the answers in, and has the
   evaluator begin again from the start. So its result follows from its arguments and these answers alone. */
#ifndef SEKIMORI_DNS_ANSWERS_H
#define SEKIMORI_DNS_ANSWERS_H

#include "base/codec.h"
#include "dns/dns_record.h"

enum { DNS_ANSWERS_MOST = 256 }; /* different questions of one evaluation: more get DNS_TEMPERROR */

struct dns_lookup {
    struct text name; /* lower case, no final dot */
    enum dns_record_type type;
    bool is_known;
    struct dns_answer answer; /* when known */
};

struct dns_answers {
    struct arena *arena; /* holds names and lists; answers' records are who put them in's, as long-lived */
    /* Told once of each question that is not known: true when the answer is at hand, as from a cache. May be
       NULL. */
    bool (*at_hand)(void *context, struct text name, enum dns_record_type type, struct dns_answer *out);
    void *context;
    struct dns_lookup *items; /* in the order in which they were first asked */
    uint32_t count, room;
};

/* The answer; NULL: not known, and noted as wanted. `name` in any case, with or without a final dot; one that
   no domain name can be (RFC 1035 section 2.3.4) does not exist. Valid until the next call. */
const struct dns_answer *dns_answers_find(struct dns_answers *answers, struct text name,
                                          enum dns_record_type type);

/* The first at or behind `from` that is wanted; NULL: no more. To be asked, then put in. */
const struct dns_lookup *dns_answers_wanted(const struct dns_answers *answers, uint32_t from);

/* Puts an answer in, for a question that was wanted or not. */
void dns_answers_put(struct dns_answers *answers, struct text name, enum dns_record_type type,
                     const struct dns_answer *answer);

/* The byte form of what is known, appended: at most `most` bytes, later ones are left out. */
void dns_answers_write(const struct dns_answers *answers, size_t most, struct buffer *out);

/* Puts in what a byte form has. Texts are borrowed from the reader's, lists live in the arena. False, some
   may be in: malformed. */
bool dns_answers_read(struct dns_answers *answers, struct reader *reader);

/* The time is over: what is still wanted is DNS_TEMPERROR. */
void dns_answers_close(struct dns_answers *answers);

#endif
