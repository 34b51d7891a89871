/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The transfer encodings: base64 (RFC 2045 section 6.8), quoted-printable (6.7), uuencode, yEnc. Lenient:
   anything decodes to something, what was wrong is a finding. Programs that differ on broken input get a mode
   each. Every `out` has room for decode_room(in.length); the result is how many bytes were written. */
#ifndef SEKIMORI_MAIL_DECODE_H
#define SEKIMORI_MAIL_DECODE_H

#include "mail/finding.h"

enum decode_base64_mode {
    DECODE_RESTART,    /* padding ends a group of four; what follows begins a new one. Junk is skipped */
    DECODE_SKIP,       /* padding is junk like any other: digits on both sides make one stream */
    DECODE_STOP,       /* nothing is read behind the first padding; junk is skipped */
    DECODE_STRICT,     /* nothing is read behind the first padding or junk */
    DECODE_LINES,      /* each line by itself, to its first padding */
    DECODE_PARAGRAPHS, /* likewise each paragraph */
    DECODE_MODES
};

static inline size_t decode_room(size_t length)
{
    return length + 4;
}

/* `findings` may be NULL in all three. */
size_t decode_base64(struct text in, enum decode_base64_mode mode, char *out, struct finding_set *findings);
size_t decode_quoted(struct text in, char *out, struct finding_set *findings);

/* The Q encoding of RFC 2047 section 4.2: like quoted-printable, "_" is a space. A fold inside
   the word, which no word may have, is left out. */
size_t decode_word_quoted(struct text in, char *out);

enum decode_form { DECODE_UUENCODE, DECODE_BASE64, DECODE_YENC };

/* A block that begins with "begin MODE NAME", "begin-base64 MODE NAME" or "=ybegin … name=NAME". */
struct decode_block {
    size_t offset; /* of that line in the text that was searched */
    size_t next; /* behind the "end" line, or where the block stops being one; yEnc: behind its first line */
    struct text name;
    struct text data; /* the lines between */
    enum decode_form form;
    bool ended;     /* its "end" line is there */
    size_t endless; /* no "====" line stands between here and there; 0 before the first search */
};

/* The first block at or behind `from`; false when there is none. A "begin" line must stand at the start of
   a line and be followed by a data line. Going on from `next` each time with the same `out`, zero-initialised
   before the first, is linear in the text. */
bool decode_find_block(struct text text, size_t from, struct decode_block *out);

/* The first BinHex 4.0 file at or behind `from`, with the line that says so; it lasts to the colon behind its
   data (RFC 1741), or to the next such line. */
bool decode_find_binhex(struct text text, size_t from, struct text *out);

/* The data lines of a block. */
size_t decode_uuencode(struct text data, char *out, struct finding_set *findings);
size_t decode_yenc(struct text data, char *out);

#endif
