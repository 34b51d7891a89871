/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Text, links and picture codes out of PDFs, pictures and what is drawn in text and HTML, within limits. It
   knows no process: bytes in, findings out, in memory of its own. Nothing that it says is a claim of safety.
 */
#ifndef SEKIMORI_OPEN_EXTRACT_H
#define SEKIMORI_OPEN_EXTRACT_H

#include "ipc/ask_open.h"
#include "open/bitmap.h"

struct extract_events {
    /* Within the bounds of ask_open.h; the text is borrowed for the call. */
    void (*on_found)(void *context, enum found_kind kind, struct text text);
    /* `what` is ours, printable ASCII. */
    void (*on_notice)(void *context, enum open_notice_kind kind, struct text what);
};

/* Of one message: a code may lie in two pictures that are shown side by side. */
struct extract {
    const struct extract_events *events;
    void *context;
    struct chain {
        struct bitmap bitmap;
        uint32_t count;
    } row, column; /* the pictures before in which no code was, beside and below each other */
    /* of the run: */
    uint64_t until_ms; /* CLOCK_MONOTONIC */
    size_t text_bytes;
    uint32_t links, codes;
    bool is_over; /* a limit ends the run, and was told */
};

/* What the libraries open, they open now: before the jail. */
void extract_warm_up(void);

/* Of a message; `events` and `context` are borrowed until extract_end, which frees what is kept between runs.
 */
void extract_begin(struct extract *extract, const struct extract_events *events, void *context);
/* One part of it, decoded: what is found and what was not read comes to `events`. Once `time_ms` have passed
   no further step is begun. */
void extract_run(struct extract *extract, enum extract_kind kind, struct text bytes, uint32_t time_ms);
void extract_end(struct extract *extract); /* once, after the last run */

#endif
