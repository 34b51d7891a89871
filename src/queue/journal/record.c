/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of records; every get is safe on any input. */
#include "queue/journal/record.h"

#include "queue/journal/crc32c.h"

enum { RECORD_VERSION = 1, CHECKED_BYTES = 36 };

static void number_put(char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (char)(value >> (8 * i));
}

static uint32_t number_get(const char *bytes)
{
    uint32_t value = 0;
    for (int i = 3; i >= 0; i--) value = value << 8 | (unsigned char)bytes[i];
    return value;
}

void record_header_put(const struct record_header *header, uint32_t seed, char out[RECORD_HEADER_BYTES])
{
    number_put(out, RECORD_MAGIC);
    number_put(out + 4, (uint32_t)header->type | RECORD_VERSION << 8 | (uint32_t)header->is_last << 16);
    number_put(out + 8, header->generation);
    number_put(out + 12, header->batch);
    number_put(out + 16, header->length);
    number_put(out + 20, header->lead_length);
    number_put(out + 24, (uint32_t)header->id);
    number_put(out + 28, (uint32_t)(header->id >> 32));
    number_put(out + 32, header->payload_crc);
    number_put(out + 36, crc32c(seed, text_from(out, CHECKED_BYTES)));
}

bool record_header_get(const char bytes[RECORD_HEADER_BYTES], uint32_t seed, uint32_t generation,
                       struct record_header *out)
{
    if (number_get(bytes) != RECORD_MAGIC || number_get(bytes + 8) != generation) return false;
    if (number_get(bytes + 36) != crc32c(seed, text_from(bytes, CHECKED_BYTES))) return false;
    uint32_t kind = number_get(bytes + 4);
    if ((kind >> 8 & 0xff) != RECORD_VERSION || kind >> 17 || (kind & 0xff) == 0 ||
        (kind & 0xff) >= RECORD_TYPE_COUNT)
        return false;
    *out = (struct record_header){
        .type = (enum record_type)(kind & 0xff),
        .generation = generation,
        .batch = number_get(bytes + 12),
        .length = number_get(bytes + 16),
        .lead_length = number_get(bytes + 20),
        .id = (uint64_t)number_get(bytes + 28) << 32 | number_get(bytes + 24),
        .payload_crc = number_get(bytes + 32),
        .is_last = kind >> 16 & 1,
    };
    return out->lead_length <= out->length;
}

/* Domains come in runs: a recipient of the same domain as the one before it says so in one byte. */
void lead_put(const struct lead *lead, struct buffer *out)
{
    put_u64(out, lead->arrived_ms);
    put_u8(out, lead->direction);
    put_u8(out, lead->flags);
    put_u16(out, lead->content);
    put_u32(out, lead->prefix_length);
    put_u32(out, lead->recipient_count);
    for (uint32_t i = 0; i < lead->recipient_count; i++) {
        const struct lead_recipient *recipient = &lead->recipients[i];
        bool is_same = i > 0 && text_equal(recipient->domain, lead->recipients[i - 1].domain);
        put_u8(out, recipient->ending);
        put_u8(out, recipient->hold);
        put_u8(out, recipient->edits);
        put_u8(out, is_same);
        if (!is_same) put_text(out, recipient->domain);
    }
    put_u8(out, lead->edits_count);
    for (int i = 0; i < lead->edits_count; i++) put_text(out, lead->edits[i]);
    put_text(out, lead->envelope);
    put_text(out, lead->hold_reason);
}

static void lead_recipients_get(struct reader *reader, struct lead *out)
{
    struct text domain = TEXT_NONE;
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        struct lead_recipient *recipient = &out->recipients[i];
        recipient->ending = get_u8(reader);
        recipient->hold = get_u8(reader);
        recipient->edits = get_u8(reader);
        if (!get_u8(reader)) domain = get_text(reader);
        recipient->domain = domain;
    }
}

bool lead_get(struct arena *arena, struct text bytes, struct lead *out)
{
    struct reader reader = reader_of(bytes);
    out->arrived_ms = get_u64(&reader);
    out->direction = get_u8(&reader);
    out->flags = get_u8(&reader);
    out->content = get_u16(&reader);
    out->prefix_length = get_u32(&reader);
    out->recipient_count = get_count(&reader, RECORD_RECIPIENTS_MOST, 4);
    if (reader.failed || out->recipient_count == 0) return false;
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    lead_recipients_get(&reader, out);
    out->edits_count = get_u8(&reader);
    if (out->edits_count == 0 || out->edits_count > LEAD_EDITS_MOST) return false;
    for (int i = 0; i < out->edits_count; i++) out->edits[i] = get_text(&reader);
    out->envelope = get_text(&reader);
    out->hold_reason = get_text(&reader);
    for (uint32_t i = 0; i < out->recipient_count; i++)
        if (out->recipients[i].edits >= out->edits_count) return false;
    return reader_done(&reader);
}

void change_put(const struct change *change, struct buffer *out)
{
    put_u64(out, change->when_ms);
    put_u64(out, change->due_ms);
    put_u32(out, change->home);
    put_u8(out, change->flags);
    put_u32(out, change->count);
    for (uint32_t i = 0; i < change->count; i++) {
        put_u32(out, change->recipients[i].number);
        put_u8(out, change->recipients[i].ending);
        put_u8(out, change->recipients[i].hold);
        put_u8(out, change->recipients[i].attempts);
    }
    put_text(out, change->dsn);
    put_text(out, change->relay);
    put_text(out, change->reply);
}

bool change_get(struct arena *arena, struct text bytes, struct change *out)
{
    struct reader reader = reader_of(bytes);
    out->when_ms = get_u64(&reader);
    out->due_ms = get_u64(&reader);
    out->home = get_u32(&reader);
    out->flags = get_u8(&reader);
    out->count = get_count(&reader, RECORD_RECIPIENTS_MOST, 7);
    out->recipients = arena_alloc_array(arena, out->count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->count; i++) {
        out->recipients[i].number = get_u32(&reader);
        out->recipients[i].ending = get_u8(&reader);
        out->recipients[i].hold = get_u8(&reader);
        out->recipients[i].attempts = get_u8(&reader);
    }
    out->dsn = get_text(&reader);
    out->relay = get_text(&reader);
    out->reply = get_text(&reader);
    return reader_done(&reader);
}
