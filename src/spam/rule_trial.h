/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rules tried on a message, and on the examples that stand beside them. */
#ifndef SEKIMORI_SPAM_RULE_TRIAL_H
#define SEKIMORI_SPAM_RULE_TRIAL_H

#include "config/problem.h"
#include "rules/rule_match.h"

struct rule_trial {
    uint8_t *hits;             /* of each rule */
    struct rule_place *places; /* of each probe */
    struct text facts; /* a line each, as a rule has it: name or name=value */
    bool is_cut;
};

/* What is found lives in the arena. `signal` is one that the message is said to have; empty: none. */
void rule_trial_run(struct arena *arena, const struct ruleset *set, struct text message, struct text signal,
                    struct rule_trial *out);

/* Appends the mail that an example stands for: a plain one of ours but for what the example says. */
void rule_trial_write(const struct rule_example *example, struct buffer *out);

/* Runs every example of every rule. What does not hit or hits though it must not is an error, with the
   example's place; so is a rule with points that lacks a hit or a miss. Returns the number of examples. */
uint32_t rule_trial_examples(const struct ruleset *set, struct problem_list *problems);

#endif
