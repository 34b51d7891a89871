/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A worker's side of open: which readings of a message are containers, and what is in them to the virus
   engine. It adds to what the engine sees, and takes nothing away: the bytes of the container were looked at
   as ever. */
#ifndef SEKIMORI_SCAN_OPENING_H
#define SEKIMORI_SCAN_OPENING_H

#include "virus/inspect.h"

/* Where a worker gets readers from; one for its life. */
struct reader_source {
    int (*get)(void *context); /* a channel to one (ask_open.h), the caller's; -1: none is to be had */
    void *context;
    char *packet; /* FRAME_LIMIT bytes */
    bool is_lost; /* set here: a reader ended before its answer, so nothing is to be said about the message */
    bool is_hung; /* it had no answer in time */
};

/* Of one message. */
struct opening {
    const struct config *config;
    struct reader_source *source; /* NULL: nothing is opened */
    struct inspection *inspection;
    struct reading_list
        *readings; /* set by whoever walks it: mails in containers join it; NULL: none are read */
    int reader;    /* -1: none so far */
    bool is_over;
    uint64_t last_id, total;
    uint32_t files;
    struct buffer member;
    struct text part; /* the reading that is looked at */
    char place[128];  /* where in it */
};

/* All are borrowed until opening_end. */
void opening_begin(struct opening *opening, const struct config *config, struct reader_source *source,
                   struct inspection *inspection);

/* The bytes of the reading that opening->readings handed out last: nothing happens unless they are a
   container by their true type. A mail in it comes next from opening->readings. `is_part`: a part as a tree
   has it; of any other reading it is no matter that it cannot be opened. */
void opening_look(struct opening *opening, struct text bytes, bool is_part);

void opening_end(struct opening *opening); /* lets the reader go */

#endif
