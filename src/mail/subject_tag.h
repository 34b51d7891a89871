/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A tag before the text of a Subject, such that every client shows it: in the Subject's own charset and
   encoding where that has its characters, else in UTF-8. RFC 2047. Called by edits.c. */
#ifndef SEKIMORI_MAIL_SUBJECT_TAG_H
#define SEKIMORI_MAIL_SUBJECT_TAG_H

#include "base/arena.h"

struct subject {
    struct text value;    /* raw: what stands behind the colon, without the last line end */
    struct text declared; /* the charset of the message's text; empty: none is declared */
    size_t column;        /* bytes before the value on its first line */
};

/* What to put in place of the first `out_cut` bytes of the value so that `prefix` (UTF-8) comes before the
   text; from the arena. Raw bytes and UTF-16 are written anew, as words. False when the text begins with the
   prefix already. Lines stay within 76 bytes where they have an encoded word, and within 998, as far as what
   stays allows. */
bool subject_prefix(struct arena *arena, const struct subject *subject, struct text prefix, size_t *out_cut,
                    struct text *out_insert);

/* The raw value of a Subject that has nothing but the prefix, with the blank behind the colon. */
struct text subject_of_prefix(struct arena *arena, struct text prefix);

#endif
