/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ARC chain of a message (RFC 8617): what was read where its bytes were seen, and what that is worth once
   the DNS has told the keys. Pure. Called through auth/message_signatures.h. */
#ifndef SEKIMORI_AUTH_ARC_H
#define SEKIMORI_AUTH_ARC_H

#include "auth/dkim.h"

enum {
    ARC_SETS_MOST = 50,               /* RFC 8617 section 4.2.1 */
    ARC_CHAIN_BYTES_MOST = 48 * 1024, /* of signatures, domains and selectors of all sets */
    ARC_RESULTS_MOST = 2048,          /* bytes of one ARC-Authentication-Results that are kept */
    ARC_ALL_RESULTS_MOST = 16 * 1024  /* of all, the newest first: what does not fit is empty */
};

enum arc_cv { ARC_CV_NONE, ARC_CV_PASS, ARC_CV_FAIL }; /* cv=: "none", "pass", "fail" */

/* Why a chain is not good. */
enum arc_reason {
    ARC_GOOD,
    ARC_SYNTAX,      /* a field has no i=, or one that is no number from 1 to 50 */
    ARC_TOO_MANY,    /* more than 50 sets, or over ARC_CHAIN_BYTES_MOST */
    ARC_DOUBLED,     /* a set has a field twice */
    ARC_INCOMPLETE,  /* a set lacks a field, or the numbers have a gap */
    ARC_CV,          /* the first set's cv= is not none, or a later one's is not pass */
    ARC_CV_FAILED,   /* the newest set's cv= is fail: somebody before us saw it fail */
    ARC_SEAL,        /* a seal does not hold: its own reason stands in its verdict */
    ARC_MESSAGE,     /* the newest ARC-Message-Signature does not hold */
    ARC_UNREACHABLE, /* a key could not be asked for: the chain counts as failed */
    ARC_REASON_COUNT
};

struct arc_set {
    enum arc_cv cv;
    struct dkim_signature message, seal; /* ARC-Message-Signature, ARC-Seal; identity is of no use */
    struct text results; /* ARC-Authentication-Results behind i=, unfolded: "mx.example; spf=pass …" */
};

struct arc_facts {
    enum arc_reason reason; /* ARC_GOOD as far as was seen */
    uint32_t failed_set;    /* whose `reason` it is, from 1; 0: none in particular */
    struct arc_set *sets;   /* sets[0] is i=1; empty where they cannot be put in order */
    uint32_t count;
};

struct arc_set_verdict {
    struct dkim_verdict message, seal;
};

struct arc_verdict {
    enum auth_result result; /* none, pass or fail; RFC 8617 section 4.4 */
    enum arc_reason reason;
    uint32_t failed_set;  /* from 1; 0: none in particular */
    uint32_t oldest_pass; /* RFC 8617 section 5.2: from 1; 0: every ARC-Message-Signature still holds */
    uint32_t sets;
    struct arc_set_verdict *by_set; /* NULL where nothing was verified */
};

/* False, *out undefined: not yet, all keys that are missing are noted as wanted. Lists live in the arena. A
   chain that fails by its structure wants no key. */
bool arc_judge(struct arena *arena, const struct arc_facts *facts, struct dns_answers *answers,
               uint64_t now_s, struct arc_verdict *out);

/* True: every key is known, or needs no asking; false: those that are missing are noted as wanted. */
bool arc_ask(const struct arc_facts *facts, struct dns_answers *answers, uint64_t now_s);

/* What that sealer says to have seen: for one that is trusted, of a chain that passed. `set` counts from 1.
 * False: nothing can be read. */
bool arc_results_read(struct arena *arena, const struct arc_facts *facts, uint32_t set,
                      struct authentication_results *out);

/* In English, for people: "the newest message signature does not hold"; "" for ARC_GOOD. */
const char *arc_reason_text(enum arc_reason reason);
/* For programs: "message"; "good" for ARC_GOOD. */
const char *arc_reason_name(enum arc_reason reason);
const char *arc_cv_name(enum arc_cv cv); /* "none" */

#endif
