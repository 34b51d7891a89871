/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A channel joins two processes: a SEQPACKET socket that carries bounded frames and descriptors.
   What is sent during a turn leaves as one batch at its end. A malformed frame ends the channel. */
#ifndef SEKIMORI_IPC_CHANNEL_H
#define SEKIMORI_IPC_CHANNEL_H

#include "base/buffer.h"
#include "base/loop.h"

/* The largest frame, header and payload. A message whose parts do not fit goes by descriptor (body.h). */
enum { FRAME_LIMIT = 120 * 1024, FRAME_DESCRIPTORS = 4 };

/* A received frame. `payload` is borrowed for the call; descriptors that are wanted are taken with
   frame_take_fd, the rest is closed after the call. */
struct frame {
    uint16_t type; /* an enum of the ask_*.h that the channel speaks */
    uint64_t id;   /* pairs a reply with its question; the asker's choice */
    struct text payload;
    int fds[FRAME_DESCRIPTORS];
    int fd_count;
    bool is_short; /* this process has no room for all the descriptors that came with it: some are missing */
};

int frame_take_fd(struct frame *frame, int index); /* -1 when there is none */

struct channel;

struct channel_events {
    /* False: the frame was malformed; the channel is then closed and on_closed called. */
    bool (*on_frame)(void *context, struct frame *frame);
    /* The peer is gone (its process ended, or it sent nonsense). Called once. */
    void (*on_closed)(void *context);
};

/* Takes over the descriptor. */
struct channel *channel_open(struct loop *loop, int fd, const struct channel_events *events, void *context);
void channel_close(struct channel *channel); /* NULL is allowed; no callback comes after it */

/* Queues a frame; `payload` is copied, descriptors are taken over (closed once sent). */
void channel_send(struct channel *channel, uint16_t type, uint64_t id, struct text payload);
void channel_send_fds(struct channel *channel, uint16_t type, uint64_t id, struct text payload,
                      const int *fds, int count);

/* The same without the copy of a payload: begin returns the buffer to append the payload to, end queues it.
   Nothing else may be sent on the channel in between. */
struct buffer *channel_begin(struct channel *channel, uint16_t type, uint64_t id);
void channel_end(struct channel *channel);
void channel_end_fds(struct channel *channel, const int *fds, int count);
/* Of a frame that nobody waits for: it leaves with the next one, or LOOP_LAZY_MS later. */
void channel_end_note(struct channel *channel);

/* Bytes queued that the peer has not taken: for back-pressure. */
size_t channel_backlog(const struct channel *channel);

/* Sends what is queued now rather than at the end of the turn. */
void channel_flush(struct channel *channel);

/* Blocking helpers for start-up, for the command line and for scan workers: one frame out, one frame in.
   channel_wait's payload is borrowed until the next call. False when the peer is gone or timeout_ms passed
   (-1: no limit). */
bool channel_wait(int fd, int timeout_ms, struct frame *out_frame);
/* The same into `packet`, FRAME_LIMIT bytes of the caller's, for who still needs the frame before. */
bool channel_wait_into(int fd, int timeout_ms, char *packet, struct frame *out_frame);
bool channel_send_now(int fd, uint16_t type, uint64_t id, struct text payload, const int *fds, int count);

#endif
