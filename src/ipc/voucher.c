/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is signed is written into one buffer; prefix and edits, which may be long, are pieces of their own. */
#include "ipc/voucher.h"

#include "base/codec.h"
#include "config/domains.h"
#include "config/hosted.h"
#include "config/spam_lines.h"

struct digest_key *voucher_key_read(struct child *child)
{
    uint8_t secret[CHILD_SECRET_BYTES];
    child_secret_read(child, "vouchers", secret);
    struct digest_key *key = digest_key_new(text_from((const char *)secret, sizeof secret));
    explicit_bzero(secret, sizeof secret);
    return key;
}

/* --- what is vouched for --- */

bool voucher_is_wanted(const struct config *config, const struct listener *listener,
                       const struct address *client, const struct envelope *envelope)
{
    if (!listener->check || listener->relay == RELAY_THROUGH) return false;
    if (config_is_undecided(config, listener, client)) return true;
    if (listener->direction == DIRECTION_OUT && config_signs(config)) return true;
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (config_is_judged(config, envelope->recipients[i].address)) return true;
    return false;
}

void keep_by_verdict(struct arena *arena, const struct envelope *envelope, const struct facts *facts,
                     const struct verdict *verdict, struct keep_request *out)
{
    out->content = facts->content;
    out->envelope = *envelope;
    out->envelope.recipient_count = 0;
    out->envelope.recipients =
        arena_alloc_array(arena, verdict->recipient_count, sizeof *out->envelope.recipients);
    out->recipients = arena_alloc_array(arena, verdict->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        const struct recipient_verdict *one = &verdict->recipients[i];
        if (one->action == ACTION_DISCARD) continue;
        uint32_t at = out->envelope.recipient_count++;
        out->envelope.recipients[at] = envelope->recipients[i];
        out->recipients[at] =
            (struct keep_recipient){ .hold = one->action == ACTION_QUARANTINE ? HOLD_QUARANTINE : HOLD_NONE,
                                     .edits = one->recipe };
    }
    _Static_assert((int)RECIPES_MOST <= (int)KEEP_EDITS_LIMIT, "queue keeps each recipe of a verdict");
    out->edits_count = (uint8_t)verdict->recipe_count;
    for (uint32_t i = 0; i < verdict->recipe_count; i++) out->edits[i] = verdict->recipes[i].edits;
}

/* --- signing --- */

/* Each begins with a word of its own, so that no signature of one kind is one of another. */
static void request_write(const struct keep_request *request, const uint8_t body[DIGEST_BYTES],
                          uint64_t at_ms, struct buffer *out)
{
    const struct envelope *envelope = &request->envelope;
    put_text(out, TEXT("verdict"));
    put_u64(out, at_ms);
    put_u64(out, request->id);
    put_u16(out, request->listener);
    put_u8(out, request->direction);
    put_u16(out, request->content);
    put_u8(out, request->authenticated);
    buffer_add(out, request->client.bytes, sizeof request->client.bytes);
    buffer_add(out, body, DIGEST_BYTES);
    put_text(out, envelope->sender);
    put_u32(out, envelope->recipient_count);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        put_text(out, envelope->recipients[i].address);
        put_u8(out, (uint8_t)request->recipients[i].hold);
        put_u8(out, request->recipients[i].edits);
    }
}

static void request_sign(struct digest_key *key, const struct keep_request *request,
                         const uint8_t body[DIGEST_BYTES], uint64_t at_ms, uint8_t out[DIGEST_BYTES])
{
    struct text pieces[2 + KEEP_EDITS_LIMIT];
    struct buffer written = { 0 };
    request_write(request, body, at_ms, &written);
    pieces[0] = buffer_text(&written);
    pieces[1] = request->prefix;
    for (uint32_t i = 0; i < request->edits_count; i++) pieces[2 + i] = request->edits[i];
    digest_signed(key, pieces, 2U + request->edits_count, out);
    buffer_free(&written);
}

void voucher_sign(struct digest_key *key, const struct keep_request *request,
                  const uint8_t body[DIGEST_BYTES], uint64_t now_ms, struct voucher *out)
{
    out->at_ms = now_ms;
    request_sign(key, request, body, now_ms, out->signature);
}

bool voucher_is_good(struct digest_key *key, const struct keep_request *request,
                     const uint8_t body[DIGEST_BYTES], uint64_t now_ms, uint64_t life_ms)
{
    const struct voucher *voucher = &request->voucher;
    uint8_t signature[DIGEST_BYTES];
    if (voucher->at_ms == 0 || (now_ms > voucher->at_ms && now_ms - voucher->at_ms > life_ms)) return false;
    request_sign(key, request, body, voucher->at_ms, signature);
    return digest_equal(signature, voucher->signature);
}

void voucher_sign_facts(struct digest_key *key, struct text occasion, struct text facts,
                        const uint8_t body[DIGEST_BYTES], uint8_t out[DIGEST_BYTES])
{
    const struct text pieces[] = { TEXT("facts"), occasion, facts,
                                   text_from((const char *)body, DIGEST_BYTES) };
    digest_signed(key, pieces, sizeof pieces / sizeof *pieces, out);
}
