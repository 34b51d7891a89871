/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An ARC set of ours (RFC 8617 section 5.1). Who holds the private key sees digests alone: begin, have
   `message.digest` signed, go on, have `seal.digest` signed, end. Pure. */
#ifndef SEKIMORI_AUTH_ARC_SEAL_H
#define SEKIMORI_AUTH_ARC_SEAL_H

#include "auth/arc.h"
#include "auth/dkim_signing.h"

/* Plain data: it may travel between the steps. `seal.digest` is set by arc_seal_message. */
struct arc_sealing {
    struct text results; /* ARC-Authentication-Results, whole */
    struct text *chain;  /* the fields that the seal covers before that, whole, in their order */
    uint32_t chain_count;
    struct dkim_signing message, seal;
    struct text signed_message; /* ARC-Message-Signature, whole */
};

enum { ARC_CHAIN_FIELDS_MOST = 3 * ARC_SETS_MOST };

struct arc_seal_wish {
    struct dkim_signer signer;
    struct text authserv_id;
    struct text payload; /* "; spf=pass …", as authentication_results_payload_add has it */
    struct text names; /* of the fields to sign, "from:to:date"; empty: those that dkim_signing_begin signs */
    uint64_t now_s;
};

/* The chain as it came is `facts` with `verdict`; `header` is that of the message as it leaves, its ARC sets
   untouched. False: no set is to be added, since the chain has failed already by its newest cv=, or has 50
   sets, or cannot be put in order (RFC 8617 section 5.1.2), or there is no From. Lives in the arena. */
bool arc_seal_begin(struct arena *arena, const struct header *header,
                    const uint8_t body_digest[KEY_DIGEST_BYTES], const struct arc_facts *facts,
                    const struct arc_verdict *verdict, const struct arc_seal_wish *wish,
                    struct arc_sealing *out);

/* Puts the raw signature of `message.digest` in; then `seal.digest` is known. */
void arc_seal_message(struct arena *arena, struct arc_sealing *sealing, struct text signature);

/* All three fields, CRLF-ended, seal first; belong in front of the message. */
struct text arc_seal_end(struct arena *arena, const struct arc_sealing *sealing, struct text signature);

#endif
