/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Letters under way to queue. One whose answer was lost with queue is asked for by its id; only if it was not
   kept is it sent again. */
#include "report/submission.h"

#include <stdlib.h>

#include "base/context.h"
#include "config/settings.h"
#include "ipc/ask_queue.h"
#include "ipc/message_id.h"

enum { OWN_PROCESS = 62 }; /* in message ids: receive has 0 to 60, queue 63 */

struct letter {
    struct letter *next;
    uint64_t id;
    char *to; /* NULL: only asked for */
    struct buffer bytes;
    struct submission_waiter waiter;
};

struct submission {
    enum { SUBMISSION_MAGIC = 0x287abe3e } magic;
    struct loop *loop;
    struct channel *queue; /* NULL: it is being restarted */
    struct letter *letters;
    struct message_id_source ids;
    struct submission_listener listener;
    struct submission_alerts alerts;
};

struct submission *submission_new(struct loop *loop, uint8_t node, uint64_t epoch_ms)
{
    struct submission *submission = memory_alloc(sizeof *submission);
    *submission = (struct submission){ .magic = SUBMISSION_MAGIC,
                                       .loop = loop,
                                       .ids = { .process = OWN_PROCESS, .node = node } };
    message_id_not_before(&submission->ids, epoch_ms);
    return submission;
}

void submission_listen(struct submission *submission, struct submission_listener listener)
{
    submission->listener = listener;
}

void submission_hear_alerts(struct submission *submission, struct submission_alerts alerts)
{
    submission->alerts = alerts;
}

struct channel *submission_queue(const struct submission *submission)
{
    return submission->queue;
}

bool submission_is_open(const struct submission *submission)
{
    return submission->queue != NULL;
}

uint64_t submission_next_id(struct submission *submission)
{
    return message_id_next(&submission->ids, loop_wall_ms(submission->loop));
}

/* An address in UTF-8 stands in the header as it is; all else of ours is ASCII. */
static bool has_8bit_header(struct text bytes)
{
    return !text_is_ascii(text_slice(bytes, 0, text_find(bytes, TEXT("\r\n\r\n"))));
}

static uint16_t content_of(struct text bytes)
{
    bool has_dot = text_starts(bytes, TEXT(".")) || text_find(bytes, TEXT("\n.")) < bytes.length;
    return (uint16_t)((has_dot ? CONTENT_LEADING_DOT : 0) |
                      (has_8bit_header(bytes) ? CONTENT_HEADER_8BIT : 0));
}

/* With the null sender, as a notice: it never causes another mail. */
static void letter_offer(struct submission *submission, const struct letter *letter)
{
    struct recipient recipient = { .address = text_of(letter->to) };
    struct keep_recipient how = { HOLD_NONE, 0 };
    uint16_t content = content_of(buffer_text(&letter->bytes));
    struct keep_request request = { .id = letter->id,
                                    .arrived_ms = loop_wall_ms(submission->loop),
                                    .direction = DIRECTION_OUT,
                                    .content = content,
                                    .envelope = { .recipient_count = 1,
                                                  .recipients = &recipient,
                                                  .smtputf8 = (content & CONTENT_HEADER_8BIT) != 0 },
                                    .recipients = &how,
                                    .edits_count = 1,
                                    .edits = { edits_none } };
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    body_append(&request.body, buffer_text(&letter->bytes));
    body_finish(&request.body);
    struct buffer *out = channel_begin(submission->queue, QUEUE_KEEP, letter->id);
    keep_request_put(&request, out, fds, &fd_count);
    channel_end_fds(submission->queue, fds, fd_count);
    body_free(&request.body);
}

static void letter_add(struct submission *submission, uint64_t id, const char *to, struct text bytes,
                       struct submission_waiter waiter)
{
    struct letter *letter = memory_alloc(sizeof *letter);
    *letter = (struct letter){ .next = submission->letters, .id = id, .waiter = waiter };
    if (to) letter->to = memory_string(text_of(to));
    buffer_add_text(&letter->bytes, bytes);
    submission->letters = letter;
}

static void letter_end(struct submission *submission, uint64_t id, bool is_kept, struct text why)
{
    struct letter **at = &submission->letters;
    while (*at && (*at)->id != id) at = &(*at)->next;
    struct letter *letter = *at;
    if (!letter) return;
    *at = letter->next;
    letter->waiter.done(letter->waiter.context, id, is_kept, why);
    buffer_free(&letter->bytes);
    free(letter->to);
    free(letter);
}

static void resolved(struct submission *submission, uint64_t id, bool is_kept)
{
    const struct letter *letter = submission->letters;
    while (letter && letter->id != id) letter = letter->next;
    if (letter && letter->to && !is_kept)
        letter_offer(submission, letter);
    else
        letter_end(submission, id, is_kept, TEXT("queue does not have it"));
}

static bool alert_take(struct submission *submission, const struct frame *frame)
{
    struct alert alert;
    if (!queue_alert_get(frame->payload, &alert)) return false;
    if (submission->alerts.on_alert) submission->alerts.on_alert(submission->alerts.context, &alert);
    return true;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct submission *submission = CONTEXT(context, struct submission, SUBMISSION_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case QUEUE_KEPT:
        letter_end(submission, frame->id, true, TEXT_NONE);
        return true;
    case QUEUE_NOT_KEPT:
        get_u8(&reader);
        letter_end(submission, frame->id, false, get_text(&reader));
        return !reader.failed;
    case QUEUE_RESOLVED:
        resolved(submission, frame->id, get_u8(&reader) != 0);
        return !reader.failed;
    case QUEUE_SPACE: /* it says no when asked */
        return true;
    case QUEUE_ALERTED:
        return alert_take(submission, frame);
    default:
        return submission->listener.on_frame &&
               submission->listener.on_frame(submission->listener.context, frame);
    }
}

static void on_closed(void *context)
{
    struct submission *submission = CONTEXT(context, struct submission, SUBMISSION_MAGIC);
    if (submission->queue && submission->listener.on_gone)
        submission->listener.on_gone(submission->listener.context);
    channel_close(submission->queue);
    submission->queue = NULL;
}

void submission_set_queue(struct submission *submission, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    on_closed(submission);
    submission->queue = channel_open(submission->loop, fd, &events, submission);
    for (const struct letter *letter = submission->letters; letter; letter = letter->next)
        channel_send(submission->queue, QUEUE_RESOLVE, letter->id, TEXT_NONE);
}

void submission_send(struct submission *submission, uint64_t id, struct text to, struct text letter,
                     struct submission_waiter waiter)
{
    char *address = memory_string(to);
    letter_add(submission, id, address, letter, waiter);
    free(address);
    if (submission->queue) letter_offer(submission, submission->letters);
}

void submission_ask(struct submission *submission, uint64_t id, struct submission_waiter waiter)
{
    letter_add(submission, id, NULL, TEXT_NONE, waiter);
    if (submission->queue) channel_send(submission->queue, QUEUE_RESOLVE, id, TEXT_NONE);
}
