/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Frames between nodes as bytes. What comes from another node is bounded before anything is made of it. */
#include "courier/wire.h"

#include <endian.h>

static const struct text magic = { "SEKIMORI LEDGER", 15 };

static bool hello_get(struct reader *reader, struct wire_frame *out)
{
    if (!text_equal(get_text(reader), magic)) return false;
    out->version = get_u16(reader);
    if (!wire_is_spoken(out->version)) {
        reader->rest = TEXT_NONE;
        return !reader->failed;
    }
    out->hello.number = get_u16(reader);
    out->hello.role = get_u8(reader);
    out->hello.series = get_u64(reader);
    return out->hello.number > 0 && out->hello.number <= UINT8_MAX && out->hello.series > 0 &&
           out->hello.series <= INT64_MAX;
}

static bool welcome_get(struct reader *reader, struct wire_frame *out)
{
    out->version = get_u16(reader);
    if (!wire_is_spoken(out->version)) {
        reader->rest = TEXT_NONE;
        return !reader->failed;
    }
    out->number = get_u64(reader);
    uint8_t is_listening = out->version > WIRE_VERSION_FIRST ? get_u8(reader) : 0;
    out->is_listening = is_listening;
    return out->number <= INT64_MAX && is_listening <= 1;
}

static bool payload_get(struct reader *reader, struct wire_frame *out)
{
    switch (out->type) {
    case WIRE_HELLO:
        return hello_get(reader, out);
    case WIRE_WELCOME:
        return welcome_get(reader, out);
    case WIRE_REFUSED:
        out->reason = get_text(reader);
        return out->reason.length <= WIRE_REASON_MOST;
    case WIRE_PARCEL:
        return parcel_get(reader, &out->parcel);
    case WIRE_SAY:
        return saying_get(reader, &out->saying);
    case WIRE_HEARD:
    case WIRE_STORED:
        out->number = get_u64(reader);
        return out->number <= INT64_MAX;
    case WIRE_ALIVE:
        return true;
    }
    return false;
}

enum wire_outcome wire_take(struct text bytes, struct wire_frame *out, size_t *out_used)
{
    struct reader head = reader_of(bytes);
    if (bytes.length < 4) return WIRE_MORE;
    uint32_t length = get_u32(&head);
    if (length == 0 || length > WIRE_MOST) return WIRE_BROKEN;
    if (head.rest.length < length) return WIRE_MORE;
    struct reader reader = reader_of(text_slice(head.rest, 0, length));
    *out = (struct wire_frame){ .type = get_u8(&reader) };
    *out_used = 4 + (size_t)length;
    return payload_get(&reader, out) && reader_done(&reader) ? WIRE_WHOLE : WIRE_BROKEN;
}

bool wire_of_ledger(const struct frame *frame, struct wire_frame *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct wire_frame){ .type = frame->type == COURIER_SAY ? WIRE_SAY : WIRE_HEARD };
    return payload_get(&reader, out) && reader_done(&reader);
}

static void payload_put(const struct wire_frame *frame, struct buffer *out)
{
    switch (frame->type) {
    case WIRE_HELLO:
        put_text(out, magic);
        put_u16(out, frame->version);
        put_u16(out, frame->hello.number);
        put_u8(out, frame->hello.role);
        put_u64(out, frame->hello.series);
        return;
    case WIRE_WELCOME:
        put_u16(out, frame->version);
        put_u64(out, frame->number);
        if (frame->version > WIRE_VERSION_FIRST) put_u8(out, frame->is_listening);
        return;
    case WIRE_REFUSED:
        put_text(out, text_slice(frame->reason, 0, WIRE_REASON_MOST));
        return;
    case WIRE_PARCEL:
        parcel_put(&frame->parcel, out);
        return;
    case WIRE_SAY:
        saying_put(&frame->saying, out);
        return;
    case WIRE_HEARD:
    case WIRE_STORED:
        put_u64(out, frame->number);
        return;
    case WIRE_ALIVE:
        return;
    }
}

void wire_put(const struct wire_frame *frame, struct buffer *out)
{
    size_t start = buffer_length(out);
    put_u32(out, 0);
    put_u8(out, (uint8_t)frame->type);
    payload_put(frame, out);
    uint32_t length = htole32((uint32_t)(buffer_length(out) - start - 4));
    memcpy(out->memory + out->start + start, &length, sizeof length);
}
