/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of what receive asks of scan. */
#include "ipc/ask_scan.h"

#include "base/codec.h"
#include "mail/envelope.h"

static void question_put(const struct scan_question *question, struct buffer *out)
{
    occasion_put(&question->occasion, out);
    put_text(out, question->prefix);
    questions_put(question->questions, question->question_count, out);
}

static bool question_get(struct arena *arena, struct reader *reader, struct scan_question *out)
{
    if (!occasion_get(arena, reader, &out->occasion)) return false;
    out->prefix = get_text(reader);
    return questions_get(arena, reader, &out->questions, &out->question_count);
}

void scan_read_put(const struct scan_question *question, struct body *body, struct buffer *frame, int *fds,
                   int *fd_count)
{
    size_t start = buffer_length(frame);
    question_put(question, frame);
    body_fit(body, buffer_length(frame) - start);
    body_put(body, frame, fds, fd_count);
}

static bool kept_send(struct channel *channel, uint16_t type, const struct scan_question *question,
                      struct text content)
{
    struct body body = { 0 };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    bool is_good = body_append(&body, content) && body_finish(&body);
    if (is_good) {
        scan_read_put(question, &body, channel_begin(channel, type, question->occasion.id), fds, &fd_count);
        channel_end_fds(channel, fds, fd_count);
    }
    body_free(&body);
    return is_good;
}

bool scan_again_send(struct channel *channel, struct arena *arena, uint64_t id, enum direction direction,
                     const struct envelope *envelope, struct text content)
{
    struct scan_question question = { .occasion = { .id = id,
                                                    .direction = direction,
                                                    .sender = envelope->sender,
                                                    .recipient_count = envelope->recipient_count } };
    struct occasion *occasion = &question.occasion;
    occasion->recipients = arena_alloc_array(arena, envelope->recipient_count, sizeof *occasion->recipients);
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        occasion->recipients[i] = envelope->recipients[i].address;
    return kept_send(channel, SCAN_AGAIN, &question, content);
}

bool scan_lesson_send(struct channel *channel, uint64_t id, struct text mail)
{
    struct scan_question question = { .occasion = { .id = id, .direction = DIRECTION_IN } };
    return kept_send(channel, SCAN_LESSON, &question, mail);
}

bool scan_read_get(struct arena *arena, struct frame *frame, struct scan_question *out, struct body *body)
{
    struct reader reader = reader_of(frame->payload);
    int fd_index = 0;
    if (!question_get(arena, &reader, out) || !body_get(&reader, frame, &fd_index, body)) return false;
    if (reader_done(&reader) && out->occasion.id == frame->id) return true;
    body_free(body);
    return false;
}

void scan_decide_put(const struct scan_question *question, struct text found, struct buffer *payload)
{
    question_put(question, payload);
    put_text(payload, found);
}

bool scan_decide_get(struct arena *arena, const struct frame *frame, struct scan_question *out,
                     struct found *found)
{
    struct reader reader = reader_of(frame->payload);
    return question_get(arena, &reader, out) && found_get(get_text(&reader), found) && reader_done(&reader) &&
           out->occasion.id == frame->id;
}

void found_put(const struct found *found, struct buffer *out)
{
    put_text(out, found->facts);
    buffer_add(out, found->body, sizeof found->body);
    buffer_add(out, found->signature, sizeof found->signature);
}

bool found_get(struct text payload, struct found *out)
{
    struct reader reader = reader_of(payload);
    out->facts = get_text(&reader);
    get_bytes(&reader, out->body, sizeof out->body);
    get_bytes(&reader, out->signature, sizeof out->signature);
    return reader_done(&reader);
}

bool found_facts(struct arena *arena, const struct found *found, struct facts *out)
{
    struct reader reader = reader_of(found->facts);
    return facts_get(arena, &reader, out) && reader_done(&reader);
}

void lesson_found_put(const struct lesson_found *found, struct buffer *out)
{
    put_u8(out, found->is_mail);
    put_text(out, found->message_id);
    put_text(out, found->author);
    put_text(out, found->subject);
    put_text(out, found->lesson);
}

bool lesson_found_get(struct text payload, struct lesson_found *out)
{
    struct reader reader = reader_of(payload);
    out->is_mail = get_u8(&reader) == 1;
    out->message_id = get_text(&reader);
    out->author = get_text(&reader);
    out->subject = get_text(&reader);
    out->lesson = get_text(&reader);
    return reader_done(&reader) && out->message_id.length <= LESSON_FOUND_TEXT_MOST &&
           out->author.length <= LESSON_FOUND_TEXT_MOST && out->subject.length <= LESSON_FOUND_TEXT_MOST &&
           out->lesson.length <= LESSON_FOUND_BYTES_MOST;
}

void judged_put(const struct judged *judged, struct buffer *out)
{
    facts_put(&judged->facts, out);
    verdict_put(&judged->verdict, out);
    voucher_put(&judged->voucher, out);
}

bool judged_get(struct arena *arena, struct text payload, struct judged *out)
{
    struct reader reader = reader_of(payload);
    if (!facts_get(arena, &reader, &out->facts) || !verdict_get(arena, &reader, &out->verdict)) return false;
    voucher_get(&reader, &out->voucher);
    return reader_done(&reader);
}
