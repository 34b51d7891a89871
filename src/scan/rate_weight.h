/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What follows from how much came within an hour: of a sender inside, of sign-ups to one recipient, and of
   unknown recipients that a client asked for. Called by read.c and decide.c; counting is lookup's and
   receive's. */
#ifndef SEKIMORI_SCAN_RATE_WEIGHT_H
#define SEKIMORI_SCAN_RATE_WEIGHT_H

#include "auth/from_domains.h"
#include "judge/sender_rate.h"
#include "spam/score.h"

/* Raises QUESTION_RATE: of mail from inside, and of what is shaped like a sign-up from outside (SIGNUP in
   `score`); nothing where nobody acts on the answer. */
void rate_raise(struct arena *arena, const struct config *config, const struct occasion *occasion,
                enum direction direction, const struct from_domains *from, const struct score *score,
                struct facts *out);

/* What it asks for. */
struct rate_demand {
    struct rate_answer answer; /* RATE_FINE: nothing */
    enum mode mode;            /* whether that is done, or only said */
};

/* Reads the answer, and adds its signal: INSIDE_HELD, INSIDE_OVER or SIGNUP_FLOOD, none of points; and
   HARVEST. */
void rate_weigh(const struct config *config, const struct occasion *occasion, enum direction direction,
                const struct question *answers, uint32_t answer_count, struct score *score,
                struct rate_demand *out);

/* Of the recipient at that place: ACTION_QUARANTINE, or ACTION_ACCEPT. */
enum action rate_action(const struct rate_demand *demand, uint32_t recipient);

/* "the sender's mail is held: 2001 recipients in an hour", for the reply and the log. */
void rate_reason(const struct rate_demand *demand, struct buffer *out);

#endif
