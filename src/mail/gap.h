/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lines that look like content without being declared as such: base64 runs, fields, boundaries.
   Called by mime.c for preambles and epilogues, by reading.c for the carver and for what a reading is worth.
 */
#ifndef SEKIMORI_MAIL_GAP_H
#define SEKIMORI_MAIL_GAP_H

#include "base/text.h"

/* Would some program see a part in this preamble or epilogue? */
bool gap_looks_like_content(struct text gap);

/* A run of lines that look like base64, its end included. */
struct gap_run {
    size_t offset;
    struct text bytes;
};

/* The next paragraph of at least `least` bytes at or behind `from`: lines up to an empty one or one that
   begins with two hyphens. What a program takes for a part's body begins one. */
bool gap_next_paragraph(struct text text, size_t from, size_t least, struct gap_run *out);

/* The next body at or behind `from`, whatever the boundaries are said to be: what stands between one header's
   empty line and the next header. `from` is in a header, and so is a line that begins with two hyphens, and a
   paragraph with a Content- field. False when there is none; else go on from the end of `out`. */
bool gap_next_body(struct text text, size_t from, struct gap_run *out);

/* A Content- field stands in the lines from `from` on, before an empty line and before one that begins with
   two hyphens; bytes that no name has may stand before it. */
bool gap_has_field_behind(struct text text, size_t from);

/* A line of the text begins with "Content-", behind a few bytes of no word, before an empty one and before one
   that begins with two hyphens. */
bool gap_has_field_in(struct text text);

/* Lines like boundaries that stand in one paragraph with a Content- field, before it; an empty line may stand
   behind them. */
struct gap_strays {
    struct gap_run lines[4]; /* bytes: behind the hyphens, without the line end and blanks before it */
    size_t count;            /* at least one when any are there */
    size_t next;             /* where to go on */
};

/* The next paragraph at or behind `from`, which must be where a line begins, that has such lines; of more
   than four the last four. False when there is none. */
bool gap_next_strays(struct text text, size_t from, struct gap_strays *out);

/* The next run at or behind `from`, which must be where a line begins; false when there is none. */
bool gap_next_run(struct text text, size_t from, struct gap_run *out);

/* The paragraph without the lines at its beginning that have a colon behind their first word: what some
   program has for a body where a header ends without an empty line. Empty when there is no such line. */
struct text gap_behind_fields(struct text paragraph);

/* The lines of the run up to the first that is shorter than the one before, with it: where a file ends for
   some, whatever follows. */
struct text gap_regular_lines(struct text run);

/* Lines that have nothing but base64 digits, in capitals, small letters and figures, and at least `least` of
   them in a row, which ends by padding or by a short line. `is_quoted`: in quoted-printable, where "=" is no
   padding. */
bool gap_has_base64(struct text text, size_t least, bool is_quoted);

/* Somebody encoded this: base64 digits and nothing else, of the mixture that base64 has; or so many "=XX"
   that no text has them. What is decoded out of anything else is noise unless it looks like something. */
bool gap_is_base64(struct text encoded);
bool gap_is_quoted(struct text encoded);

/* The line at `offset` stands in an armour ("-----BEGIN …"): a signature or a key, which no mail program
   decodes as a part. */
bool gap_is_armoured(struct text text, size_t offset);

#endif
