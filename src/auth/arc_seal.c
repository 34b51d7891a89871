/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tags stand in the order of the alphabet, and b= on one line: the seal covers it as it is written, and so
   the ARC test suite has the same digests. */
#include "auth/arc_seal.h"

#include "auth/arc_chain.h"
#include "auth/dkim_field.h"
#include "auth/dkim_writer.h"

enum { COLUMNS = 78, INDENT = 8 };

/* Appends `text` with line breaks in place of spaces that stand in no quoted string. */
static void folded_add(struct buffer *out, size_t column, struct text text)
{
    bool is_quoted = false;
    size_t from = 0;
    for (size_t i = 0; i <= text.length; i++) {
        char c = i < text.length ? text.at[i] : ' ';
        if (c == '\\') i++;
        if (c == '"') is_quoted = !is_quoted;
        if (c != ' ' || is_quoted) continue;
        struct text word = text_slice(text, from, i);
        bool is_over = column + 1 + word.length > COLUMNS && column > INDENT;
        if (from > 0) buffer_add_text(out, is_over ? TEXT("\r\n\t") : TEXT(" "));
        column = is_over ? INDENT + word.length : column + 1 + word.length;
        buffer_add_text(out, word);
        from = i + 1;
    }
    if (from < text.length) buffer_add_text(out, text_slice(text, from, text.length));
}

static struct text results_compose(struct arena *arena, uint32_t instance, const struct arc_seal_wish *wish)
{
    struct buffer out = { 0 };
    struct text value =
        arena_printf(arena, "i=%u; %.*s%.*s", instance, TEXT_ARG(wish->authserv_id), TEXT_ARG(wish->payload));
    buffer_printf(&out, "ARC-Authentication-Results: ");
    folded_add(&out, buffer_length(&out), value);
    buffer_printf(&out, "\r\n");
    struct text whole = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return whole;
}

static void message_compose(struct arena *arena, const uint8_t body_digest[KEY_DIGEST_BYTES],
                            const struct arc_seal_wish *wish, uint32_t instance, struct text names,
                            struct arc_sealing *sealing)
{
    struct dkim_writer writer = { 0 };
    dkim_writer_begin(&writer, "ARC-Message-Signature");
    dkim_writer_tag(&writer, "a", text_of(dkim_writer_algorithm(wish->signer.kind)));
    dkim_writer_signature(&writer);
    dkim_writer_digest(&writer, "bh", body_digest);
    dkim_writer_tag(&writer, "c", TEXT("relaxed/relaxed"));
    dkim_writer_tag(&writer, "d", wish->signer.domain);
    dkim_writer_names(&writer, names);
    dkim_writer_number(&writer, "i", instance);
    dkim_writer_tag(&writer, "s", wish->signer.selector);
    dkim_writer_number(&writer, "t", wish->now_s);
    dkim_writer_end(&writer, arena, &sealing->message);
    sealing->message.is_unfolded = true;
}

static enum arc_cv cv_of(const struct arc_verdict *verdict)
{
    if (verdict->result == AUTH_PASS) return ARC_CV_PASS;
    return verdict->result == AUTH_NONE ? ARC_CV_NONE : ARC_CV_FAIL;
}

static void seal_compose(struct arena *arena, const struct arc_seal_wish *wish, uint32_t instance,
                         enum arc_cv cv, struct arc_sealing *sealing)
{
    struct dkim_writer writer = { 0 };
    dkim_writer_begin(&writer, "ARC-Seal");
    dkim_writer_tag(&writer, "a", text_of(dkim_writer_algorithm(wish->signer.kind)));
    dkim_writer_signature(&writer);
    dkim_writer_tag(&writer, "cv", text_of(arc_cv_name(cv)));
    dkim_writer_tag(&writer, "d", wish->signer.domain);
    dkim_writer_number(&writer, "i", instance);
    dkim_writer_tag(&writer, "s", wish->signer.selector);
    dkim_writer_number(&writer, "t", wish->now_s);
    dkim_writer_end(&writer, arena, &sealing->seal);
}

/* All sets before ours; of a chain that failed none (RFC 8617 section 5.1.2). */
static void chain_gather(struct arena *arena, const struct header *header, enum arc_cv cv,
                         struct arc_sealing *sealing)
{
    struct arc_chain chain;
    arc_chain_collect(header, &chain);
    if (chain.reason != ARC_GOOD || cv == ARC_CV_FAIL) chain.count = 0;
    sealing->chain = arena_alloc_array(arena, (size_t)chain.count * ARC_FIELDS, sizeof *sealing->chain);
    for (uint32_t i = 0; i < chain.count; i++)
        for (int kind = 0; kind < ARC_FIELDS; kind++)
            sealing->chain[sealing->chain_count++] = dkim_field_bytes(chain.fields[i][kind]);
}

bool arc_seal_begin(struct arena *arena, const struct header *header,
                    const uint8_t body_digest[KEY_DIGEST_BYTES], const struct arc_facts *facts,
                    const struct arc_verdict *verdict, const struct arc_seal_wish *wish,
                    struct arc_sealing *out)
{
    bool may_follow = facts->reason == ARC_GOOD || facts->reason == ARC_CV;
    if (!may_follow || facts->count >= ARC_SETS_MOST || !header_find(header, HEADER_FROM)) return false;
    enum arc_cv cv = cv_of(verdict);
    uint32_t instance = facts->count + 1;
    *out = (struct arc_sealing){ .results = results_compose(arena, instance, wish) };
    struct text names = wish->names.length ? wish->names : dkim_signing_names(arena, header);
    message_compose(arena, body_digest, wish, instance, names, out);
    dkim_signing_digest(arena, header, names, &out->message);
    seal_compose(arena, wish, instance, cv, out);
    chain_gather(arena, header, cv, out);
    return true;
}

static void seal_digest(struct arena *arena, struct arc_sealing *sealing)
{
    struct running_digest digest;
    running_digest_open(&digest);
    for (uint32_t i = 0; i < sealing->chain_count; i++)
        canonical_field_add(&digest, CANONICAL_RELAXED, sealing->chain[i], true);
    canonical_field_add(&digest, CANONICAL_RELAXED, sealing->results, true);
    canonical_field_add(&digest, CANONICAL_RELAXED, sealing->signed_message, true);
    canonical_field_add(&digest, CANONICAL_RELAXED, dkim_writer_unsigned(arena, &sealing->seal), false);
    running_digest_end(&digest, sealing->seal.digest);
    running_digest_close(&digest);
}

void arc_seal_message(struct arena *arena, struct arc_sealing *sealing, struct text signature)
{
    sealing->signed_message = dkim_signing_end(arena, &sealing->message, signature);
    seal_digest(arena, sealing);
}

struct text arc_seal_end(struct arena *arena, const struct arc_sealing *sealing, struct text signature)
{
    struct text seal = dkim_signing_end(arena, &sealing->seal, signature);
    return arena_printf(arena, "%.*s%.*s%.*s", TEXT_ARG(seal), TEXT_ARG(sealing->signed_message),
                        TEXT_ARG(sealing->results));
}
