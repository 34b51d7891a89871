/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The boundaries that are open while a message is read, and the search for a line that is one of them.
   RFC 2046 section 5.1.1. Called by mime.c. */
#ifndef SEKIMORI_MAIL_BOUNDARY_H
#define SEKIMORI_MAIL_BOUNDARY_H

#include "base/text.h"

struct boundary_frame {
    uint32_t part;       /* the container's index */
    bool is_message;     /* a message inside a message: ends with what encloses it */
    bool closed;         /* its closing line was met: only its epilogue follows */
    bool met;            /* one of its lines was met */
    struct text text;    /* TEXT_NONE for a message */
    uint64_t head, mask; /* its first eight bytes, for a quick no */
};

struct boundary_stack {
    struct boundary_frame *frames; /* outermost first */
    size_t count;
};

/* A line that is a boundary. */
struct boundary_line {
    size_t frame;      /* whose */
    size_t start, end; /* of the line, its line end included */
    bool closing;
    bool reopens; /* the frame was closed already */
};

/* How lines are matched, and what was noticed on the way. */
struct boundary_search {
    bool prefix;        /* a line that begins with the boundary is one, behind any hyphens and blanks */
    bool reopen;        /* a closed frame's boundary opens it again */
    size_t prefix_line; /* out: the first line that is one only with `prefix`; start with SIZE_MAX, none */
    size_t reopen_line; /* out: the first line of a closed frame, likewise */
    size_t stray_line;  /* out: the first line like a boundary that is none, before a Content- field */
};

/* Sets all of the frame. `boundary` is borrowed for as long as the frame stands; TEXT_NONE: a message inside
   a message; empty: its lines are "--". */
void boundary_frame_set(struct boundary_frame *frame, uint32_t part, struct text boundary);

/* The next boundary line at or behind `from`, which must be where a line begins. False when there is none. */
bool boundary_next(const struct boundary_stack *stack, struct text message, size_t from,
                   struct boundary_search *search, struct boundary_line *out);

/* Is the line that begins at `start` a boundary? */
bool boundary_at(const struct boundary_stack *stack, struct text message, size_t start,
                 struct boundary_search *search, struct boundary_line *out);

#endif
