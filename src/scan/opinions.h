/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Second opinions on spam (spamd, rspamd) as signals of a message. Pure. Called by decide.c and wording.c. */
#ifndef SEKIMORI_SCAN_OPINIONS_H
#define SEKIMORI_SCAN_OPINIONS_H

#include "judge/evidence.h"
#include "spam/score.h"

/* One signal of each opinion that minds this direction and was waited for: "SPAMD" or "RSPAMD" where the
   peer calls the message spam, else "SPAMD_HAM"; `about` is "7.8 of 5.0: BAYES_99,MISSING_DATE". What the
   peer calls spam adds its score, on a scale where its line is 5, times the weight, `points most` at most;
   what it does not call spam adds nothing. Where there is no answer "SPAMD_NONE" says why, without points. */
void opinions_score(const struct config *config, enum direction direction, const struct question *answers,
                    uint32_t answer_count, struct score *score);

/* ACTION_DEFER where one that could not answer has `unavailable defer`, else ACTION_ACCEPT. */
enum action opinions_demand(const struct config *config, enum direction direction,
                            const struct question *answers, uint32_t answer_count);

/* It was said by a second opinion. */
bool opinions_has_said(const struct signal *signal);

#endif
