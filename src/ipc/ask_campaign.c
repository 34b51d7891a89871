/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ipc/ask_campaign.h"

#include "base/codec.h"

/* The sketch is a worker's, who has read a stranger's mail: one that makes no sense costs its count, and not
   the channel, by which the DNS is asked for all others. */
void campaign_tell(struct channel *lookup, uint64_t id, const struct campaign_seen *seen)
{
    struct campaign_sketch keys;
    if (!campaign_sketch_get(seen->sketch, &keys)) return;
    struct buffer *frame = channel_begin(lookup, LOOKUP_CAMPAIGN_COUNT, id);
    put_text(frame, seen->sketch);
    buffer_add(frame, seen->client.bytes, sizeof seen->client.bytes);
    put_text(frame, seen->sender);
    put_u8(frame, seen->is_taken);
    put_u32(frame, seen->recipient_count);
    for (uint32_t i = 0; i < seen->recipient_count; i++) put_text(frame, seen->recipients[i]);
    channel_end_note(lookup);
}

void campaign_report_tell(struct channel *lookup, const struct campaign_report *report)
{
    struct buffer *frame = channel_begin(lookup, LOOKUP_CAMPAIGN_REPORT, report->message);
    put_text(frame, report->sketch);
    put_text(frame, report->reporter);
    put_u8(frame, report->said);
    channel_end(lookup);
}

static struct text *texts_get(struct arena *arena, struct reader *reader, uint32_t most, uint32_t *out_count)
{
    *out_count = get_count(reader, most, sizeof(uint32_t));
    struct text *list = arena_alloc_array(arena, *out_count, sizeof *list);
    for (uint32_t i = 0; i < *out_count; i++) list[i] = get_text(reader);
    return list;
}

bool campaign_seen_get(struct arena *arena, struct text payload, struct campaign_seen *out,
                       struct campaign_sketch *out_sketch)
{
    struct reader reader = reader_of(payload);
    *out = (struct campaign_seen){ .sketch = get_text(&reader) };
    get_bytes(&reader, out->client.bytes, sizeof out->client.bytes);
    out->sender = get_text(&reader);
    unsigned is_taken = get_u8(&reader);
    out->is_taken = is_taken == 1;
    out->recipients = texts_get(arena, &reader, CAMPAIGN_COUNTED_MOST, &out->recipient_count);
    return reader_done(&reader) && is_taken <= 1 && campaign_sketch_get(out->sketch, out_sketch);
}

bool campaign_report_get(struct text payload, struct campaign_report *out, struct campaign_sketch *out_sketch)
{
    struct reader reader = reader_of(payload);
    *out = (struct campaign_report){ .sketch = get_text(&reader) };
    out->reporter = get_text(&reader);
    unsigned said = get_u8(&reader);
    out->said = said < CAMPAIGN_SAID_COUNT ? said : CAMPAIGN_SAID_SPAM;
    return reader_done(&reader) && said < CAMPAIGN_SAID_COUNT && campaign_sketch_get(out->sketch, out_sketch);
}

void campaign_ruling_put(const struct campaign_ruling *ruling, struct buffer *out)
{
    struct buffer sketch = { 0 };
    campaign_sketch_put(&ruling->sketch, &sketch);
    put_text(out, buffer_text(&sketch));
    put_u8(out, ruling->is_stopped);
    put_u8(out, ruling->is_by_user);
    put_u64(out, ruling->time_ms);
    put_text(out, ruling->by);
    buffer_free(&sketch);
}

bool campaign_ruling_get(struct text payload, struct campaign_ruling *out)
{
    struct reader reader = reader_of(payload);
    struct text sketch = get_text(&reader);
    unsigned is_stopped = get_u8(&reader), is_by_user = get_u8(&reader);
    *out = (struct campaign_ruling){ .is_stopped = is_stopped == 1, .is_by_user = is_by_user == 1 };
    out->time_ms = get_u64(&reader);
    out->by = get_text(&reader);
    return reader_done(&reader) && is_stopped <= 1 && is_by_user <= 1 &&
           campaign_sketch_get(sketch, &out->sketch);
}
