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

/* The next run at or behind `from`, which must be where a line begins; false when there is none. */
bool gap_next_run(struct text text, size_t from, struct gap_run *out);

/* Somebody encoded this: base64 digits and nothing else, of the mixture that base64 has; or so many "=XX"
   that no text has them. What is decoded out of anything else is noise unless it looks like something. */
bool gap_is_base64(struct text encoded);
bool gap_is_quoted(struct text encoded);

/* The line at `offset` stands in an armour ("-----BEGIN …"): a signature or a key, which no mail program
   decodes as a part. */
bool gap_is_armoured(struct text text, size_t offset);

#endif
