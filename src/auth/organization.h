/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* To whom a domain belongs, and which DMARC record speaks for it: the tree walk of RFC 9989 section 4.10, or
   a public suffix list as in RFC 7489 section 3.2. Pure; for dmarc.c. */
#ifndef SEKIMORI_AUTH_ORGANIZATION_H
#define SEKIMORI_AUTH_ORGANIZATION_H

#include "auth/dmarc_record.h"
#include "auth/public_suffix.h"
#include "dns/answers.h"

enum organization_state {
    ORGANIZATION_KNOWN,
    ORGANIZATION_WAITS, /* for answers that are noted as wanted, all that may be needed at once */
    ORGANIZATION_FAILED /* the DNS does not answer a question that decides */
};

/* Where a record is looked for, and what is there. */
struct organization_record {
    struct text domain; /* without _dmarc; empty: there is no record */
    struct dmarc_record record;
};

struct organization {
    struct text domain; /* the organizational domain: an end of the domain asked about, never empty */
    struct organization_record record; /* of it, else of the public suffix domain that the walk met */
};

/* The one record at `domain` itself; several are none (RFC 9989 section 4.10 step 2). */
enum organization_state organization_own_record(struct arena *arena, struct dns_answers *answers,
                                                struct text domain, struct organization_record *out);

/* `domain` in A-labels, lower case, without a final dot. `suffixes` NULL: by the tree walk. */
enum organization_state organization_find(struct arena *arena, struct dns_answers *answers,
                                          const struct public_suffix_list *suffixes, struct text domain,
                                          struct organization *out);

/* The organizational domain by the list alone, `domain` itself where the list has none. */
struct text organization_listed(const struct public_suffix_list *suffixes, struct text domain);

/* `domain` is `organization` or below it; both in one case. */
bool organization_has(struct text organization, struct text domain);

#endif
