/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Letters under way to queue. One whose answer was lost with queue is asked for by its id; only if it was not
   kept is it sent again. */
#include "report/post.h"

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
    struct post_waiter waiter;
};

struct post {
    enum { POST_MAGIC = 0x287abe3e } magic;
    struct loop *loop;
    struct channel *queue; /* NULL: it is being restarted */
    struct letter *letters;
    struct message_id_source ids;
    struct post_listener listener;
};

struct post *post_new(struct loop *loop, uint8_t node, uint64_t epoch_ms)
{
    struct post *post = memory_alloc(sizeof *post);
    *post =
        (struct post){ .magic = POST_MAGIC, .loop = loop, .ids = { .process = OWN_PROCESS, .node = node } };
    message_id_not_before(&post->ids, epoch_ms);
    return post;
}

void post_listen(struct post *post, struct post_listener listener)
{
    post->listener = listener;
}

struct channel *post_queue(const struct post *post)
{
    return post->queue;
}

bool post_is_open(const struct post *post)
{
    return post->queue != NULL;
}

uint64_t post_next_id(struct post *post)
{
    return message_id_next(&post->ids, loop_wall_ms(post->loop));
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
static void letter_offer(struct post *post, const struct letter *letter)
{
    struct recipient recipient = { .address = text_of(letter->to) };
    struct keep_recipient how = { HOLD_NONE, 0 };
    uint16_t content = content_of(buffer_text(&letter->bytes));
    struct keep_request request = { .id = letter->id,
                                    .arrived_ms = loop_wall_ms(post->loop),
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
    struct buffer *out = channel_begin(post->queue, QUEUE_KEEP, letter->id);
    keep_request_put(&request, out, fds, &fd_count);
    channel_end_fds(post->queue, fds, fd_count);
    body_free(&request.body);
}

static void letter_add(struct post *post, uint64_t id, const char *to, struct text bytes,
                       struct post_waiter waiter)
{
    struct letter *letter = memory_alloc(sizeof *letter);
    *letter = (struct letter){ .next = post->letters, .id = id, .waiter = waiter };
    if (to) letter->to = memory_string(text_of(to));
    buffer_add_text(&letter->bytes, bytes);
    post->letters = letter;
}

static void letter_end(struct post *post, uint64_t id, bool is_kept, struct text why)
{
    struct letter **at = &post->letters;
    while (*at && (*at)->id != id) at = &(*at)->next;
    struct letter *letter = *at;
    if (!letter) return;
    *at = letter->next;
    letter->waiter.done(letter->waiter.context, id, is_kept, why);
    buffer_free(&letter->bytes);
    free(letter->to);
    free(letter);
}

static void resolved(struct post *post, uint64_t id, bool is_kept)
{
    const struct letter *letter = post->letters;
    while (letter && letter->id != id) letter = letter->next;
    if (letter && letter->to && !is_kept)
        letter_offer(post, letter);
    else
        letter_end(post, id, is_kept, TEXT("queue does not have it"));
}

static bool on_frame(void *context, struct frame *frame)
{
    struct post *post = CONTEXT(context, struct post, POST_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case QUEUE_KEPT:
        letter_end(post, frame->id, true, TEXT_NONE);
        return true;
    case QUEUE_NOT_KEPT:
        get_u8(&reader);
        letter_end(post, frame->id, false, get_text(&reader));
        return !reader.failed;
    case QUEUE_RESOLVED:
        resolved(post, frame->id, get_u8(&reader) != 0);
        return !reader.failed;
    case QUEUE_SPACE: /* it says no when asked */
        return true;
    default:
        return post->listener.on_frame && post->listener.on_frame(post->listener.context, frame);
    }
}

static void on_closed(void *context)
{
    struct post *post = CONTEXT(context, struct post, POST_MAGIC);
    if (post->queue && post->listener.on_gone) post->listener.on_gone(post->listener.context);
    channel_close(post->queue);
    post->queue = NULL;
}

void post_set_queue(struct post *post, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    on_closed(post);
    post->queue = channel_open(post->loop, fd, &events, post);
    for (const struct letter *letter = post->letters; letter; letter = letter->next)
        channel_send(post->queue, QUEUE_RESOLVE, letter->id, TEXT_NONE);
}

void post_send(struct post *post, uint64_t id, struct text to, struct text letter, struct post_waiter waiter)
{
    char *address = memory_string(to);
    letter_add(post, id, address, letter, waiter);
    free(address);
    if (post->queue) letter_offer(post, post->letters);
}

void post_ask(struct post *post, uint64_t id, struct post_waiter waiter)
{
    letter_add(post, id, NULL, TEXT_NONE, waiter);
    if (post->queue) channel_send(post->queue, QUEUE_RESOLVE, id, TEXT_NONE);
}
