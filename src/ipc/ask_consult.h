/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive asks of consult: what one engine outside says of a message. */
#ifndef SEKIMORI_IPC_ASK_CONSULT_H
#define SEKIMORI_IPC_ASK_CONSULT_H

#include "ipc/body.h"
#include "ipc/channel.h"

enum consult_frame {
    CONSULT_LOOK = 1, /* text engine's name, body */
    CONSULT_CANCEL,   /* same id: nobody waits for the answer any more */
    /* same id; text: engine_answer_put (judge/engine_answer.h). In no other protocol that receive reads
       answers of. */
    CONSULT_ANSWER = 128,
};

/* The body may be lost on the way (is_lost): it is answered as one that could not be looked at. */
void consult_look_put(struct text engine, struct body *body, struct buffer *frame, int *fds, int *fd_count);
/* The engine's name is borrowed from the frame, the body is the caller's, its inline bytes borrowed. False:
   malformed. */
bool consult_look_get(struct frame *frame, struct text *out_engine, struct body *body);

/* False: malformed; else borrowed from the frame. */
bool consult_answer_get(const struct frame *frame, struct text *out);

#endif
