/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A worker's side of open: which readings of a message are containers, and what is in them to the virus
   engine. It adds to what the engine sees, and takes nothing away: the bytes of the container were looked at
   as ever. */
#ifndef SEKIMORI_SCAN_OPENING_H
#define SEKIMORI_SCAN_OPENING_H

#include "scan/extraction.h"
#include "scan/reader_source.h"
#include "virus/inspect.h"

/* Of one message. */
struct opening {
    const struct config *config;
    struct reader_source *source;  /* NULL: nothing is opened */
    struct inspection *inspection; /* NULL: no virus check, and nothing is opened */
    struct reading_list
        *readings; /* set by whoever walks it: mails in containers join it; NULL: none are read */
    struct extraction *extraction; /* is offered what is found in containers; NULL: nothing is */
    int reader;                    /* -1: none so far */
    bool is_over;
    bool wants_names;    /* set by the caller */
    struct buffer names; /* of files in containers, with their paths, a line each; freed by opening_end */
    uint64_t last_id, total;
    uint32_t files;
    struct buffer member;
    struct text part; /* the reading that is looked at */
    char place[128];  /* where in it */
};

/* All are borrowed until opening_end; `inspection` may be NULL. */
void opening_begin(struct opening *opening, const struct config *config, struct reader_source *source,
                   struct inspection *inspection);

/* The bytes of the reading that opening->readings handed out last: nothing happens unless they are a
   container by their true type. A mail in it comes next from opening->readings. `is_part`: a part as a tree
   has it; of any other reading it is no matter that it cannot be opened. */
void opening_look(struct opening *opening, struct text bytes, bool is_part);

/* The message's reader, for what is left to do when all containers were opened: still the opening's. -1: none
   is to be had, or one was lost. */
int opening_reader(struct opening *opening);

void opening_end(struct opening *opening); /* lets the reader go */

#endif
