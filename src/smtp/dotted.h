/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Message content on the wire, RFC 5321 section 4.5.2: the end of data, dot-stuffing and line ends. A line
   ends with CRLF and nothing else; so the end of data is CRLF "." CRLF and nothing else, in every mode: no
   reading of bare CR or LF as a line end can move it (SMTP smuggling). NUL is refused, or, where the content
   is repaired, taken off the wire before anything else is looked at: both readings give the same end. */
#ifndef SEKIMORI_SMTP_DOTTED_H
#define SEKIMORI_SMTP_DOTTED_H

#include "base/buffer.h"

enum dotted_outcome {
    DOTTED_MORE, /* all was consumed; the end has not come */
    DOTTED_END,  /* the end of data was consumed; what follows is the next command */
};

/* Findings over the whole content so far. Offsets do not matter: the caller refuses at the end of data. */
struct dotted {
    bool repair;   /* bare CR and bare LF become CRLF, NULs are left out; else they are only noted */
    bool is_bdat;  /* no stuffing, no end of data: the length is known */
    bool has_bare; /* a bare CR or bare LF was met */
    bool has_nul;  /* one was on the wire */
    bool has_8bit;
    bool has_leading_dot; /* a line of the content starts with "." (after unstuffing) */
    bool has_long_line;   /* over 998 octets without CRLF */
    /* inner */
    uint8_t state;
    uint64_t line; /* octets of the current line */
};

enum { DOTTED_LINE_MOST = 998 };

/* Ready for DATA (or, is_bdat, for chunks). */
void dotted_start(struct dotted *dotted, bool repair, bool is_bdat);

/* Consumes wire bytes, appends content bytes. *used is how many were consumed: all, unless DOTTED_END. */
enum dotted_outcome dotted_decode(struct dotted *dotted, struct text wire, struct buffer *out, size_t *used);

/* BDAT's end: false when the content ended in the middle of a line end ("\r" last), which counts as bare. */
bool dotted_finish(struct dotted *dotted, struct buffer *out);

/* True when the content is empty or its last line had its CRLF. */
bool dotted_ends_line(const struct dotted *dotted);

/* Content to wire for DATA: dots stuffed. `*at_line_start` (true at first) carries over calls. The caller
   appends the end: CRLF first when the content does not end with one. */
void dotted_encode(struct text content, bool *at_line_start, struct buffer *out);

#endif
