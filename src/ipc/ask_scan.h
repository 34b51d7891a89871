/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive asks of scan. Judging has two halves: SCAN_READ turns a message into facts; SCAN_DECIDE turns
   facts and answers into a verdict. When a read raises no question that the answers sent along leave open,
   the worker decides at once and SCAN_VERDICT comes instead of SCAN_FACTS. */
#ifndef SEKIMORI_IPC_ASK_SCAN_H
#define SEKIMORI_IPC_ASK_SCAN_H

#include "ipc/body.h"
#include "ipc/channel.h"
#include "judge/evidence.h"

enum scan_frame {
    SCAN_READ = 1, /* occasion, questions (those of the session, answered or not), body, as scan_read_put
                      writes them; frame id = message id */
    SCAN_DECIDE,   /* occasion, questions (all answered or temperror), text facts (as received) */
    SCAN_FACTS,    /* same id; facts: their questions and what was open of those sent are to be answered */
    SCAN_VERDICT,  /* same id; text facts (without possible edits), verdict */
    SCAN_FAILED,   /* same id; u8 enum scan_failure, text why. The message gets 451, or is held as poison. */
    SCAN_CANCEL,   /* receive: same id: the client hung up; no reply is wanted */
};

enum scan_failure {
    SCAN_WORKER_DIED, /* the first time for this message: 451 */
    SCAN_POISON,      /* the same message killed a worker before: hold it */
    SCAN_TIMED_OUT,
    SCAN_NOT_READY, /* no worker (signatures loading, no tmpfs) */
};

enum { SCAN_PAYLOAD_MOST = FRAME_LIMIT - 64 }; /* bytes: more is not sent, either way */

/* What is read borrows texts from the frame; lists live in the arena, `*body` is the caller's. False:
   malformed. */
void scan_read_put(const struct occasion *occasion, const struct question *questions, uint32_t question_count,
                   struct body *body, struct buffer *frame, int *fds, int *fd_count);
bool scan_read_get(struct arena *arena, struct frame *frame, struct occasion *occasion,
                   struct question **questions, uint32_t *question_count, struct body *body);

/* `facts` is the payload of SCAN_FACTS. What is written may be more than SCAN_PAYLOAD_MOST. */
void scan_decide_put(const struct occasion *occasion, const struct question *answers, uint32_t answer_count,
                     struct text facts, struct buffer *payload);
bool scan_decide_get(struct arena *arena, const struct frame *frame, struct occasion *occasion,
                     struct question **answers, uint32_t *answer_count, struct facts *facts);

#endif
