/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The pieces of a message's content, in order, to a stream. */
#include "deliver/payload.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/ask_queue.h"
#include "smtp/dotted.h"

/* Up to SMALL_MOST a read and one write are cheaper than sendfile; STEP bounds what stuffing keeps in memory.
 */
enum { SMALL_MOST = 32 * 1024, STEP = 128 * 1024 };

bool payload_open(struct payload *payload, struct arena *arena, const struct deliver_job *job, int segment_fd)
{
    payload->fd = segment_fd;
    payload->offset = job->offset;
    payload->prefix_length = job->prefix_length;
    payload->body_length = job->length - job->prefix_length;
    payload->content = payload->original_content = job->content;
    payload_rewind(payload);
    if (job->edits.length == 0) return true;
    if (!edits_decode(arena, job->edits, payload->body_length, &payload->edits)) return false;
    payload->has_edits = payload->edits.count > 0;
    return true;
}

void payload_open_body(struct payload *payload, struct arena *arena, struct text prefix, struct text memory,
                       int fd, uint64_t length, uint16_t content)
{
    payload->memory = memory;
    payload->fd = fd;
    payload->body_length = length;
    payload->content = payload->original_content = content;
    payload->edits = (struct edits){ .arena = arena };
    edits_insert_top(&payload->edits, prefix);
    payload->has_edits = true;
    payload_rewind(payload);
}

void payload_close(struct payload *payload)
{
    buffer_free(&payload->converted);
    payload->is_converted = false;
    payload->content = payload->original_content;
}

uint64_t payload_length(const struct payload *payload)
{
    if (payload->is_converted) return buffer_length(&payload->converted);
    uint64_t body = payload->body_length;
    return payload->prefix_length + (payload->has_edits ? edits_length(&payload->edits, body) : body);
}

void payload_convert(struct payload *payload, struct buffer *converted, uint16_t content)
{
    buffer_free(&payload->converted);
    payload->converted = *converted;
    *converted = (struct buffer){ 0 };
    payload->is_converted = true;
    payload->content = content;
    payload_rewind(payload);
}

void payload_rewind(struct payload *payload)
{
    payload->cursor = (struct edit_cursor){ 0 };
    payload->piece = (struct edit_piece){ 0 };
    payload->prefix_done = false;
    payload->at_line_start = true;
}

static bool original_next(struct payload *payload, struct edit_piece *out)
{
    uint64_t body = payload->offset + payload->prefix_length;
    if (!payload->has_edits) {
        if (payload->prefix_done || payload->prefix_length + payload->body_length == 0) return false;
        payload->prefix_done = true;
        *out = (struct edit_piece){ .offset = payload->offset,
                                    .length = payload->prefix_length + payload->body_length };
        return true;
    }
    if (!payload->prefix_done && payload->prefix_length > 0) {
        payload->prefix_done = true;
        *out = (struct edit_piece){ .offset = payload->offset, .length = payload->prefix_length };
        return true;
    }
    if (!edits_next(&payload->edits, payload->body_length, &payload->cursor, out)) return false;
    if (out->literal.at) return true;
    if (payload->memory.at)
        out->literal = text_slice(payload->memory, out->offset, out->offset + out->length);
    else
        out->offset += body;
    return true;
}

static bool piece_next(struct payload *payload, struct edit_piece *out)
{
    if (!payload->is_converted) return original_next(payload, out);
    if (payload->prefix_done || buffer_length(&payload->converted) == 0) return false;
    payload->prefix_done = true;
    *out = (struct edit_piece){ .literal = buffer_text(&payload->converted) };
    return true;
}

