/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A tag before the text of a Subject, such that every client shows it: in the Subject's own charset and
   encoding. RFC 2047. Called by edits.c. */
#ifndef SEKIMORI_MAIL_SUBJECT_TAG_H
#define SEKIMORI_MAIL_SUBJECT_TAG_H

#include "base/arena.h"

/* What to put in place of the first `out_cut` bytes of the raw value (behind the colon) so that
   `prefix` (UTF-8) comes before the text. False when the text begins with the prefix already. */
bool subject_prefix(struct arena *arena, struct text value, struct text prefix, size_t *out_cut,
                    struct text *out_insert);

/* The raw value of a Subject that has nothing but the prefix, with the blank behind the colon. */
struct text subject_of_prefix(struct arena *arena, struct text prefix);

#endif
