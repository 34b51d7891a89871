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
    DECODE_WHOLE,      /* lines that are not whole groups of four digits are junk */
    DECODE_MODES
};

static inline size_t decode_room(size_t length)
{
    return length + 4;
}

/* `findings` may be NULL in all three. Quoted-printable may be decoded where it lies: out is in.at. */
size_t decode_base64(struct text in, enum decode_base64_mode mode, char *out, struct finding_set *findings);
size_t decode_quoted(struct text in, char *out, struct finding_set *findings);

/* As programs do that take a CR alone for a line end: it ends a soft line break. What is left of an escape at
   the end is left out. */
size_t decode_quoted_returns(struct text in, char *out);

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

/* Lines of uuencode as an encoder writes them, of at least `least` bytes, which nothing else would be. */
bool decode_has_uu_lines(struct text text, size_t least);

/* The first run of lines at or behind `from`, which must be where a line begins, that are data of uuencode by
   their length and have no byte that uuencode has not, whatever stands before them; blanks before a
   line, empty lines and one other do not end it. At least `least` bytes when decoded. `is_one`: a line of
   more bytes than the one before begins another file. False when there is none. */
bool decode_find_uu_lines(struct text text, size_t from, size_t least, bool is_one, struct text *out);

/* The data lines of a block. Passes over what is no data line. */
size_t decode_uuencode(struct text data, char *out, struct finding_set *findings);

/* Likewise, but a line may be longer than it says or stand behind blanks, and one that is shorter is not
   passed over. */
size_t decode_uuencode_loose(struct text data, char *out);
size_t decode_yenc(struct text data, char *out);

#endif
