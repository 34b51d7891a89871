/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What it weighs that a message belongs to a campaign, and for which messages it weighs nothing. Called by
   decide.c, in words and points alone: counting is lookup's. */
#ifndef SEKIMORI_SCAN_CAMPAIGN_WEIGHT_H
#define SEKIMORI_SCAN_CAMPAIGN_WEIGHT_H

#include "judge/campaign.h"
#include "scan/authenticate.h"
#include "spam/score.h"

enum campaign_standing {
    CAMPAIGN_COUNTS,  /* spread speaks against it */
    CAMPAIGN_BY_DUTY, /* it is sent to many by its nature, and proven: a list's post, a newsletter. Its spread
                         says nothing and is not counted; a stop or a report holds for it too */
    CAMPAIGN_PROTECTED /* ours, by proof; nothing of this holds for it */
};

/* By whom it is proven to come from. */
enum campaign_standing campaign_standing(const struct config *config, enum direction direction,
                                         const struct auth_judgement *judgement);

/* Adds CAMPAIGN, CAMPAIGN_REPORTED or CAMPAIGN_STOPPED by what was known when it was read. `now_ms`: since
 * 1970. */
void campaign_score(const struct facts *facts, enum campaign_standing standing, uint64_t now_ms,
                    struct score *score);

/* The sum of the signals that do not come of it. */
double campaign_without(const struct signal *signals, uint32_t count);

/* Of spread alone, 0 to 5: by networks, sender domains and recipients. */
double campaign_points(const struct campaign_answer *answer);

/* Appends "the same text came 312 times from 57 networks since 09:10, campaign 0123456789", with what people
   told of it before that. The day stands there where it is another than that of `now_ms`. */
void campaign_say(enum language language, const struct campaign_answer *answer, uint64_t now_ms,
                  struct buffer *out);

#endif
