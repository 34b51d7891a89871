/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what receive asks of consult. */
#include "ipc/ask_consult.h"

#include "base/codec.h"

void consult_look_put(struct text engine, struct body *body, struct buffer *frame, int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    put_text(frame, engine);
    body_fit(body, buffer_length(frame) - start);
    body_put(body, frame, fds, fd_count);
}

bool consult_look_get(struct frame *frame, struct text *out_engine, struct body *body)
{
    struct reader reader = reader_of(frame->payload);
    int fd_index = 0;
    *out_engine = get_text(&reader);
    if (reader.failed || !body_get(&reader, frame, &fd_index, body)) return false;
    if (reader_done(&reader)) return true;
    body_free(body);
    return false;
}

bool consult_answer_get(const struct frame *frame, struct text *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = get_text(&reader);
    return reader_done(&reader);
}
