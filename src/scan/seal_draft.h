/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fields that lack their signature: a worker composes them beside a verdict, the dispatcher, which looks into
   no message, has digests signed by signer and puts the finished fields on top of the recipes. */
#ifndef SEKIMORI_SCAN_SEAL_DRAFT_H
#define SEKIMORI_SCAN_SEAL_DRAFT_H

#include "auth/arc_seal.h"
#include "base/codec.h"
#include "judge/evidence.h"
#include "scan/seal_basis.h"

/* As many keys as a domain has, for each message that the recipes make of one. */
enum { SEAL_DRAFTS_MOST = 2 * SIGNING_KEYS_MOST * RECIPES_MOST };

/* One field, or of ARC three. */
struct seal_draft {
    uint8_t recipes;           /* bits 1 << index: those whose message it is of */
    struct text key;           /* as ipc/ask_signer.h names it */
    struct arc_sealing fields; /* of DKIM `message` alone: it is DKIM-Signature then */
};

struct seal_list {
    enum seal_purpose purpose;
    struct text why; /* nothing can be signed of it, whoever signs: "too-long"; empty: there are drafts */
    struct seal_draft *drafts;
    uint32_t count;
};

_Static_assert(RECIPES_MOST <= 8, "each recipe has its bit");

/* The byte form, appended. What is read borrows its texts, lists live in the arena. False: malformed. */
void seal_list_put(const struct seal_list *list, struct buffer *out);
bool seal_list_get(struct arena *arena, struct text bytes, struct seal_list *out);

/* The digest that is to be signed next: of `message`, and of ARC of `seal` when that one is. */
const uint8_t *seal_draft_digest(const struct seal_list *list, const struct seal_draft *draft);

/* Takes the raw signature of that digest. True: the draft is whole, *out_fields is it, CRLF-ended, in the
   arena; false: there is one more digest. */
bool seal_draft_signed(struct arena *arena, const struct seal_list *list, struct seal_draft *draft,
                       struct text signature, struct text *out_fields);

/* Puts whole fields before all else that the recipe does. False, nothing is changed: recipes are malformed,
   or would be more than RECIPES_BYTES_MOST. Lives in the arena. */
bool seal_fields_put(struct arena *arena, const struct text fields[RECIPES_MOST], struct verdict *verdict);

#endif
