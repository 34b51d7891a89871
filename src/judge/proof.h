/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who was found to have sent a message, as it is told and stored: short, and without the rules of auth/. Made
   by scan, carried by verdict and event, kept by ledger. */
#ifndef SEKIMORI_JUDGE_PROOF_H
#define SEKIMORI_JUDGE_PROOF_H

#include "base/buffer.h"
#include "base/codec.h"

/* The words of RFC 8601 section 2.7. Numbers are stored: never reuse them. */
enum proof_result {
    PROOF_NONE,
    PROOF_PASS,
    PROOF_FAIL,
    PROOF_SOFTFAIL,
    PROOF_NEUTRAL,
    PROOF_POLICY,
    PROOF_TEMPERROR,
    PROOF_PERMERROR,
    PROOF_RESULT_COUNT
};

/* What the owner of the domain in From asks for this message. Stored. */
enum proof_demand { PROOF_ASKS_NOTHING, PROOF_ASKS_QUARANTINE, PROOF_ASKS_REJECT, PROOF_DEMAND_COUNT };

/* Why a failure of DMARC was let pass. Stored. */
enum proof_excuse { PROOF_NO_EXCUSE, PROOF_FORWARDER, PROOF_SEALER, PROOF_LIST, PROOF_EXCUSE_COUNT };

/* How a domain in From fared: what partners are counted by. Stored. */
enum proof_fate {
    FATE_NONE,     /* it asks for no proof, or the DNS failed */
    FATE_PASSED,   /* DMARC passes */
    FATE_EXCUSED,  /* it fails, and that was let pass */
    FATE_UNSIGNED, /* no signature of its own, and SPF does not name the client */
    FATE_BROKEN,   /* a signature of its own does not hold */
    FATE_FOREIGN,  /* SPF or a signature proves another domain alone */
    FATE_UNMARKED, /* neither an SPF record nor any signature */
    FATE_COUNT
};

/* All zero: nobody asked. Texts are domains as the message and the DNS say them, of strangers. */
struct proof {
    bool is_made;
    enum proof_result spf, dkim, dmarc, arc; /* dkim: the best of all signatures */
    enum proof_demand demand;
    enum proof_excuse excuse;
    enum proof_fate fate;
    struct text author;      /* the domain in From that decided; empty: none */
    struct text spf_domain;  /* that SPF judged; empty: none */
    struct text dkim_domain; /* of the signature that counted: one that is aligned, or holds, or the first */
    struct text excuse_of; /* the forwarder or sealer that is trusted, the list that is known; empty: none */
    struct text list;      /* the id of the mailing list that sent it; empty: none, or unproven */
    struct text list_domain; /* the proven domain of that list; empty with it */
};

enum { PROOF_DOMAIN_MOST = 255, PROOF_EXCUSE_MOST = 100 }; /* octets; longer texts are cut */

const char *proof_result_word(enum proof_result result); /* "softfail"; "unknown" outside the enum */
const char *proof_demand_word(enum proof_demand demand); /* "reject"; the same */
const char *proof_excuse_word(enum proof_excuse excuse); /* "list"; "" for none */
const char *proof_fate_word(enum proof_fate fate);       /* "broken"; "unknown" outside the enum */

/* The byte form, appended. At most 6 texts and 8 octets; without a list as older versions have it. */
void proof_put(const struct proof *proof, struct buffer *out);
/* Texts are borrowed. What is malformed fails the reader, and *out means nothing. */
void proof_get(struct reader *reader, struct proof *out);

#endif
