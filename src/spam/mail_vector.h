/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message as the local model sees it: hashed features, each there or not, in blocks with a weight of their
   own; the whole has length 1. No text can be read out of it. Pure. The hash is the same everywhere and for
   ever within a version: what was learned is kept by it. */
#ifndef SEKIMORI_SPAM_MAIL_VECTOR_H
#define SEKIMORI_SPAM_MAIL_VECTOR_H

#include "spam/feature_set.h"
#include "spam/message_text.h"

enum vector_block {
    VECTOR_TEXT,   /* runs of three bytes of the visible text */
    VECTOR_HEADER, /* the same of header values, by field name; of types and file names */
    VECTOR_AUTHOR, /* the same of From, Reply-To and Subject alone */
    VECTOR_SHAPE,  /* how the message is built: types, order of fields, tags */
    VECTOR_FACT,   /* the named facts of the base model */
    VECTOR_BLOCKS
};

enum {
    VECTOR_VERSION = 1,
    VECTOR_BITS = 18,
    VECTOR_SLOTS = 1 << VECTOR_BITS,
    VECTOR_BLOCK_MOST = 4096, /* features of a block; what comes behind them is left out */
    VECTOR_BYTES_MOST = VECTOR_BLOCKS * (2 + 3 * VECTOR_BLOCK_MOST)
};

/* Slots of all blocks, one after another. */
struct mail_vector {
    uint16_t counts[VECTOR_BLOCKS];
    uint32_t *slots;
};

/* The slot of three bytes in a row of the visible text, the first in the highest byte. */
uint32_t vector_run_slot(uint32_t run);

/* What is collected on the way to a vector. Opaque. */
struct vector_draft;

/* Lives in the arena. */
struct vector_draft *vector_draft_new(struct arena *arena);

/* A leaf, decoded. */
void vector_draft_part(struct vector_draft *draft, const struct mime_part *part, struct text bytes);

/* Once, behind the parts: `text` is finished, `features` have the facts (message_facts_add). The slots live
   in the draft's arena, in no order within a block. */
void vector_draft_finish(struct vector_draft *draft, const struct mime *mime, const struct message_text *text,
                         const struct features *features, struct mail_vector *out);

/* What carriers, filters and mail programs wrote: who had a mail when, or what he thought of it. */
bool vector_is_of_carrier(const struct header_field *field);

/* A Subject without the tag that a filter put before it. Borrowed. */
struct text vector_untagged(struct text subject);

/* All that models look at of a message: its text, finished, which the caller frees with message_text_free;
   its features; and, unless NULL, its vector, whose slots live in the arena in no order. */
void vector_read_mail(struct arena *arena, const struct mime *mime, struct message_text *text,
                      struct features *features, struct mail_vector *vector);

uint32_t vector_total(const struct mail_vector *vector); /* slots of all blocks */

/* What each feature of a block is worth, so that the whole has length 1. */
void vector_values(const struct mail_vector *vector, double out[VECTOR_BLOCKS]);

/* Sorts the slots of each block, which the bytes need; they are short then. At most VECTOR_BYTES_MOST. */
void vector_sort(struct mail_vector *vector);
void vector_write(const struct mail_vector *sorted, struct buffer *out);

/* Reads back exactly what vector_write writes, and nothing else; slots live in the arena. False: no vector.
 */
bool vector_read(struct text bytes, struct arena *arena, struct mail_vector *out);

#endif
