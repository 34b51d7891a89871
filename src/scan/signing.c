/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by dispatcher.c. A worker names the digest of the body that it read; of what it is only to decide
   about, the digest is the one that was signed with the facts. */
#include "scan/signing.h"

#include "base/codec.h"

/* What of a request is signed. */
struct asked {
    struct occasion occasion;
    struct text occasion_bytes, prefix;
    struct found found; /* of SCAN_DECIDE */
};

static bool asked_get(struct arena *arena, const struct request *request, struct asked *out)
{
    struct text payload = buffer_text(&request->payload);
    struct reader reader = reader_of(payload);
    struct question *questions;
    uint32_t count;
    if (!occasion_get(arena, &reader, &out->occasion)) return false;
    out->occasion_bytes = text_slice(payload, 0, payload.length - reader.rest.length);
    out->prefix = get_text(&reader);
    if (request->type != SCAN_DECIDE) return !reader.failed;
    return questions_get(arena, &reader, &questions, &count) && found_get(get_text(&reader), &out->found);
}

static void found_sign(struct digest_key *key, const struct asked *asked, const struct found *found,
                       uint8_t out[DIGEST_BYTES])
{
    voucher_sign_facts(key, asked->occasion_bytes, found->facts, found->body, out);
}

bool signing_admits(struct digest_key *key, struct arena *arena, const struct request *request)
{
    struct asked asked;
    uint8_t signature[DIGEST_BYTES];
    if (request->type != SCAN_DECIDE) return true;
    if (!asked_get(arena, request, &asked)) return false;
    found_sign(key, &asked, &asked.found, signature);
    return digest_equal(signature, asked.found.signature);
}

/* Nothing is signed of what receive is not to hand to queue. */
static void verdict_sign(struct digest_key *key, struct arena *arena, const struct asked *asked,
                         const uint8_t body[DIGEST_BYTES], uint64_t now_ms, struct judged *judged)
{
    const struct occasion *occasion = &asked->occasion;
    struct envelope envelope = { .sender = occasion->sender, .recipient_count = occasion->recipient_count };
    struct keep_request request = { .id = occasion->id,
                                    .listener = occasion->listener,
                                    .direction = (uint8_t)judged->verdict.direction,
                                    .client = occasion->client,
                                    .prefix = asked->prefix };
    judged->voucher = (struct voucher){ 0 };
    if (judged->verdict.code != 250) return;
    envelope.recipients = arena_alloc_array(arena, envelope.recipient_count, sizeof *envelope.recipients);
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        envelope.recipients[i].address = occasion->recipients[i];
    keep_by_verdict(arena, &envelope, &judged->facts, &judged->verdict, &request);
    voucher_sign(key, &request, body, now_ms, &judged->voucher);
}

/* A worker finds out from where a message comes only where that is the question. */
static bool is_of(const struct occasion *occasion, const struct verdict *verdict)
{
    return occasion->is_undecided || verdict->direction == occasion->direction;
}

bool signing_write(struct digest_key *key, struct arena *arena, const struct request *request, uint16_t type,
                   struct text payload, uint64_t now_ms, struct buffer *out)
{
    struct asked asked;
    struct found found;
    struct judged judged;
    if (!asked_get(arena, request, &asked) || asked.occasion.id != request->id) return false;
    if (type == SCAN_FACTS) {
        if (request->type != SCAN_READ || !found_get(payload, &found)) return false;
        found_sign(key, &asked, &found, found.signature);
        found_put(&found, out);
        return true;
    }
    bool is_good = judged_get(arena, payload, &judged) && is_of(&asked.occasion, &judged.verdict) &&
                   judged.verdict.recipient_count == asked.occasion.recipient_count &&
                   judged.verdict.recipe_count > 0;
    if (!is_good) return false;
    uint8_t body[DIGEST_BYTES];
    memcpy(body, request->type == SCAN_DECIDE ? asked.found.body : judged.voucher.signature, sizeof body);
    verdict_sign(key, arena, &asked, body, now_ms, &judged);
    judged_put(&judged, out);
    return true;
}
