/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ARC fields of a header put into sets (RFC 8617 section 4.2), and what a seal covers. */
#ifndef SEKIMORI_AUTH_ARC_CHAIN_H
#define SEKIMORI_AUTH_ARC_CHAIN_H

#include "auth/arc.h"
#include "auth/canonical.h"
#include "mail/header.h"

/* In the order in which a seal covers them (RFC 8617 section 5.1.1). */
enum arc_field { ARC_FIELD_RESULTS, ARC_FIELD_MESSAGE, ARC_FIELD_SEAL, ARC_FIELDS };

struct arc_chain {
    const struct header_field *fields[ARC_SETS_MOST][ARC_FIELDS]; /* [0] is i=1; borrowed from the header */
    uint32_t count;
    enum arc_reason reason; /* ARC_GOOD: sets 1 to `count` have one of each; else nothing is to be used */
    uint32_t failed_set;
};

/* Linear in the header. */
void arc_chain_collect(const struct header *header, struct arc_chain *out);

/* What stands behind "i=1;" in an ARC-Authentication-Results. */
struct text arc_chain_payload(const struct header_field *field);

/* Adds the whole set, or of set `count` + 1 what is there, in relaxed form. */
void arc_chain_set_add(struct running_digest *digest, const struct header_field *const fields[ARC_FIELDS]);

#endif
