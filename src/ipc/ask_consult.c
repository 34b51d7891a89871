/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what receive asks of consult. */
#include "ipc/ask_consult.h"

#include "base/codec.h"

/* The body behind the words that the frame has since `start`. */
static void body_add(struct body *body, size_t start, struct buffer *frame, int *fds, int *fd_count)
{
    body_fit(body, buffer_length(frame) - start);
    body_put(body, frame, fds, fd_count);
}

/* The last thing in a frame. */
static bool body_last(struct reader *reader, struct frame *frame, struct body *body)
{
    int fd_index = 0;
    if (reader->failed || !body_get(reader, frame, &fd_index, body)) return false;
    if (reader_done(reader)) return true;
    body_free(body);
    return false;
}

void consult_look_put(struct text engine, struct body *body, struct buffer *frame, int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    put_text(frame, engine);
    body_add(body, start, frame, fds, fd_count);
}

bool consult_look_get(struct frame *frame, struct text *out_engine, struct body *body)
{
    struct reader reader = reader_of(frame->payload);
    *out_engine = get_text(&reader);
    return body_last(&reader, frame, body);
}

void consult_opine_put(struct text opinion, struct text envelope, struct body *body, struct buffer *frame,
                       int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    put_text(frame, opinion);
    put_text(frame, envelope);
    body_add(body, start, frame, fds, fd_count);
}

bool consult_opine_get(struct frame *frame, struct text *out_opinion, struct text *out_envelope,
                       struct body *body)
{
    struct reader reader = reader_of(frame->payload);
    *out_opinion = get_text(&reader);
    *out_envelope = get_text(&reader);
    return body_last(&reader, frame, body);
}

/* --- the envelope --- */

/* Long ones are no addresses or names that anybody has, and are not told at all. */
enum { TEXTS = 6, TEXT_MOST = 2000, TRACE_MOST = 8 * 1024 };

static struct text bounded(struct text text, size_t most)
{
    return text.length <= most ? text : TEXT_NONE;
}

/* How many recipients there is room for, behind `used` bytes. */
static uint32_t recipients_fit(const struct consult_envelope *envelope, size_t used)
{
    uint32_t count = 0;
    for (; count < envelope->recipient_count && count < CONSULT_RECIPIENTS_MOST; count++) {
        used += 4 + envelope->recipients[count].length;
        if (used > CONSULT_ENVELOPE_MOST) break;
    }
    return count;
}

void consult_envelope_put(const struct consult_envelope *envelope, struct buffer *out)
{
    size_t start = buffer_length(out);
    const struct text texts[TEXTS - 1] = { envelope->id, envelope->client, envelope->client_name,
                                           envelope->helo, envelope->sender };
    for (size_t i = 0; i < TEXTS - 1; i++) put_text(out, bounded(texts[i], TEXT_MOST));
    put_text(out, bounded(envelope->trace, TRACE_MOST));
    uint32_t count = recipients_fit(envelope, buffer_length(out) - start + 4);
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) put_text(out, envelope->recipients[i]);
}

bool consult_envelope_get(struct arena *arena, struct text bytes, struct consult_envelope *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct consult_envelope){ 0 };
    if (bytes.length == 0) return true;
    if (bytes.length > CONSULT_ENVELOPE_MOST) return false;
    struct text *const texts[TEXTS] = { &out->id,   &out->client, &out->client_name,
                                        &out->helo, &out->sender, &out->trace };
    for (size_t i = 0; i < TEXTS; i++) *texts[i] = get_text(&reader);
    out->recipient_count = get_u32(&reader);
    if (reader.failed || out->recipient_count > CONSULT_RECIPIENTS_MOST) return false;
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) out->recipients[i] = get_text(&reader);
    return reader_done(&reader);
}

bool consult_answer_get(const struct frame *frame, struct text *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = get_text(&reader);
    return reader_done(&reader);
}
