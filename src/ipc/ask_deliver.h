/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What queue asks of deliver (carry this delivery), and receive (would the server take this recipient?).
   The message's bytes are not in the frames: deliver reads them from the journal segment. */
#ifndef SEKIMORI_IPC_ASK_DELIVER_H
#define SEKIMORI_IPC_ASK_DELIVER_H

#include "base/arena.h"
#include "ipc/body.h"
#include "ipc/channel.h"
#include "mail/envelope.h"

enum deliver_frame {
    DELIVER_SEGMENT =
        1, /* queue: u32 segment number; fd 0: the segment, read-only. Before the first job in it. */
    DELIVER_SEGMENT_END, /* queue: u32 segment number: close it, no job will name it any more */
    DELIVER_JOB,         /* queue: struct deliver_job; frame id = job id */
    DELIVER_RESULT,      /* deliver: struct deliver_result, same id; repeated after a restart of queue until
                            acknowledged */
    DELIVER_RESULT_KEPT, /* queue: same id: the result is in the journal; deliver forgets it */
    DELIVER_CANCEL,      /* queue: same id: give the job back if it has not started (RESULT with all
                            RECIPIENT_NOT_TRIED) */
    DELIVER_UNDER_WAY,   /* deliver: u64 message id, u32 count, count * u32 recipient number: on a connection
                            right now, its RESULT will follow; not to be given as a job again */
    DELIVER_SYNCED,      /* deliver: all kept results and all that is under way have been told; jobs may come.
                            Sent once on every new channel, before it no job is taken. */
    DELIVER_CALL_OUT, /* receive: text sender, text recipient address; frame id = the asker's. "@example.jp"
                         asks whether the domain's servers take SMTPUTF8 */
    DELIVER_RELAY,    /* receive: struct relay_request; frame id = message id: hand it on now */
    DELIVER_RELAYED,  /* deliver: same id; struct relay_reply */
    DELIVER_RELAY_DOUBT,  /* receive: same id: its client may be gone. The reply is wanted, but the next node
                             is not to learn that it was heard, and no other one is tried */
    DELIVER_RELAY_CANCEL, /* receive: same id: nobody waits any more. What is on its way goes on, but the next
                            node is left believing that its reply was lost */
    DELIVER_CALL_OUT_IS,  /* same id; u8 enum recipient_ending (DELIVERED: taken, or yes), u16 code, text
                             enhanced,  text reply */
};

struct deliver_job {
    uint64_t id; /* of this try; unique, also across restarts of queue (start at wall clock ms << 20) */
    uint64_t message_id;
    uint64_t arrived_ms;
    struct text
        domain;       /* the recipients' domain (lower case): deliver finds the route in the configuration */
    uint32_t segment; /* where prefix and body are */
    uint64_t offset, length; /* of prefix followed by body */
    uint32_t prefix_length;
    uint16_t content;            /* enum content_flag of ask_queue.h */
    struct text edits;           /* byte form of mail/edits.h, offsets count from the body's start */
    struct envelope envelope;    /* only the recipients of this delivery */
    uint32_t *recipient_numbers; /* their numbers in the message, in the same order */
};

enum recipient_ending {
    RECIPIENT_DELIVERED,
    RECIPIENT_DEFERRED,  /* try again later */
    RECIPIENT_FAILED,    /* permanent: 5xx, or found undeliverable by us */
    RECIPIENT_NOT_TRIED, /* the job was given back */
};

struct recipient_result {
    uint32_t number; /* in the message, as in the job */
    enum recipient_ending ending;
    uint16_t code;        /* SMTP reply code, 0 when the answer is our own */
    struct text enhanced; /* "2.0.0" */
    struct text reply;    /* the server's text or our reason */
    bool dsn_relayed;     /* the server speaks DSN, so success notices are its job */
};

struct deliver_result {
    uint64_t id, message_id;
    bool destination_down; /* no server of the route could be talked to: back off for the whole destination */
    struct text relay;     /* "mail.example.jp[192.0.2.7]:25", "none" */
    struct text tls;       /* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", "" in the clear */
    uint32_t connect_ms, transfer_ms;
    uint32_t recipient_count; /* as in the job, same order */
    struct recipient_result *recipients;
};

/* A message for the next node, not in the journal. */
struct relay_request {
    struct text domain; /* whose servers it goes to */
    uint16_t content;   /* enum content_flag, of prefix and body together */
    struct envelope envelope;
    struct text prefix; /* header lines put before the body */
    struct body body;
};

enum relay_outcome {
    RELAY_REPLIED,  /* the next server's reply, or ours in its place (451 when nobody can tell what became of
                       it) */
    RELAY_NO_SERVER /* no server of the route accepts a connection: nothing was sent */
};

struct relay_reply {
    enum relay_outcome outcome;
    uint16_t code; /* 250, 4xx, 5xx; one for all recipients */
    struct text enhanced, text, server;
};

/* Appends; a body that does not fit into the frame moves to a memfd (body_fit). A descriptor is added as by
   body_put. */
void relay_request_put(struct relay_request *request, struct buffer *frame, int *fds, int *fd_count);
/* Borrows from the frame; lists live in the arena. False: malformed. */
bool relay_request_get(struct arena *arena, struct frame *frame, struct relay_request *out);
void relay_reply_put(const struct relay_reply *reply, struct buffer *frame); /* appends */
bool relay_reply_get(struct frame *frame, struct relay_reply *out);          /* borrows from the frame */

/* Appends. */
void deliver_job_put(const struct deliver_job *job, struct buffer *frame);
/* As relay_request_get. False too where the id is not the frame's, nobody is to get it, or a range ends
   beyond its message. */
bool deliver_job_get(struct arena *arena, struct frame *frame, struct deliver_job *out);
/* Replies are cut where there are so many recipients that one frame could not hold them. */
void deliver_result_put(const struct deliver_result *result, struct buffer *frame);
bool deliver_result_get(struct arena *arena, struct frame *frame, struct deliver_result *out);

#endif
