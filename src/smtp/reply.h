/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A server's reply as a client reads it: RFC 5321 section 4.2, enhanced status codes (RFC 2034, 3463), and
   what an EHLO reply offers. What no reply can be is an outcome, never a guess. */
#ifndef SEKIMORI_SMTP_REPLY_H
#define SEKIMORI_SMTP_REPLY_H

#include "base/arena.h"

enum { REPLY_LINE_MOST = 2048, REPLY_LINES_MOST = 200, REPLY_BYTES_MOST = 32 * 1024 };

enum reply_outcome {
    REPLY_MORE,        /* the reply is not whole yet */
    REPLY_WHOLE,       /* `out` is filled */
    REPLY_NO_CODE,     /* a line that does not begin with three digits and "-", blank or line end */
    REPLY_CODE_DIFFER, /* lines of one reply with different codes */
    REPLY_TOO_LONG,    /* over a limit above */
};
const char *reply_outcome_name(enum reply_outcome outcome); /* for logs and reasons */

struct smtp_reply {
    uint16_t code; /* 200-599 */
    struct text
        enhanced;      /* "2.1.5" of the last line; empty when there is none or its class is not the code's */
    struct text text;  /* of the last line, behind code and status */
    struct text lines; /* the whole reply as it came */
    unsigned line_count;
};

/* How far a reply that comes in pieces has been read. Zero-initialised: at the start of one. */
struct reply_parser {
    size_t scanned, line_start;
    unsigned lines;
    uint16_t code;
};

/* `bytes` begins with the first byte of the reply and grows from call to call until the outcome is not
   REPLY_MORE. On REPLY_WHOLE *out_used is the reply's length, `out` borrows from bytes, the parser is ready
   for the next. Linear in the bytes over all calls. A line ends with LF; a CR before it is not part of it. */
enum reply_outcome reply_parse(struct reply_parser *parser, struct text bytes, struct smtp_reply *out,
                               size_t *out_used);

/* Cuts the next line of reply->lines off *rest, without code and line end. False at the end. */
bool reply_next_line(struct text *rest, struct text *out_line);

/* All lines' texts joined by a blank, status codes taken off, cut at `most` bytes. In the arena. */
struct text reply_join(struct arena *arena, const struct smtp_reply *reply, size_t most);

/* What an EHLO reply offers. */
struct smtp_capabilities {
    bool is_esmtp; /* the reply was one to EHLO */
    bool pipelining, eightbitmime, smtputf8, chunking, binarymime, dsn, starttls, enhancedstatuscodes,
        xclient, has_size;
    bool xclient_between_nodes; /* XCLIENT with TRANSACTION: it and the commands behind it may go out together
                                 */
    uint64_t size;              /* 0: no limit said */
};

/* Of the reply to EHLO (RFC 5321 section 4.1.1.1); keywords that we do not use are passed over. Nothing is
   borrowed. */
void smtp_capabilities_parse(const struct smtp_reply *reply, struct smtp_capabilities *out);

#endif
