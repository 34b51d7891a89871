/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What receive asks of scan. Judging has two halves: SCAN_READ turns a message into facts; SCAN_DECIDE turns
   facts and answers into a verdict. When a read raises no question that the answers sent along leave open,
   the worker decides at once and SCAN_VERDICT comes instead of SCAN_FACTS: as for most mail, of which receive
   has asked ahead. */
#ifndef SEKIMORI_IPC_ASK_SCAN_H
#define SEKIMORI_IPC_ASK_SCAN_H

#include "ipc/ask_queue.h"
#include "ipc/body.h"
#include "ipc/channel.h"
#include "judge/evidence.h"

enum scan_frame {
    SCAN_READ = 1, /* occasion, prefix, questions (those of the session, answered or not), body, as
                      scan_read_put writes them; frame id = message id */
    SCAN_DECIDE,   /* occasion, prefix, questions (all answered or temperror), the payload of SCAN_FACTS */
    SCAN_FACTS,    /* same id; struct found: its questions and what was open of those sent are to be answered
                    */
    SCAN_VERDICT,  /* same id; struct judged (facts without possible edits) */
    SCAN_FAILED,   /* same id; u8 enum scan_failure, text why. The message gets 451, or is held as poison. */
    SCAN_CANCEL,   /* receive: same id: the client hung up; no reply is wanted */
    SCAN_AGAIN,    /* ledger or queue, of what it keeps, one at a time: as SCAN_READ, without questions.
                      SCAN_FACTS comes    back, for which nobody vouches, or SCAN_FAILED */
    SCAN_SIGNATURES, /* dispatcher, to ledger and queue: u64 that differs where other signatures serve from
                        now on */
    SCAN_LESSON, /* report, of a mail that a user attached to a report, one at a time: as SCAN_AGAIN. The next
                    one comes back, or SCAN_FAILED */
    SCAN_LESSON_IS, /* same id; struct lesson_found */
};

enum scan_failure {
    SCAN_WORKER_DIED, /* the first time for this message: 451 */
    SCAN_POISON,      /* the same message killed a worker before: hold it */
    SCAN_TIMED_OUT,
    SCAN_NOT_READY, /* no worker (signatures loading, no tmpfs) */
};

enum { SCAN_PAYLOAD_MOST = FRAME_LIMIT - 64 }; /* bytes: more is not sent, either way */

/* What receive asks: about whom, and the header lines that it puts before the body when queue is to keep it.
 */
struct scan_question {
    struct occasion occasion;
    struct text prefix;
    struct question *questions;
    uint32_t question_count;
};

/* What was found in a message, and that the dispatcher has seen a worker find it. A worker leaves the
   signature empty. */
struct found {
    struct text facts; /* their byte form */
    uint8_t body[DIGEST_BYTES];
    uint8_t signature[DIGEST_BYTES];
};

/* A verdict, and what the dispatcher signed of it: nothing where the message is refused or deferred. A worker
   says the digest of the body in the place of the signature, and no time. */
struct judged {
    struct facts facts;
    struct verdict verdict;
    struct voucher voucher;
};

enum { LESSON_FOUND_BYTES_MOST = 64 * 1024, LESSON_FOUND_TEXT_MOST = 4096 };
/* What a mail would teach, and what it is known by. */
struct lesson_found {
    bool is_mail;                            /* it has a field of RFC 5322; else there is nothing below */
    struct text message_id, author, subject; /* author: From, as subject in UTF-8 */
    struct text lesson;                      /* spam/lesson.h, of no class yet */
};

/* What is read borrows texts from the frame; lists live in the arena, `*body` is the caller's. False:
   malformed. */
void scan_read_put(const struct scan_question *question, struct body *body, struct buffer *frame, int *fds,
                   int *fd_count);
bool scan_read_get(struct arena *arena, struct frame *frame, struct scan_question *out, struct body *body);

struct envelope;
/* Sends SCAN_AGAIN of a message that is kept; `content`: without our fields before it. Lists live in the
   arena until then. False: there is no memory or descriptor for the body, and nothing was sent. */
bool scan_again_send(struct channel *channel, struct arena *arena, uint64_t id, enum direction direction,
                     const struct envelope *envelope, struct text content);

/* Sends SCAN_LESSON. False: as above. */
bool scan_lesson_send(struct channel *channel, uint64_t id, struct text mail);

/* `found` is the payload of SCAN_FACTS. What is written may be more than SCAN_PAYLOAD_MOST. */
void scan_decide_put(const struct scan_question *question, struct text found, struct buffer *payload);
bool scan_decide_get(struct arena *arena, const struct frame *frame, struct scan_question *out,
                     struct found *found);

/* The byte forms, appended; what is read borrows its texts, lists live in the arena. False: malformed. */
void found_put(const struct found *found, struct buffer *out);
bool found_get(struct text payload, struct found *out);
void lesson_found_put(const struct lesson_found *found, struct buffer *out);
bool lesson_found_get(struct text payload, struct lesson_found *out); /* false too where one is too long */
/* The same of a verdict. */
void judged_put(const struct judged *judged, struct buffer *out);
bool judged_get(struct arena *arena, struct text payload, struct judged *out);
/* The facts of what was found, in the same way. */
bool found_facts(struct arena *arena, const struct found *found, struct facts *out);

#endif
