/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A short mail in plain text, or in plain text and HTML: an alarm, a digest, an answer. */
#ifndef SEKIMORI_REPORT_NOTICE_H
#define SEKIMORI_REPORT_NOTICE_H

#include "base/buffer.h"

struct notice {
    struct text from, to, hostname, id; /* addresses without brackets; id: of the message */
    struct text subject;                /* UTF-8; the host's name stands before it */
    uint64_t now_ms;
    struct text reply_to; /* empty: none */
};

/* Appends the whole mail; `lines` is UTF-8 with LF. */
void notice_print(const struct notice *notice, struct text lines, struct buffer *out);

/* The same for two kinds of mail programs. */
void notice_print_both(const struct notice *notice, struct text lines, struct text html, struct buffer *out);

/* The fields that every mail of this process has, up to MIME-Version. */
void notice_print_header(const struct notice *notice, struct buffer *out);

/* LF becomes CRLF, which text has inside base64 too: RFC 2046 section 4.1.1. */
void notice_canonical(struct text text, struct buffer *out);

#endif
