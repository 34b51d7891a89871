/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where a worker gets readers of open from, and what became of them: one for its life. */
#ifndef SEKIMORI_SCAN_READER_SOURCE_H
#define SEKIMORI_SCAN_READER_SOURCE_H

#include <stdbool.h>

struct reader_source {
    int (*get)(void *context); /* a channel to one (ask_open.h), the caller's; -1: none is to be had */
    void *context;
    char *packet; /* FRAME_LIMIT bytes */
    bool is_lost; /* by opening.c: one ended before its answer, so nothing is to be said about the message */
    bool is_hung; /* likewise: it had no answer in time */
    bool is_text_lost; /* by extraction.c: one ended or was late, and no more than text was not read */
};

#endif
