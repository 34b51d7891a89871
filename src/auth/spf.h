/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* May this client send for that domain: RFC 7208, with the names of RFC 8616. Pure: the result follows from
   the request and the DNS answers alone. */
#ifndef SEKIMORI_AUTH_SPF_H
#define SEKIMORI_AUTH_SPF_H

#include "dns/answers.h"

enum spf_outcome {
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
    SPF_OUTCOME_COUNT
};

enum {
    SPF_LOOKUPS_MOST = 10,          /* terms that ask the DNS, in all records together (section 4.6.4) */
    SPF_VOIDS_MOST = 2,             /* of these, answered by no such name or no such record */
    SPF_HOSTS_MOST = 10,            /* names of one "mx" or of a reverse look-up whose addresses are asked */
    SPF_MACRO_BYTES_MOST = 1 << 18, /* made by macros in one evaluation; more is permerror */
    SPF_EXPLANATION_MOST = 1000,    /* bytes; the rest is cut off */
    SPF_STEPS_MOST = 200            /* of a trace; later ones are left out */
};

struct spf_request {
    struct address client;
    struct text helo;   /* as the client said it; may be empty */
    struct text sender; /* MAIL FROM without brackets; empty: postmaster at helo, which judges HELO too */
    struct text host;   /* our own name, for %{r}; empty: "unknown" */
    uint64_t now;       /* seconds since 1970, for %{t} */
    bool is_traced;     /* fill spf_result.steps */
};

/* One term of a record that was tried, for people. */
struct spf_step {
    uint32_t depth;     /* 0: the record of the domain judged; one more for each include and redirect */
    struct text domain; /* whose record */
    struct text term;   /* as written; empty: there is no record that could be read */
    const char *gave;   /* "match", "no match", a word of RFC 8601 or "no address" */
};

/* Texts are borrowed from the request and the answers, or live in the arena. */
struct spf_result {
    enum spf_outcome outcome;
    struct text domain; /* the domain judged, A-labels in lower case; empty where there is none */
    struct text
        mechanism; /* the term that matched, as written, with its qualifier; of permerror and temperror the
                      term that brought it about; empty: the default, or there is no record */
    struct text explanation; /* of SPF_FAIL, from exp=: printable US-ASCII; else empty */
    const char *reason;      /* of none, permerror and temperror: why, in English; else "" */
    uint32_t lookups, voids; /* as section 4.6.4 counts them */
    uint32_t step_count;
    struct spf_step *steps; /* SPF_STEPS_MOST at most; NULL when not traced */
};

const char *spf_outcome_name(enum spf_outcome outcome); /* "softfail": RFC 8601 section 2.7.2 */

/* check_host() of section 4. False: answers are missing that `answers` has noted as wanted (those of later
   terms too, so that they are asked together), *out is undefined. */
bool spf_evaluate(struct arena *arena, struct dns_answers *answers, const struct spf_request *request,
                  struct spf_result *out);

#endif
