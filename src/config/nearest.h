/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The known word that somebody who mistyped probably meant. */
#ifndef SEKIMORI_CONFIG_NEAREST_H
#define SEKIMORI_CONFIG_NEAREST_H

#include "base/text.h"

enum { NEAREST_WORD_MOST = 32 }; /* longer words are like none */

/* Steps from one to the other: a letter added, dropped, changed, or two neighbours swapped (each place
   touched once). Case is ignored. SIZE_MAX when a word is longer than NEAREST_WORD_MOST. */
size_t nearest_distance(struct text a, struct text b);

/* Keeps in *best the candidate with the least distance, if that is near enough to be meant: one step for
   short words, up to a third of the length for long ones. The word itself is no
   candidate. Start with *distance = SIZE_MAX. */
void nearest_offer(struct text wrong, struct text candidate, struct text *best, size_t *distance);

/* The nearest of `names`, whose end is NULL, that is near enough; NULL: none is. Of a word that a name begins
   with ("quar") that name. */
const char *nearest_of(struct text wrong, const char *const *names);

#endif
