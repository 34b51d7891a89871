/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The bytes of a message on their way between processes: inside the frame while they are small, in a
   sealed memfd when larger, in a file over a limit. All three are read the same way and never changed. */
#ifndef SEKIMORI_IPC_BODY_H
#define SEKIMORI_IPC_BODY_H

#include "base/buffer.h"
#include "ipc/channel.h"

struct reader;

/* Written by receive while DATA comes in. Zero-initialised is empty. */
struct body {
    struct buffer small; /* everything, while size <= BODY_INLINE_LIMIT */
    int fd;              /* memfd or file, 0 when there is none */
    bool is_file, is_sealed;
    bool is_lost; /* no memory or descriptor was to be had on its way: its message is to be tried again later
                   */
    uint32_t inline_most; /* bytes that stay inline; 0: BODY_INLINE_LIMIT */
    uint64_t size;        /* bytes */
    struct text mapped;   /* when bytes of a descriptor are mapped */
};

enum { BODY_INLINE_LIMIT = 64 * 1024 };

/* Appends; goes over to a memfd beyond inline_most. False when the memory or disk for it is not to be
   had (errno says why): the message is to be answered 452. */
bool body_append(struct body *body, struct text bytes);
/* What there is moves into a file (of the spool, handed out by queue), and so does what follows. Takes over
   the descriptor. False with errno. */
bool body_to_file(struct body *body, int fd);
/* No more bytes; a memfd is sealed (shrink, grow, write). */
bool body_finish(struct body *body);
void body_free(struct body *body); /* closes the descriptor; leaves it empty */

/* All bytes, borrowed until body_free. Maps a descriptor at first use; {NULL, 0} with errno when that fails
   and size is not 0. */
struct text body_text(struct body *body);

/* Before body_put: bytes that would go inside a frame which already has `used` bytes, and has no room for
   them, move to a memfd. Without one to be had the body is lost. */
void body_fit(struct body *body, size_t used);

/* Into a frame being built: either the bytes or a mark that descriptor number `*fd_count` carries them (a dup
   is added to fds), or that they are lost. */
void body_put(struct body *body, struct buffer *frame, int *fds, int *fd_count);
/* Out of a frame: inline bytes are borrowed from the frame (body->small stays empty, mapped is set); a memfd
   must be sealed and as long as said. A body that was lost here or before has is_lost and no bytes. False:
   malformed, with nothing left to free. The descriptor at `*fd_index`, which is counted on, is the body's. */
bool body_get(struct reader *reader, struct frame *frame, int *fd_index, struct body *out_body);
/* What came out of a frame outlives it: inline bytes become the body's own. */
void body_keep(struct body *body);

#endif