static bool range_read(int fd, uint64_t offset, uint64_t length, struct buffer *out)
{
    while (length > 0) {
        size_t step = length > STEP ? STEP : (size_t)length;
        ssize_t got = pread(fd, buffer_reserve(out, step), step, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = EIO; /* shorter than the job says */
        if (got <= 0) return false;
        buffer_commit(out, (size_t)got);
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return true;
}

static bool piece_read(const struct payload *payload, const struct edit_piece *piece, struct buffer *out)
{
    if (!piece->literal.at) return range_read(payload->fd, piece->offset, piece->length, out);
    buffer_add_text(out, piece->literal);
    return true;
}

bool payload_read(const struct payload *payload, struct buffer *out)
{
    struct payload copy = *payload;
    struct edit_piece piece;
    payload_rewind(&copy);
    while (piece_next(&copy, &piece))
        if (!piece_read(&copy, &piece, out)) return false;
    return true;
}

/* Cuts at most `most` bytes off what is left of the current piece, taking the next one when it is empty. */
static bool step_next(struct payload *payload, uint64_t most, struct edit_piece *out)
{
    struct edit_piece *left = &payload->piece;
    if (!left->literal.length && !left->length && !piece_next(payload, left)) return false;
    if (left->literal.at) {
        out->literal = text_slice(left->literal, 0, most);
        out->length = 0;
        left->literal = text_slice(left->literal, out->literal.length, left->literal.length);
        if (left->literal.length == 0) *left = (struct edit_piece){ 0 };
        return true;
    }
    *out = (struct edit_piece){ .offset = left->offset, .length = left->length > most ? most : left->length };
    left->offset += out->length;
    left->length -= out->length;
    return true;
}

bool payload_look(const struct payload *payload, bool *out_is_lines)
{
    struct payload copy = *payload;
    struct edit_piece step;
    struct buffer bytes = { 0 }, unused = { 0 };
    struct dotted dotted;
    bool is_read = true;
    size_t used;
    *out_is_lines = payload->content & CONTENT_IS_LINES;
    if (*out_is_lines) return true;
    dotted_start(&dotted, false, true);
    payload_rewind(&copy);
    while (is_read && step_next(&copy, STEP, &step)) {
        is_read = piece_read(&copy, &step, &bytes);
        dotted_decode(&dotted, buffer_text(&bytes), &unused, &used);
        buffer_clear(&bytes);
        buffer_clear(&unused);
    }
    dotted_finish(&dotted, &unused);
    buffer_free(&bytes);
    buffer_free(&unused);
    *out_is_lines = !dotted.has_nul && !dotted.has_bare;
    return is_read;
}

static void end_put(const struct payload *payload, struct stream *stream)
{
    bool ends_line = !(payload->content & CONTENT_NO_END_OF_LINE);
    stream_write(stream, ends_line ? TEXT(".\r\n") : TEXT("\r\n.\r\n"));
}

static enum payload_outcome send_stuffed(struct payload *payload, struct stream *stream)
{
    struct edit_piece step;
    struct buffer plain = { 0 }, wire = { 0 };
    bool is_end = false;
    while (buffer_length(&wire) < STEP) {
        buffer_clear(&plain);
        is_end = !step_next(payload, STEP, &step);
        if (is_end) break;
        if (!piece_read(payload, &step, &plain)) {
            buffer_free(&plain);
            buffer_free(&wire);
            return PAYLOAD_FAILED;
        }
        dotted_encode(buffer_text(&plain), &payload->at_line_start, &wire);
    }
    stream_write(stream, buffer_text(&wire));
    buffer_free(&plain);
    buffer_free(&wire);
    if (!is_end) return PAYLOAD_PART;
    end_put(payload, stream);
    return PAYLOAD_ALL;
}

static enum payload_outcome send_small(const struct payload *payload, struct stream *stream)
{
    struct buffer bytes = { 0 };
    bool is_read = payload_read(payload, &bytes);
    if (is_read) stream_write(stream, buffer_text(&bytes));
    buffer_free(&bytes);
    return is_read ? PAYLOAD_ALL : PAYLOAD_FAILED;
}

static enum payload_outcome send_as_is(struct payload *payload, struct stream *stream)
{
    struct edit_piece piece = { 0 };
    while (step_next(payload, UINT64_MAX, &piece)) {
        if (piece.literal.at)
            stream_write(stream, piece.literal);
        else
            stream_send_file(stream, payload->fd, piece.offset, piece.length);
    }
    return PAYLOAD_ALL;
}

enum payload_outcome payload_send(struct payload *payload, struct stream *stream, bool is_data)
{
    if (is_data && (payload->is_converted || payload->content & CONTENT_LEADING_DOT))
        return send_stuffed(payload, stream);
    bool is_in_memory = payload->is_converted || payload->memory.at;
    enum payload_outcome outcome = payload_length(payload) <= SMALL_MOST && !is_in_memory
                                       ? send_small(payload, stream)
                                       : send_as_is(payload, stream);
    if (outcome == PAYLOAD_ALL && is_data) end_put(payload, stream);
    return outcome;
}
