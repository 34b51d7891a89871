/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which messages are offered as lessons by themselves (learn automatic): those that rules and signals put far
   beyond the lines, whatever the models say; these may only keep one from being offered. Pure. Whether a
   lesson comes of it, ledger decides. */
#ifndef SEKIMORI_SCAN_LESSON_CHOICE_H
#define SEKIMORI_SCAN_LESSON_CHOICE_H

#include "judge/evidence.h"
#include "spam/score.h"

/* Fills `lesson` of facts, where the message may be offered: its signals of reading are in `facts`. */
void lesson_choice_read(struct arena *arena, const struct config *config, const struct base_model *base,
                        const struct occasion *occasion, struct text message, struct facts *facts);

/* Fills `teaches` and `taught_of` of a verdict that is whole otherwise. */
void lesson_choice_make(const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, struct verdict *verdict);

/* Points without those of the models, and of what they found of the sender before. */
double lesson_choice_points(const struct signal *signals, uint32_t count);

#endif
