/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by seal_compose.c in a worker and by seal_round.c in the dispatcher. */
#include "scan/seal_draft.h"

#include "ipc/ask_signer.h"

/* --- the byte form --- */

static void signing_put(const struct dkim_signing *signing, struct buffer *out)
{
    put_text(out, signing->before);
    put_text(out, signing->after);
    buffer_add(out, signing->digest, sizeof signing->digest);
    put_u8(out, signing->is_unfolded);
}

static void signing_get(struct reader *reader, struct dkim_signing *out)
{
    out->before = get_text(reader);
    out->after = get_text(reader);
    get_bytes(reader, out->digest, sizeof out->digest);
    out->is_unfolded = get_u8(reader) != 0;
}

static void draft_put(const struct seal_draft *draft, struct buffer *out)
{
    put_u8(out, draft->recipes);
    put_text(out, draft->key);
    signing_put(&draft->fields.message, out);
    signing_put(&draft->fields.seal, out);
    put_text(out, draft->fields.results);
    put_u32(out, draft->fields.chain_count);
    for (uint32_t i = 0; i < draft->fields.chain_count; i++) put_text(out, draft->fields.chain[i]);
}

static void draft_get(struct arena *arena, struct reader *reader, struct seal_draft *out)
{
    out->recipes = get_u8(reader);
    out->key = get_text(reader);
    signing_get(reader, &out->fields.message);
    signing_get(reader, &out->fields.seal);
    out->fields.results = get_text(reader);
    out->fields.chain_count = get_count(reader, ARC_CHAIN_FIELDS_MOST, 4);
    out->fields.chain = arena_alloc_array(arena, out->fields.chain_count, sizeof *out->fields.chain);
    for (uint32_t i = 0; i < out->fields.chain_count; i++) out->fields.chain[i] = get_text(reader);
    if (out->key.length == 0 || out->key.length > SIGN_KEY_MOST) reader->failed = true;
}

void seal_list_put(const struct seal_list *list, struct buffer *out)
{
    put_u8(out, (uint8_t)list->purpose);
    put_text(out, list->why);
    put_u32(out, list->count);
    for (uint32_t i = 0; i < list->count; i++) draft_put(&list->drafts[i], out);
}

bool seal_list_get(struct arena *arena, struct text bytes, struct seal_list *out)
{
    enum { DRAFT_BYTES_LEAST = 1 + 4 + 2 * (4 + 4 + KEY_DIGEST_BYTES + 1) + 4 + 4 };
    struct reader reader = reader_of(bytes);
    *out = (struct seal_list){ .purpose = get_u8(&reader) };
    out->why = get_text(&reader);
    out->count = get_count(&reader, SEAL_DRAFTS_MOST, DRAFT_BYTES_LEAST);
    out->drafts = arena_alloc_array(arena, out->count, sizeof *out->drafts);
    for (uint32_t i = 0; i < out->count; i++) {
        out->drafts[i] = (struct seal_draft){ 0 };
        draft_get(arena, &reader, &out->drafts[i]);
    }
    bool is_purpose = out->purpose == SEAL_DKIM || out->purpose == SEAL_ARC;
    return reader_done(&reader) && is_purpose && (out->count == 0) == (out->why.length > 0);
}

/* --- signatures --- */

static bool is_at_seal(const struct seal_list *list, const struct seal_draft *draft)
{
    return list->purpose == SEAL_ARC && draft->fields.signed_message.length > 0;
}

const uint8_t *seal_draft_digest(const struct seal_list *list, const struct seal_draft *draft)
{
    return is_at_seal(list, draft) ? draft->fields.seal.digest : draft->fields.message.digest;
}

bool seal_draft_signed(struct arena *arena, const struct seal_list *list, struct seal_draft *draft,
                       struct text signature, struct text *out_fields)
{
    bool is_whole = list->purpose == SEAL_DKIM || is_at_seal(list, draft);
    if (list->purpose == SEAL_DKIM)
        *out_fields = dkim_signing_end(arena, &draft->fields.message, signature);
    else if (is_whole)
        *out_fields = arc_seal_end(arena, &draft->fields, signature);
    else
        arc_seal_message(arena, &draft->fields, signature);
    return is_whole;
}

/* --- recipes --- */

static bool recipe_put(struct arena *arena, struct text fields, struct recipe *recipe)
{
    struct edits edits = { .arena = arena }, rest;
    struct buffer bytes = { 0 };
    if (!edits_decode(arena, recipe->edits, UINT64_MAX, &rest)) return false;
    edits_insert_top(&edits, fields);
    edits_merge(&edits, &rest);
    edits_encode(&edits, &bytes);
    recipe->edits = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return true;
}

bool seal_fields_put(struct arena *arena, const struct text fields[RECIPES_MOST], struct verdict *verdict)
{
    size_t bytes = 0;
    struct recipe *recipes = arena_alloc_array(arena, verdict->recipe_count, sizeof *recipes);
    for (uint32_t i = 0; i < verdict->recipe_count; i++) {
        recipes[i] = verdict->recipes[i];
        if (fields[i].length > 0 && !recipe_put(arena, fields[i], &recipes[i])) return false;
        bytes += recipes[i].edits.length;
    }
    if (bytes > RECIPES_BYTES_MOST) return false;
    verdict->recipes = recipes;
    return true;
}
