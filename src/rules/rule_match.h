/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the rules about a message. A pattern runs near its literals only, by PCRE2's interpreter (jails allow
   no memory that is written and executed), under limits of its own and one for the message. */
#ifndef SEKIMORI_RULES_RULE_MATCH_H
#define SEKIMORI_RULES_RULE_MATCH_H

#include "rules/ruleset.h"

enum {
    RULE_PLACES_MOST = 6,   /* runs of one pattern over one text; they join where they are near each other */
    RULE_WHOLE_MOST = 4000, /* bytes that a pattern without literals sees */
    RULE_MESSAGE_MS = 150   /* of the processor's time, for all patterns over a message */
};

struct rule_texts {
    struct text areas[RULE_AREAS_MOST]; /* by enum rule_area, fields in the order of ruleset.fields */
    const uint64_t *facts;              /* ruleset_fact of each that the message has */
    uint32_t fact_count;
};

struct rule_place {
    bool is_set;
    unsigned area;
    struct text text; /* what the pattern matched, of the text of its area */
};

/* The answers to probes, as far as rules have come to ask for them; zero-initialise. */
struct rule_marks {
    uint8_t answers[(RULE_PROBES_MOST + 7) / 8], asked[(RULE_PROBES_MOST + 7) / 8];
    bool is_cut;               /* a limit was passed: what came behind was not asked */
    struct rule_place *places; /* of each probe, an array of the caller's; NULL: nobody asks */
};

/* Facts, and the patterns that decide a rule: of one that does not hold for other reasons already, or that
   asks for signals. Sets hits[i] of each rule as it is without a signal: set->count bytes. */
void rule_match_texts(const struct ruleset *set, const struct rule_texts *texts, struct rule_marks *marks,
                      uint8_t *hits);

/* Says that the message has a signal of that name. */
void rule_match_signal(const struct ruleset *set, struct text name, struct rule_marks *marks);

/* The same of marks that are there already, with the signals that they have. */
void rule_match_rules(const struct ruleset *set, const struct rule_marks *marks, uint8_t *hits);

/* The answers as a text and back, between processes that have the same set. False: they are of another. */
struct text rule_match_write(struct arena *arena, const struct ruleset *set, const struct rule_marks *marks);
bool rule_match_read(const struct ruleset *set, struct text text, struct rule_marks *out);

#endif
