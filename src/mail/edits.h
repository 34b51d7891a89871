/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Changes to a message as data: what is cut from the original bytes and what is put in its place.
   The original is never rewritten; queue keeps edits beside it, deliver sends the pieces in order. */
#ifndef SEKIMORI_MAIL_EDITS_H
#define SEKIMORI_MAIL_EDITS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mail/header.h"

struct edit {
    uint64_t offset;    /* in the original, header and body counted from its first byte */
    uint64_t length;    /* bytes of the original that are left out from there */
    struct text insert; /* bytes that stand in their place */
};

/* Ordered by offset, none overlapping another; equal offsets are legal for insertions only and keep
   the order in which they were added. Zero-initialise except for the arena, which owns the array. */
struct edits {
    struct arena *arena;
    struct edit *items;
    size_t count, capacity;
};

/* One stretch of the edited message: a literal when `literal.at` is set, else bytes of the original. */
struct edit_piece {
    struct text literal;
    uint64_t offset, length; /* of the original, when no literal; length is never 0 then */
};

/* Where an iteration stands; zero-initialise. */
struct edit_cursor {
    size_t index;
    uint64_t offset;
};

enum { EDITS_MOST = 100000, EDITS_INSERT_MOST = 1 << 20 }; /* what edits_decode accepts */

/* `insert` is borrowed: it must live as long as the edits. A cut that overlaps an earlier one is
   joined with it (the union is cut, both texts are inserted, the earlier first). */
void edits_add(struct edits *edits, uint64_t offset, uint64_t length, struct text insert);

/* Adds all of `more`, which is in order and borrowed, in one pass; at equal offsets it goes behind what is
   there. What overlaps is joined as above. */
void edits_merge(struct edits *edits, const struct edits *more);

/* Puts `fields` (whole lines, CRLF-ended) before everything else; a second call goes behind the first. */
void edits_insert_top(struct edits *edits, struct text fields);

/* Cuts every field whose name is in `names`; returns how many. */
size_t edits_remove_fields(struct edits *edits, const struct header *header, const struct text *names,
                           size_t name_count);

/* The same for every name that begins with `prefix` ("X-Sekimori-"). */
size_t edits_remove_prefixed(struct edits *edits, const struct header *header, struct text prefix);

/* Puts `prefix` (UTF-8, "[SPAM] ") before the text of every Subject field, in the field's own charset
   and encoding; adds a Subject behind the last field when there is none. A Subject that already
   begins with the prefix stays. `message` is what `header` was parsed from; `declared`: the charset of its
   text, empty: none is declared. */
void edits_prefix_subject(struct edits *edits, struct text message, const struct header *header,
                          struct text declared, struct text prefix);

/* Length of the edited message. Every edit must lie within `original_length`. */
uint64_t edits_length(const struct edits *edits, uint64_t original_length);

/* The next piece in order; false at the end. NULL edits: the original in one piece. */
bool edits_next(const struct edits *edits, uint64_t original_length, struct edit_cursor *cursor,
                struct edit_piece *out);

/* The edited message, appended to `out`. */
void edits_apply(const struct edits *edits, struct text original, struct buffer *out);

/* The compact form that travels between processes and into the journal: little-endian
   u32 count, then u64 offset, u64 length, u32 insert length, insert bytes each. No edits: 4 bytes. */
void edits_encode(const struct edits *edits, struct buffer *out);
size_t edits_encoded_length(const struct edits *edits);

/* That form of no edits, and of an empty line before all else. */
extern const struct text edits_none, edits_empty_line;

/* Reads that form; the whole of `bytes` must be one. False when it is cut, has bytes left over,
   is out of order or overlapping, reaches behind `original_length` (UINT64_MAX: not checked)
   or breaks a limit above. Inserts are copied into the arena. */
bool edits_decode(struct arena *arena, struct text bytes, uint64_t original_length, struct edits *out);

/* edits_decode would take them. */
bool edits_are_whole(struct text bytes, uint64_t original_length);

#endif
