/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive asks of consult: what one engine outside, or a second opinion, says of a message. */
#ifndef SEKIMORI_IPC_ASK_CONSULT_H
#define SEKIMORI_IPC_ASK_CONSULT_H

#include "base/arena.h"
#include "ipc/body.h"
#include "ipc/channel.h"

enum consult_frame {
    CONSULT_LOOK = 1, /* text engine's name, body */
    CONSULT_CANCEL,   /* same id: nobody waits for the answer any more */
    CONSULT_OPINE,    /* text opinion's name, text consult_envelope_put, body */
    CONSULT_NEEDLESS, /* same id: the message's lot is certain without the opinion */
    /* same id; text: engine_answer_put (judge/engine_answer.h). In no other protocol that receive reads
       answers of. */
    CONSULT_ANSWER = 128,
    CONSULT_OPINION, /* the same to CONSULT_OPINE */
};

/* The body may be lost on the way (is_lost): it is answered as one that could not be looked at. */
void consult_look_put(struct text engine, struct body *body, struct buffer *frame, int *fds, int *fd_count);
/* The engine's name is borrowed from the frame, the body is the caller's, its inline bytes borrowed. False:
   malformed. */
bool consult_look_get(struct frame *frame, struct text *out_engine, struct body *body);

/* What a second opinion is told beside the message. Texts may be empty: not known. */
struct consult_envelope {
    struct text id;                  /* message_id_print */
    struct text client, client_name; /* its address, and its confirmed name or "unknown" */
    struct text helo, sender;
    struct text trace; /* the fields that go on top of the message: it has not passed here before */
    uint32_t recipient_count;
    struct text *recipients; /* the first CONSULT_RECIPIENTS_MOST */
};
enum {
    CONSULT_RECIPIENTS_MOST = 50,
    CONSULT_ENVELOPE_MOST = 24 * 1024, /* bytes; recipients and texts that go beyond are left out */
};

/* Appends it; what is behind the most of either kind is left out. */
void consult_envelope_put(const struct consult_envelope *envelope, struct buffer *out);
/* Texts are borrowed from `bytes`, recipients live in the arena. False: malformed. Of no bytes it is empty.
 */
bool consult_envelope_get(struct arena *arena, struct text bytes, struct consult_envelope *out);

/* As consult_look_put and _get; `envelope` are the bytes. */
void consult_opine_put(struct text opinion, struct text envelope, struct body *body, struct buffer *frame,
                       int *fds, int *fd_count);
bool consult_opine_get(struct frame *frame, struct text *out_opinion, struct text *out_envelope,
                       struct body *body);

/* False: malformed; else borrowed from the frame. */
bool consult_answer_get(const struct frame *frame, struct text *out);

#endif
