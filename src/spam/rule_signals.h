/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What rules say of a message, as signals. */
#ifndef SEKIMORI_SPAM_RULE_SIGNALS_H
#define SEKIMORI_SPAM_RULE_SIGNALS_H

#include "judge/evidence.h"
#include "rules/rule_match.h"
#include "spam/feature_set.h"
#include "spam/message_text.h"

/* Texts of a message for rules, folded; those that are made live in the arena. `facts` is filled, with
   findings as facts beside those of `features`. */
void rule_signals_texts(struct arena *arena, const struct ruleset *set, const struct mime *mime,
                        const struct message_text *text, const struct features *features,
                        struct rule_texts *out);

struct rule_signals {
    struct signal *items; /* names end in NUL, and live as long as the set */
    uint32_t count;
    struct text marks; /* what rule_signals_late wants of the message; empty: nothing */
};

/* Asks about a message whose text was finished: the signals of rules that ask for none themselves. What rules
   add together is RULES_POINTS_MOST at most: RULES_CAP takes back what is over it. */
void rule_signals_read(struct arena *arena, const struct ruleset *set, const struct mime *mime,
                       const struct message_text *text, const struct features *features,
                       struct rule_signals *out);

/* What rules add that ask for signals: `marks` as above, `signals` are all that the message has. No set, or
   marks of another: nothing. */
void rule_signals_late(struct arena *arena, const struct ruleset *set, struct text marks,
                       const struct signal *signals, uint32_t count, struct rule_signals *out);

#endif
