/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what receive asks of scan. */
#include "ipc/ask_scan.h"

#include "base/codec.h"

void scan_read_put(const struct occasion *occasion, const struct question *questions, uint32_t question_count,
                   struct body *body, struct buffer *frame, int *fds, int *fd_count)
{
    size_t start = buffer_length(frame);
    occasion_put(occasion, frame);
    questions_put(questions, question_count, frame);
    body_fit(body, buffer_length(frame) - start);
    body_put(body, frame, fds, fd_count);
}

bool scan_read_get(struct arena *arena, struct frame *frame, struct occasion *occasion,
                   struct question **questions, uint32_t *question_count, struct body *body)
{
    struct reader reader = reader_of(frame->payload);
    int fd_index = 0;
    bool good =
        occasion_get(arena, &reader, occasion) && questions_get(arena, &reader, questions, question_count);
    if (!good || !body_get(&reader, frame, &fd_index, body)) return false;
    if (reader_done(&reader) && occasion->id == frame->id) return true;
    body_free(body);
    return false;
}

void scan_decide_put(const struct occasion *occasion, const struct question *answers, uint32_t answer_count,
                     struct text facts, struct buffer *payload)
{
    occasion_put(occasion, payload);
    questions_put(answers, answer_count, payload);
    put_text(payload, facts);
}

bool scan_decide_get(struct arena *arena, const struct frame *frame, struct occasion *occasion,
                     struct question **answers, uint32_t *answer_count, struct facts *facts)
{
    struct reader reader = reader_of(frame->payload);
    bool good =
        occasion_get(arena, &reader, occasion) && questions_get(arena, &reader, answers, answer_count);
    struct reader facts_reader = reader_of(get_text(&reader));
    return good && reader_done(&reader) && facts_get(arena, &facts_reader, facts) &&
           reader_done(&facts_reader);
}
