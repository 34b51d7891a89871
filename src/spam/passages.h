/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which text of a message speaks for spam, and which against: what the models' features add, mapped back to
   where they stand in what a person reads, and where rules matched. Pure. Called by explain's jailed reader,
   since it reads strangers' bytes. */
#ifndef SEKIMORI_SPAM_PASSAGES_H
#define SEKIMORI_SPAM_PASSAGES_H

#include "base/codec.h"
#include "rules/ruleset.h"
#include "spam/base_model.h"
#include "spam/local_model.h"

enum {
    PASSAGES_TEXT_MOST = 24 * 1024, /* bytes of the visible text that are told; the models read more */
    PASSAGES_SUBJECT_MOST = 1000,
    PASSAGES_PIECES_MOST = 4096,
    PASSAGES_MARKS_MOST = 200,
    PASSAGES_BYTES_MOST = 112 * 1024 /* of the byte form */
};

/* A word or so, as the models see it: folded. Pieces follow one another without a gap. */
struct passage_piece {
    uint16_t bytes;
    bool ends;          /* a sentence or a line */
    double base, local; /* points that it adds to BASE_MODEL and LOCAL_MODEL; below 0: takes away */
};

/* What a pattern of a rule that counts matched. */
struct passage_mark {
    struct text rule;
    unsigned area;      /* enum rule_area */
    uint32_t at, bytes; /* in `visible` of AREA_BODY, in `subject` of AREA_SUBJECT; else 0 */
};

struct passages {
    struct text subject, visible; /* folded UTF-8, cut; of strangers */
    struct passage_piece *subject_pieces, *visible_pieces;
    uint32_t subject_count, visible_count, mark_count;
    struct passage_mark *marks;
    double base, local; /* points of both models for the whole message */
    bool is_cut;        /* there is more text than is told */
};

/* Models and rules may be NULL. All lives in the arena. */
void passages_read(struct arena *arena, struct text message, const struct base_model *base,
                   const struct local_model *local, const struct ruleset *rules, struct passages *out);

/* The byte form, and back: between the jailed reader and the command, which trusts nothing of it. What is
   read borrows its texts, lists live in the arena. False: malformed, or over one of the bounds above. */
void passages_put(const struct passages *passages, struct buffer *out);
bool passages_get(struct arena *arena, struct text bytes, struct passages *out);

/* A sentence, or the part of a long one; without blanks at its ends. */
struct passage {
    struct text text;
    double points; /* of both models */
};

/* What the models say beside the pieces: of how the message is built, its links and header, text that is not
   told, and their bias. */
double passages_rest(const struct passages *passages);

/* The strongest passages of the visible text, at most `most`, the strongest first: that speak for spam, or
   against it. Returns how many. */
uint32_t passages_strongest(struct arena *arena, const struct passages *passages, bool is_for_spam,
                            uint32_t most, struct passage *out);

#endif
