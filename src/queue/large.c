/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages with large bodies stand aside until all small ones that came before the same turn are on disk, and
   go one a turn: a small one waits for one of them at most, whoever sends how many. Nothing is promised of
   what stands here; a receive that hears nothing asks again. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "queue/queue_private.h"

struct large {
    TAILQ_ENTRY(large) line;
    struct receiver *receiver;
    uint64_t id;
    struct buffer payload;
    int fd; /* of the body */
};

bool large_is(const struct frame *frame)
{
    struct stat facts;
    if (frame->fd_count == 0 || fstat(frame->fds[0], &facts) != 0) return false;
    return facts.st_size > LARGE_LEAST;
}

void large_put(struct queue *queue, struct receiver *receiver, struct frame *frame)
{
    struct large *large = memory_alloc(sizeof *large);
    *large = (struct large){ .receiver = receiver, .id = frame->id, .fd = frame_take_fd(frame, 0) };
    buffer_add_text(&large->payload, frame->payload);
    TAILQ_INSERT_TAIL(&queue->large, large, line);
    if (!timer_is_set(queue->large_timer)) timer_set(queue->large_timer, 0);
}

static void large_free(struct large *large)
{
    if (large->fd >= 0) close(large->fd);
    buffer_free(&large->payload);
    free(large);
}

void large_take(void *context)
{
    struct queue *queue = CONTEXT(context, struct queue, QUEUE_MAGIC);
    struct large *large = TAILQ_FIRST(&queue->large);
    if (!large) return;
    turn_commit(queue);
    TAILQ_REMOVE(&queue->large, large, line);
    struct frame frame = { QUEUE_KEEP, large->id, buffer_text(&large->payload), { large->fd }, 1 };
    if (!intake_keep(queue, large->receiver, &frame))
        log_error("a message with a large body makes no sense, and is not kept");
    large->fd = frame_take_fd(&frame, 0);
    large_free(large);
    if (!TAILQ_EMPTY(&queue->large)) timer_set(queue->large_timer, 0);
}

void large_take_all(struct queue *queue)
{
    while (!TAILQ_EMPTY(&queue->large)) large_take(queue);
}

void large_forget(struct queue *queue, const struct receiver *receiver)
{
    for (struct large *next, *large = TAILQ_FIRST(&queue->large); large; large = next) {
        next = TAILQ_NEXT(large, line);
        if (large->receiver != receiver) continue;
        TAILQ_REMOVE(&queue->large, large, line);
        large_free(large);
    }
}
