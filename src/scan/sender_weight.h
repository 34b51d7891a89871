/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is asked about a message's sender, and what his past weighs. Called by read.c and decide.c. */
#ifndef SEKIMORI_SCAN_SENDER_WEIGHT_H
#define SEKIMORI_SCAN_SENDER_WEIGHT_H

#include "auth/from_domains.h"
#include "mail/header.h"
#include "scan/authenticate.h"
#include "spam/score.h"

/* Raises QUESTION_HISTORY about mail from outside, where senders are remembered. */
void sender_history_raise(struct arena *arena, const struct config *config, const struct occasion *occasion,
                          const struct from_domains *from, struct facts *out);

/* What the past of a sender asks for beside points. */
struct sender_demand {
    bool is_unknown;     /* greylisting: nobody here knows him, and he proves nothing */
    uint32_t wait_s;     /* for which he is to come back */
    uint64_t recipients; /* to whom he is unknown, bits by place */
    double points;       /* what its signals add, or take */
};

/* Adds REPUTATION_DOMAIN or REPUTATION_NETWORK, SENDER_NEW or SENDER_NEW_TO, GREYLIST_… to the signals of a
   message from outside, whose others are there already. */
void sender_history_weigh(const struct config *config, const struct occasion *occasion,
                          const struct auth_judgement *authentication, const struct question *answers,
                          uint32_t count, struct score *score, struct sender_demand *out);

/* What mail to this recipient, the `place`th of the message, gets: ACTION_DEFER, or ACTION_ACCEPT; *out_mode:
   whether in earnest. */
enum action sender_greylist_action(const struct config *config, const struct sender_demand *demand,
                                   struct text recipient, uint32_t place, enum mode *out_mode);

#endif
