/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Is the domain in From proven by SPF or DKIM, and what does its owner ask for where it is not: RFC 9989, or
   RFC 7489 with a public suffix list. Pure: the result follows from the request and the DNS answers alone. */
#ifndef SEKIMORI_AUTH_DMARC_H
#define SEKIMORI_AUTH_DMARC_H

#include "auth/dmarc_record.h"
#include "auth/public_suffix.h"
#include "dns/answers.h"

enum dmarc_outcome {
    DMARC_NONE,
    DMARC_PASS,
    DMARC_FAIL,
    DMARC_TEMPERROR,
    DMARC_PERMERROR,
    DMARC_OUTCOME_COUNT
};

enum { DMARC_AUTHORS_MOST = 16, DMARC_SIGNATURES_MOST = 32 }; /* further ones are not looked at */

/* What SPF or a signature says of its domain. */
enum dmarc_proof {
    DMARC_UNPROVEN,
    DMARC_PROVEN,  /* pass */
    DMARC_UNKNOWN, /* temperror: nobody fails for it whose domain it could have proven */
    DMARC_ALTERED, /* proves nothing: a signature that would hold, had the body not been altered */
};

struct dmarc_identifier {
    struct text domain; /* spf_result.domain of MAIL FROM, or d= */
    enum dmarc_proof proof;
};

struct dmarc_request {
    const struct text *authors; /* the domains in From, as from_domains_find gives them; UTF-8 is allowed */
    uint32_t author_count;
    struct dmarc_identifier spf;
    const struct dmarc_identifier *dkim; /* each signature */
    uint32_t dkim_count;
    const struct public_suffix_list
        *suffixes;   /* NULL: the tree walk of RFC 9989; else RFC 7489 by this list */
    uint32_t sample; /* 0-99, at random: with `suffixes` a policy is lowered where this is not below pct;
                        0: as most messages are treated */
};

/* Texts are borrowed from the request and the answers, or live in the arena. */
struct dmarc_result {
    enum dmarc_outcome outcome;
    enum dmarc_policy policy;      /* what the owner asks for: p, sp or np, whatever the outcome */
    enum dmarc_policy disposition; /* what he asks for this message: DMARC_POLICY_NONE unless it fails; one
                                      step milder in a test (t=y, pct) */
    const char *policy_tag;        /* "p", "sp" or "np": where `policy` stood; "" without a record */
    struct text author;            /* the domain in From that decided, A-labels in lower case; empty: none */
    struct text organization;      /* its organizational domain; empty where it was not needed */
    struct text record_at;         /* the domain whose record decided, without _dmarc; empty: no record */
    struct dmarc_record record;    /* that record; zero without one */
    bool is_testing;               /* t=y; or by pct this message is not in the sample */
    uint8_t percent; /* of its messages for which the policy is meant: pct with a list, else 100 */
    bool has_spf_aligned, has_dkim_aligned; /* proven and aligned */
    uint32_t altered_aligned; /* of a failure: bits 1 << index in request->dkim of what is DMARC_ALTERED and
                                 of the author's organization */
    struct text dkim_domain;  /* d= of the first signature that aligned; empty: none */
    const char *reason;       /* in English, for people: never NULL */
};

const char *dmarc_outcome_name(enum dmarc_outcome outcome); /* "temperror": RFC 8601 section 2.7 */

/* With several authors each is judged and the strictest result counts (RFC 9989 section 5.3.1 lets the
   receiver go on; its section on denial of DMARC attacks says why). Of none or a DNS failure nothing is asked
   for. False: answers are missing that `answers` has noted as wanted, *out is undefined. */
bool dmarc_evaluate(struct arena *arena, struct dns_answers *answers, const struct dmarc_request *request,
                    struct dmarc_result *out);

#endif
