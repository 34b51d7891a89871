/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files of explanations (ipc/explanation.h) in ledger's folder, one a day by UTC: `explained.20261130`. A
   file is frames, each a head and a zstd frame of records. Ledger appends; whoever reads takes what is whole,
   and goes on behind what is damaged. */
#ifndef SEKIMORI_LEDGERDB_EXPLAINED_FILE_H
#define SEKIMORI_LEDGERDB_EXPLAINED_FILE_H

#include "ipc/explanation.h"

enum {
    EXPLAINED_NAME_SIZE = 24,
    EXPLAINED_HEAD_BYTES = 40,
    EXPLAINED_RAW_MOST = 512 * 1024 /* bytes of the records of a frame */
};

#define EXPLAINED_DAY_MS (UINT64_C(24) * 3600 * 1000)

/* The name of the file of the day that `ms`, since 1970, is in. */
const char *explained_name(uint64_t ms, char room[EXPLAINED_NAME_SIZE]);
/* When the day of a file of that name began. False: no such file has that name. */
bool explained_name_read(const char *name, uint64_t *out_ms);

/* Records for one frame, and then for the next. Zero-initialise; explained_frame_free. */
struct explained_frame {
    struct buffer raw;
    void *packer;             /* zstd's; NULL: none is needed yet */
    uint64_t lowest, highest; /* ids */
    uint32_t count;
};
/* The record was read by explanation_get; of that message. False: the frame is full. */
bool explained_frame_add(struct explained_frame *frame, uint64_t id, struct text record);
/* Appends head and bytes to `out`, and empties the frame. One that is empty appends nothing. */
void explained_frame_pack(struct explained_frame *frame, struct buffer *out);
void explained_frame_empty(struct explained_frame *frame); /* its records are dropped */
void explained_frame_free(struct explained_frame *frame);

/* How many bytes a record takes when it is packed alone; the frame stays as it is. */
size_t explained_packed_bytes(struct explained_frame *frame, struct text record);

/* Goes through the bytes of a file, which are borrowed. */
struct explained_walk {
    struct text rest;  /* of the file */
    uint64_t wanted;   /* 0: every message */
    struct buffer raw; /* of the frame under way */
    struct reader reader;
    uint32_t damaged; /* places that were passed over */
};
/* Begins before the first record; `bytes` stay until explained_walk_end. */
void explained_walk_begin(struct explained_walk *walk, struct text bytes, uint64_t wanted);
/* The next record of the message that is wanted, borrowed until the next call; explanation_get read it into
 *out. False: there is no more. */
bool explained_walk_next(struct explained_walk *walk, struct explanation *out);
void explained_walk_end(struct explained_walk *walk);

enum explained_outcome { EXPLAINED_FOUND, EXPLAINED_NONE, EXPLAINED_FAILED };

/* The record of a message, appended to `out`.. NONE: it was not kept, or is not kept any more; FAILED
   with errno: a file cannot be read. `folder`: ledger's. */
enum explained_outcome explained_find(const char *folder, uint64_t id, struct buffer *out);

#endif
