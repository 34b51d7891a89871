/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of deliveries and their results. */
#include "ipc/ask_deliver.h"

#include "base/codec.h"

enum { RESULT_LEAST_BYTES = 16, STATUS_LEAST_BYTES = 5, RESULT_FRAME_ROOM = FRAME_LIMIT - 1024 };

void deliver_job_put(const struct deliver_job *job, struct buffer *frame)
{
    put_u64(frame, job->id);
    put_u64(frame, job->message_id);
    put_u64(frame, job->arrived_ms);
    put_text(frame, job->domain);
    put_u32(frame, job->segment);
    put_u64(frame, job->offset);
    put_u64(frame, job->length);
    put_u32(frame, job->prefix_length);
    put_u16(frame, job->content);
    put_text(frame, job->edits);
    envelope_put(&job->envelope, frame);
    for (uint32_t i = 0; i < job->envelope.recipient_count; i++) put_u32(frame, job->recipient_numbers[i]);
}

bool deliver_job_get(struct arena *arena, struct frame *frame, struct deliver_job *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct deliver_job){ 0 };
    out->id = get_u64(&reader);
    out->message_id = get_u64(&reader);
    out->arrived_ms = get_u64(&reader);
    out->domain = get_text(&reader);
    out->segment = get_u32(&reader);
    out->offset = get_u64(&reader);
    out->length = get_u64(&reader);
    out->prefix_length = get_u32(&reader);
    out->content = get_u16(&reader);
    out->edits = get_text(&reader);
    if (!envelope_get(arena, &reader, &out->envelope)) return false;
    uint32_t count = out->envelope.recipient_count;
    out->recipient_numbers = arena_alloc_array(arena, count, sizeof *out->recipient_numbers);
    for (uint32_t i = 0; i < count; i++) out->recipient_numbers[i] = get_u32(&reader);
    return reader_done(&reader) && count > 0 && out->id == frame->id && out->prefix_length <= out->length &&
           out->offset <= INT64_MAX && out->length <= INT64_MAX - out->offset;
}

/* Bytes of text that each recipient may take, so that the whole fits one frame. */
static size_t text_share(const struct deliver_result *result)
{
    size_t count = result->recipient_count ? result->recipient_count : 1;
    size_t taken = result->relay.length + result->tls.length + count * RESULT_LEAST_BYTES;
    return taken < RESULT_FRAME_ROOM ? (RESULT_FRAME_ROOM - taken) / count : 0;
}

/* The plainest status of the class, when even a status is too long; none when that is too long too. */
static struct text status_cut(const struct recipient_result *recipient, size_t share)
{
    if (recipient->enhanced.length <= share) return recipient->enhanced;
    if (share < STATUS_LEAST_BYTES) return TEXT_NONE;
    return recipient->ending == RECIPIENT_DELIVERED ? TEXT("2.0.0")
           : recipient->ending == RECIPIENT_FAILED  ? TEXT("5.0.0")
                                                    : TEXT("4.0.0");
}

static void recipient_put(const struct recipient_result *recipient, size_t share, struct buffer *frame)
{
    struct text enhanced = status_cut(recipient, share);
    size_t left = enhanced.length < share ? share - enhanced.length : 0;
    put_u32(frame, recipient->number);
    put_u8(frame, (uint8_t)recipient->ending);
    put_u16(frame, recipient->code);
    put_text(frame, enhanced);
    put_text(frame, text_slice(recipient->reply, 0, left));
    put_u8(frame, recipient->dsn_relayed);
}

void deliver_result_put(const struct deliver_result *result, struct buffer *frame)
{
    size_t share = text_share(result);
    put_u64(frame, result->id);
    put_u64(frame, result->message_id);
    put_u8(frame, result->destination_down);
    put_text(frame, result->relay);
    put_text(frame, result->tls);
    put_u32(frame, result->connect_ms);
    put_u32(frame, result->transfer_ms);
    put_u32(frame, result->recipient_count);
    for (uint32_t i = 0; i < result->recipient_count; i++)
        recipient_put(&result->recipients[i], share, frame);
}

static bool recipient_get(struct reader *reader, struct recipient_result *out)
{
    out->number = get_u32(reader);
    uint8_t ending = get_u8(reader);
    out->ending = (enum recipient_ending)ending;
    out->code = get_u16(reader);
    out->enhanced = get_text(reader);
    out->reply = get_text(reader);
    out->dsn_relayed = get_u8(reader) != 0;
    return !reader->failed && ending <= RECIPIENT_NOT_TRIED;
}

bool deliver_result_get(struct arena *arena, struct frame *frame, struct deliver_result *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct deliver_result){ 0 };
    out->id = get_u64(&reader);
    out->message_id = get_u64(&reader);
    out->destination_down = get_u8(&reader) != 0;
    out->relay = get_text(&reader);
    out->tls = get_text(&reader);
    out->connect_ms = get_u32(&reader);
    out->transfer_ms = get_u32(&reader);
    out->recipient_count = get_count(&reader, ENVELOPE_RECIPIENTS_MOST, RESULT_LEAST_BYTES);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++)
        if (!recipient_get(&reader, &out->recipients[i])) return false;
    return reader_done(&reader) && out->id == frame->id;
}

void relay_request_put(struct relay_request *request, struct buffer *frame, int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    put_text(frame, request->domain);
    put_u16(frame, request->content);
    envelope_put(&request->envelope, frame);
    put_text(frame, request->prefix);
    body_fit(&request->body, buffer_length(frame) - start);
    body_put(&request->body, frame, fds, fd_count);
}

bool relay_request_get(struct arena *arena, struct frame *frame, struct relay_request *out)
{
    struct reader reader = reader_of(frame->payload);
    int fd_index = 0;
    *out = (struct relay_request){ 0 };
    out->domain = get_text(&reader);
    out->content = get_u16(&reader);
    if (!envelope_get(arena, &reader, &out->envelope) || out->envelope.recipient_count == 0) return false;
    out->prefix = get_text(&reader);
    if (!body_get(&reader, frame, &fd_index, &out->body)) return false;
    if (reader_done(&reader)) return true;
    body_free(&out->body);
    return false;
}

void relay_reply_put(const struct relay_reply *reply, struct buffer *frame)
{
    put_u8(frame, (uint8_t)reply->outcome);
    put_u16(frame, reply->code);
    put_text(frame, reply->enhanced);
    put_text(frame, reply->text);
    put_text(frame, reply->server);
}

bool relay_reply_get(struct frame *frame, struct relay_reply *out)
{
    struct reader reader = reader_of(frame->payload);
    uint8_t outcome = get_u8(&reader);
    out->outcome = (enum relay_outcome)outcome;
    out->code = get_u16(&reader);
    out->enhanced = get_text(&reader);
    out->text = get_text(&reader);
    out->server = get_text(&reader);
    return reader_done(&reader) && outcome <= RELAY_NO_SERVER && out->code >= 200 && out->code < 600;
}
