/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What read keeps of a message that is to be signed when it leaves: the digest of its body and the header
   fields that a signature covers. Edits come later, when the verdict stands; the message is gone by then. */
#ifndef SEKIMORI_SCAN_SEAL_BASIS_H
#define SEKIMORI_SCAN_SEAL_BASIS_H

#include "judge/evidence.h"
#include "mail/digest.h"
#include "mail/edits.h"
#include "mail/header.h"

enum seal_purpose {
    SEAL_NOTHING,
    SEAL_DKIM,  /* from inside, and its author is of a domain of ours that has keys */
    SEAL_ARC,   /* from outside, and who sent it is judged */
    SEAL_EITHER /* of a basis: which of both shows when the verdict has the direction */
};

/* Bytes of fields that are kept: facts that are asked about share a frame with the answers. */
enum { SEAL_DKIM_BYTES_MOST = 64 * 1024, SEAL_ARC_BYTES_MOST = 32 * 1024, SEAL_FACTS_MOST = 56 * 1024 };

struct seal_field {
    uint64_t offset; /* in the message as it came */
    struct text bytes;
};

struct seal_basis {
    enum seal_purpose purpose;
    struct text why;            /* nothing can be signed: "too-long" or "malformed"; empty: it can */
    struct text domain;         /* the author's, an A-label, where it has keys; empty for SEAL_ARC alone */
    uint8_t body[DIGEST_BYTES]; /* relaxed */
    struct seal_field *fields;
    uint32_t count;
};

/* Fills `seal_basis` of facts, from the arena; leaves it empty where nothing is to be signed. Facts have what
   authenticate_read and recipe_look found. */
void seal_basis_read(struct arena *arena, const struct config *config, const struct occasion *occasion,
                     struct text message, const struct header *header, struct facts *out);

/* The same where facts are to travel beside answers, and with it are over SEAL_FACTS_MOST: "too-long". */
void seal_basis_drop(struct arena *arena, struct facts *facts);

/* Its byte form in facts. False: it is empty or malformed. Texts are borrowed, the list is in the arena. */
bool seal_basis_get(struct arena *arena, struct text bytes, struct seal_basis *out);

/* The fields as they leave: `prefix`, and what is kept with these edits of the whole message, of which
   insertions elsewhere are kept too. In the arena, ended by an empty line. */
struct text seal_basis_apply(struct arena *arena, const struct seal_basis *basis, struct text prefix,
                             const struct edits *edits);

#endif
