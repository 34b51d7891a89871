/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what queue offers to ledger. */
#include "ipc/ask_ledger.h"

#include "base/codec.h"
#include "judge/part_digest.h"

static const char *const class_names[HELD_CLASSES] = { [HELD_VIRUS] = "virus",
                                                       [HELD_PHISHING] = "phishing",
                                                       [HELD_SPAM] = "spam",
                                                       [HELD_POLICY] = "policy",
                                                       [HELD_ENCRYPTED] = "encrypted",
                                                       [HELD_POISON] = "poison",
                                                       [HELD_UNDELIVERABLE] = "undeliverable" };

const char *held_class_name(enum held_class class)
{
    return (unsigned)class < HELD_CLASSES ? class_names[class] : "unknown";
}

bool held_class_is_harmful(enum held_class class)
{
    return class == HELD_VIRUS || class == HELD_PHISHING || class == HELD_POISON;
}

bool held_class_from_name(struct text name, enum held_class *out)
{
    for (int i = 0; i < HELD_CLASSES; i++) {
        if (!text_equal(name, text_of(class_names[i]))) continue;
        *out = (enum held_class)i;
        return true;
    }
    return false;
}

void held_offer_put(const struct held_offer *offer, struct buffer *frame)
{
    put_u64(frame, offer->id);
    put_u64(frame, offer->arrived_ms);
    put_u8(frame, offer->direction);
    put_u8(frame, offer->authenticated);
    put_u16(frame, offer->content);
    put_u64(frame, offer->offset);
    put_u64(frame, offer->length);
    put_u32(frame, offer->prefix_length);
    put_u8(frame, offer->edits_count);
    for (int i = 0; i < offer->edits_count; i++) put_text(frame, offer->edits[i]);
    envelope_put(&offer->envelope, frame);
    for (uint32_t i = 0; i < offer->envelope.recipient_count; i++) {
        put_u32(frame, offer->recipients[i].number);
        put_u8(frame, offer->recipients[i].hold);
        put_u8(frame, offer->recipients[i].edits);
        put_text(frame, text_slice(offer->recipients[i].reason, 0, HELD_REASON_MOST));
    }
}

static bool recipients_get(struct arena *arena, struct reader *reader, struct held_offer *out)
{
    uint32_t count = out->envelope.recipient_count;
    out->recipients = arena_alloc_array(arena, count, sizeof *out->recipients);
    for (uint32_t i = 0; i < count; i++) {
        struct held_recipient *one = &out->recipients[i];
        *one = (struct held_recipient){ .number = get_u32(reader) };
        one->hold = get_u8(reader);
        one->edits = get_u8(reader);
        one->reason = get_text(reader);
        if (one->hold == HOLD_NONE || one->hold >= HOLD_COUNT || one->edits >= out->edits_count) return false;
        if (i > 0 && one->number <= out->recipients[i - 1].number) return false;
    }
    return count > 0;
}

bool held_offer_get(struct arena *arena, struct text payload, struct held_offer *out)
{
    struct reader reader = reader_of(payload);
    *out = (struct held_offer){ .id = get_u64(&reader), .arrived_ms = get_u64(&reader) };
    out->direction = get_u8(&reader);
    out->authenticated = get_u8(&reader);
    out->content = get_u16(&reader);
    out->offset = get_u64(&reader);
    out->length = get_u64(&reader);
    out->prefix_length = get_u32(&reader);
    out->edits_count = get_u8(&reader);
    if (out->edits_count == 0 || out->edits_count > KEEP_EDITS_LIMIT) return false;
    for (int i = 0; i < out->edits_count; i++) out->edits[i] = get_text(&reader);
    if (!envelope_get(arena, &reader, &out->envelope) || !recipients_get(arena, &reader, out)) return false;
    return reader_done(&reader) && out->prefix_length <= out->length;
}

void lesson_proposal_put(const struct lesson_proposal *proposal, struct buffer *out)
{
    put_u8(out, proposal->is_spam);
    put_text(out, proposal->reporter);
    put_text(out, proposal->message_id);
    put_text(out, proposal->author);
    put_text(out, proposal->subject);
    part_digests_put(proposal->parts, proposal->part_count, out);
    put_text(out, proposal->lesson);
}

bool lesson_proposal_get(struct arena *arena, struct text payload, struct lesson_proposal *out)
{
    struct reader reader = reader_of(payload);
    uint8_t is_spam = get_u8(&reader);
    out->is_spam = is_spam == 1;
    out->reporter = get_text(&reader);
    out->message_id = get_text(&reader);
    out->author = get_text(&reader);
    out->subject = get_text(&reader);
    out->parts = part_digests_get(arena, &reader, &out->part_count);
    out->lesson = get_text(&reader);
    return reader_done(&reader) && is_spam <= 1;
}
