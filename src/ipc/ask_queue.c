/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what receive asks of queue. */
#include "ipc/ask_queue.h"

#include "base/codec.h"

const char *hold_reason_name(enum hold_reason reason)
{
    static const char *const names[HOLD_COUNT] = {
        [HOLD_NONE] = "",         [HOLD_QUARANTINE] = "quarantine", [HOLD_UNDELIVERABLE] = "undeliverable",
        [HOLD_POISON] = "poison", [HOLD_ADMIN] = "admin",           [HOLD_REPORT] = "report"
    };
    return (unsigned)reason < HOLD_COUNT ? names[reason] : "unknown";
}

void voucher_put(const struct voucher *voucher, struct buffer *out)
{
    put_u64(out, voucher->at_ms);
    buffer_add(out, voucher->signature, sizeof voucher->signature);
}

void voucher_get(struct reader *reader, struct voucher *out)
{
    out->at_ms = get_u64(reader);
    get_bytes(reader, out->signature, sizeof out->signature);
}

void keep_request_put(struct keep_request *request, struct buffer *frame, int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    put_u64(frame, request->id);
    put_u64(frame, request->arrived_ms);
    put_u16(frame, request->listener);
    put_u8(frame, request->direction);
    put_u8(frame, request->authenticated);
    put_u16(frame, request->content);
    buffer_add(frame, request->client.bytes, sizeof request->client.bytes);
    voucher_put(&request->voucher, frame);
    envelope_put(&request->envelope, frame);
    for (uint32_t i = 0; i < request->envelope.recipient_count; i++) {
        put_u8(frame, (uint8_t)request->recipients[i].hold);
        put_u8(frame, request->recipients[i].edits);
    }
    put_text(frame, request->prefix);
    put_u8(frame, request->edits_count);
    for (int i = 0; i < request->edits_count; i++) put_text(frame, request->edits[i]);
    body_fit(&request->body, buffer_length(frame) - start);
    body_put(&request->body, frame, fds, fd_count);
}

static bool recipients_get(struct arena *arena, struct reader *reader, struct keep_request *out)
{
    uint32_t count = out->envelope.recipient_count;
    out->recipients = arena_alloc_array(arena, count, sizeof *out->recipients);
    for (uint32_t i = 0; i < count; i++) {
        out->recipients[i].hold = get_u8(reader);
        out->recipients[i].edits = get_u8(reader);
        if (out->recipients[i].hold >= HOLD_COUNT || out->recipients[i].edits >= KEEP_EDITS_LIMIT)
            return false;
    }
    return count > 0;
}

static bool edits_get(struct reader *reader, struct keep_request *out)
{
    out->edits_count = get_u8(reader);
    if (out->edits_count == 0 || out->edits_count > KEEP_EDITS_LIMIT) return false;
    for (int i = 0; i < out->edits_count; i++) out->edits[i] = get_text(reader);
    for (uint32_t i = 0; i < out->envelope.recipient_count; i++)
        if (out->recipients[i].edits >= out->edits_count) return false;
    return true;
}

bool keep_request_get(struct arena *arena, struct frame *frame, struct keep_request *out)
{
    struct reader reader = reader_of(frame->payload);
    int fd_index = 0;
    *out = (struct keep_request){ .id = get_u64(&reader), .arrived_ms = get_u64(&reader) };
    out->listener = get_u16(&reader);
    out->direction = get_u8(&reader);
    out->authenticated = get_u8(&reader);
    out->content = get_u16(&reader);
    get_bytes(&reader, out->client.bytes, sizeof out->client.bytes);
    voucher_get(&reader, &out->voucher);
    if (!envelope_get(arena, &reader, &out->envelope) || !recipients_get(arena, &reader, out)) return false;
    out->prefix = get_text(&reader);
    if (!edits_get(&reader, out) || out->id != frame->id) return false;
    if (!body_get(&reader, frame, &fd_index, &out->body)) return false;
    if (reader_done(&reader)) return true;
    body_free(&out->body);
    return false;
}

void queue_alert_put(const struct alert *alert, struct buffer *out)
{
    put_u8(out, (uint8_t)alert->kind);
    put_text(out, alert->client);
    put_text(out, alert->sender);
    put_text(out, alert->recipient);
    put_text(out, alert->reason);
}

bool queue_alert_get(struct text payload, struct alert *out)
{
    struct reader reader = reader_of(payload);
    unsigned kind = get_u8(&reader);
    *out = (struct alert){ .kind = kind < ALERT_KINDS ? kind : ALERT_VIRUS };
    out->client = get_text(&reader);
    out->sender = get_text(&reader);
    out->recipient = get_text(&reader);
    out->reason = get_text(&reader);
    return reader_done(&reader) && kind < ALERT_KINDS;
}
