/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of events. Texts are cut to fit a ring record; numbers never are. */
#include "ipc/event.h"

#include "base/arena.h"
#include "ipc/ring.h"

enum { TEXT_LIMIT = 320, REPLY_LIMIT = 500, VERDICT_LIMIT = 1000, RECIPIENT_ROOM = RING_RECORD_LIMIT - 512 };

const char *ending_name(enum ending ending)
{
    static const char *const names[ENDING_COUNT] = { "none", "delivered", "returned", "discarded",
                                                     "removed" };
    return (unsigned)ending < ENDING_COUNT ? names[ending] : "unknown";
}

static void put_cut(struct buffer *out, struct text text, size_t limit)
{
    put_text(out, text_slice(text, 0, limit));
}

static void put_address(struct buffer *out, const struct address *address)
{
    buffer_add(out, address->bytes, sizeof address->bytes);
}

static struct address get_address(struct reader *reader)
{
    struct address address;
    for (size_t i = 0; i < sizeof address.bytes; i++) address.bytes[i] = get_u8(reader);
    return address;
}

uint32_t event_accepted_put(const struct event_accepted *event, uint32_t first, struct buffer *out)
{
    size_t start = buffer_length(out);
    put_u8(out, EVENT_ACCEPTED);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u64(out, event->size);
    put_u8(out, event->direction);
    put_u8(out, event->is_own);
    put_address(out, &event->client);
    put_cut(out, event->helo, TEXT_LIMIT);
    put_cut(out, event->sender, TEXT_LIMIT);
    put_cut(out, event->verdict, VERDICT_LIMIT);
    put_u32(out, first);
    size_t count_at = buffer_length(out);
    put_u32(out, 0);
    uint32_t count = 0;
    for (; first + count < event->recipient_count; count++) {
        struct text recipient = text_slice(event->recipients[first + count], 0, TEXT_LIMIT);
        if (buffer_length(out) - start + 4 + recipient.length > RECIPIENT_ROOM) break;
        put_text(out, recipient);
    }
    uint32_t stored = htole32(count);
    memcpy(out->memory + out->start + count_at, &stored, sizeof stored);
    return count;
}

void event_ended_put(const struct event_ended *event, struct buffer *out)
{
    put_u8(out, EVENT_ENDED);
    put_u64(out, event->id);
    put_u64(out, event->time_ms);
    put_u32(out, event->recipient);
    put_u8(out, (uint8_t)event->ending);
    put_cut(out, event->dsn, TEXT_LIMIT);
    put_cut(out, event->relay, TEXT_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
}

void event_refused_put(const struct event_refused *event, struct buffer *out)
{
    put_u8(out, EVENT_REFUSED);
    put_u64(out, event->time_ms);
    put_address(out, &event->client);
    put_cut(out, event->helo, TEXT_LIMIT);
    put_cut(out, event->sender, TEXT_LIMIT);
    put_cut(out, event->recipient, TEXT_LIMIT);
    put_cut(out, event->reply, REPLY_LIMIT);
}

enum event_kind event_kind_of(struct text record)
{
    uint8_t kind = record.length ? (uint8_t)record.at[0] : 0;
    return kind < EVENT_KIND_COUNT ? (enum event_kind)kind : 0;
}

static struct reader body_of(struct text record)
{
    return reader_of(text_slice(record, 1, record.length));
}

bool event_accepted_get(struct arena *arena, struct text record, struct event_accepted *out,
                        uint32_t *out_first)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->size = get_u64(&reader);
    out->direction = get_u8(&reader);
    out->is_own = get_u8(&reader);
    out->client = get_address(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    out->verdict = get_text(&reader);
    *out_first = get_u32(&reader);
    out->recipient_count = get_count(&reader, RING_RECORD_LIMIT, 4);
    struct text *recipients = arena_alloc_array(arena, out->recipient_count, sizeof *recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) recipients[i] = get_text(&reader);
    out->recipients = recipients;
    return reader_done(&reader);
}

bool event_ended_get(struct text record, struct event_ended *out)
{
    struct reader reader = body_of(record);
    out->id = get_u64(&reader);
    out->time_ms = get_u64(&reader);
    out->recipient = get_u32(&reader);
    out->ending = get_u8(&reader);
    out->dsn = get_text(&reader);
    out->relay = get_text(&reader);
    out->reply = get_text(&reader);
    return reader_done(&reader) && (unsigned)out->ending < ENDING_COUNT;
}

bool event_refused_get(struct text record, struct event_refused *out)
{
    struct reader reader = body_of(record);
    out->time_ms = get_u64(&reader);
    out->client = get_address(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    out->recipient = get_text(&reader);
    out->reply = get_text(&reader);
    return reader_done(&reader);
}
