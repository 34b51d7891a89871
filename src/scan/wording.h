/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A verdict in words: the reason in the reply, the header lines, the summary for log and ledger. */
#ifndef SEKIMORI_SCAN_WORDING_H
#define SEKIMORI_SCAN_WORDING_H

#include "judge/evidence.h"
#include "scan/recipe_order.h"

struct auth_judgement;

/* What the header tells one recipient. */
struct status_wish {
    double required; /* points from which it is tagged; INFINITY: never */
    bool is_tagged, is_newsletter_tagged;
};

/* Which check is the reason of what is done with the message. */
enum verdict_cause { CAUSE_SPAM, CAUSE_VIRUS, CAUSE_DMARC, CAUSE_BLOCKED, CAUSE_RATE };

struct sender_entry;
struct rate_demand;
/* What the reason is made of. */
struct reason_basis {
    const struct virus_finding *why; /* the finding that the virus check acts on; NULL: it acts on none */
    const struct auth_judgement *authentication;
    const struct sender_entry *blocking; /* NULL: no entry blocks the message */
    const struct rate_demand *rate;      /* of CAUSE_RATE */
    enum verdict_cause cause;
};

/* Fills reason, kind and summary of a verdict whose actions, signals, score and proof stand. ASCII only.
   `orders`: of each recipient, so that a warning is not called a tag. */
void wording_write(struct arena *arena, const struct facts *facts, const struct reason_basis *basis,
                   const struct recipe_order *orders, struct verdict *out);

/* The header lines of EDIT_STATUS, by the signals and score of `verdict`: ASCII, CRLF-ended, folded. Empty
   when no check ran. X-Spam-Status says Yes only where the message is tagged: programs sort by it. */
struct text wording_status(struct arena *arena, const struct config *config, const struct occasion *occasion,
                           const struct facts *facts, const struct verdict *verdict,
                           const struct status_wish *wish);

const char *wording_state(enum scan_state state); /* "clean" */

#endif
