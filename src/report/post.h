/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands finished mail to queue. A letter is kept exactly once, whichever of the two processes dies meanwhile.
 */
#ifndef SEKIMORI_REPORT_POST_H
#define SEKIMORI_REPORT_POST_H

#include "ipc/channel.h"

struct post;

/* `node`: its number, for ids, of which none is from before `epoch_ms`. */
struct post *post_new(struct loop *loop, uint8_t node, uint64_t epoch_ms);
/* Queue is there, or there again: what it did not answer is asked for. */
void post_set_queue(struct post *post, int fd);
bool post_is_open(const struct post *post); /* queue is there */

/* For what queue asks on the same channel: its other frames (false: malformed), and that it is gone. */
struct post_listener {
    bool (*on_frame)(void *context, struct frame *frame);
    void (*on_gone)(void *context);
    void *context;
};
/* Who hears what queue sends that is no answer to a letter. One at a time; on_frame's false: malformed. */
void post_listen(struct post *post, struct post_listener listener);
struct channel *post_queue(const struct post *post); /* to answer on; NULL: it is being restarted */

/* The id of the next letter: remembered by who sends it before it is sent. */
uint64_t post_next_id(struct post *post);

/* Takes copies. `done` comes once, not from inside the call: kept, or the reason why not. */
struct post_waiter {
    void (*done)(void *context, uint64_t id, bool is_kept, struct text why);
    void *context;
};
/* As the message `id`. Where queue is not there the letter waits for it. */
void post_send(struct post *post, uint64_t id, struct text to, struct text letter, struct post_waiter waiter);
/* Was this letter kept, by an earlier life of ours? `done` as above. */
void post_ask(struct post *post, uint64_t id, struct post_waiter waiter);

#endif
