/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hands finished mail to queue. A letter is kept exactly once, whichever of the two processes dies meanwhile.
 */
#ifndef SEKIMORI_REPORT_SUBMISSION_H
#define SEKIMORI_REPORT_SUBMISSION_H

#include "ipc/channel.h"
#include "mail/alert.h"

struct submission;

/* `node`: its number, for ids, of which none is from before `epoch_ms`. */
struct submission *submission_new(struct loop *loop, uint8_t node, uint64_t epoch_ms);
/* Queue is there, or there again: what it did not answer is asked for. */
void submission_set_queue(struct submission *submission, int fd);
bool submission_is_open(const struct submission *submission); /* queue is there */

/* For what queue asks on the same channel: its other frames (false: malformed), and that it is gone. */
struct submission_listener {
    bool (*on_frame)(void *context, struct frame *frame);
    void (*on_gone)(void *context);
    void *context;
};
/* Who hears what queue sends that is no answer to a letter. One at a time; on_frame's false: malformed. */
void submission_listen(struct submission *submission, struct submission_listener listener);
/* For alerts that went to the administrator by mail (QUEUE_ALERTED); borrowed for the call. */
struct submission_alerts {
    void (*on_alert)(void *context, const struct alert *alert);
    void *context;
};
/* Who hears of them. One at a time. */
void submission_hear_alerts(struct submission *submission, struct submission_alerts alerts);
/* To answer on; NULL: it is being restarted */
struct channel *submission_queue(const struct submission *submission);

/* The id of the next letter: remembered by who sends it before it is sent. */
uint64_t submission_next_id(struct submission *submission);

/* Takes copies. `done` comes once, not from inside the call: kept, or the reason why not. */
struct submission_waiter {
    void (*done)(void *context, uint64_t id, bool is_kept, struct text why);
    void *context;
};
/* As the message `id`. Where queue is not there the letter waits for it. */
void submission_send(struct submission *submission, uint64_t id, struct text to, struct text letter,
                     struct submission_waiter waiter);
/* Was this letter kept, by an earlier life of ours? `done` as above. */
void submission_ask(struct submission *submission, uint64_t id, struct submission_waiter waiter);

#endif
