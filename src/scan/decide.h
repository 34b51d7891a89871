/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The second half of judging: facts and answers become a verdict. Pure: no message, no clock, no channel, so
   kept facts can be judged again under another configuration. */
#ifndef SEKIMORI_SCAN_DECIDE_H
#define SEKIMORI_SCAN_DECIDE_H

#include "judge/evidence.h"

/* Each recipient gets the strongest action that a check in mode `on` asks for, by its own domain's modes, of
   spam by his own points (config/spam_lines.h). A newsletter has a line of its own, and who approved it gets
   it; an allow entry takes the weight off points and opinions, a block entry asks for its action, whatever
   the modes (scan/entry_match.h); points of its like (CAMPAIGN…) hold a message and never reject it; strength
   grows accept, tag, quarantine, defer, reject, discard. Then the message as a whole, since one DATA has one
   reply:
     - every recipient rejected: 550;
     - else any recipient deferred: all are, 451 (the sender cannot repeat a part of it);
     - else who was to be rejected is quarantined, the others get what they were to get; 250.
   Texts live in the arena or are borrowed from the arguments. */
void decide_verdict(struct arena *arena, const struct config *config, const struct occasion *occasion,
                    const struct facts *facts, const struct question *answers, uint32_t answer_count,
                    struct verdict *out);

struct auth_judgement;
struct entry_page;
struct fingerprint_page;
struct ruleset;
/* What a node knows beside the message; NULL: nothing of that kind. */
struct decide_basis {
    const struct config *config;             /* never NULL */
    const struct fingerprint_page *lists;    /* mailing lists that the ledger knows */
    const struct fingerprint_page *approved; /* newsletters that users approved */
    const struct entry_page *entries;        /* allow and block entries of the ledger */
    const struct ruleset *rules;             /* those that ask for signals add theirs */
};

/* What is decided about. */
struct decide_case {
    const struct occasion *occasion;
    const struct facts *facts;
    const struct question *answers;
    uint32_t answer_count;
};

/* The same, and what was found of who sent the message. *out_facts: the facts with what engines outside said.
 */
void decide_and_tell(struct arena *arena, const struct decide_basis *basis, const struct decide_case *about,
                     struct facts *out_facts, struct auth_judgement *out_authentication, struct verdict *out);

#endif
