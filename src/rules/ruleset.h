/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rules as they are judged by: patterns, facts and signals, each asked once a message (a probe), and rules
   that combine them. Made of rule files by rule_parse.h, asked by rule_match.h. doc/rules.md has the
   language. */
#ifndef SEKIMORI_RULES_RULESET_H
#define SEKIMORI_RULES_RULESET_H

#include "base/arena.h"
#include "rules/literal_table.h"
#include "rules/rule_pattern.h"

enum {
    RULES_MOST = 2000,
    RULE_PROBES_MOST = 8000,
    RULE_NAME_MOST = 40,
    RULE_PATTERN_MOST = 1000, /* bytes */
    RULE_NEAR = 400,          /* the most bytes before and behind a literal that its pattern sees */
    RULE_STEPS_MOST = 64,     /* of one rule */
    RULE_FIELDS_MOST = 20     /* header fields that rules look into */
};

/* Points of all rules together that are not final, and of one of them. */
static const double RULES_POINTS_MOST = 11, RULE_POINTS_MOST = 5, RULE_POINTS_LEAST = -5,
                    RULE_FINAL_MOST = 1000;

/* Texts of a message that patterns look into, all folded (message_text_fold): small letters, no full width,
   and but for those of several lines no line ends. */
enum rule_area {
    AREA_BODY,   /* what is seen */
    AREA_HIDDEN, /* what is there and not seen */
    AREA_SUBJECT,
    AREA_LINK_HOST,  /* hosts, a line each */
    AREA_LINK_URL,   /* targets */
    AREA_LINK_SHOWN, /* what stands in a link to be clicked */
    AREA_FILE,       /* names of files */
    AREA_FIELD,      /* the first of ruleset.fields */
    RULE_AREAS_MOST = AREA_FIELD + RULE_FIELDS_MOST
};

enum probe_kind { PROBE_PATTERN, PROBE_FACT, PROBE_SIGNAL };

struct rule_probe {
    enum probe_kind kind;
    unsigned area;     /* of a pattern */
    bool has_literals; /* of a pattern: runs where one of them was found, else over the whole text */
    unsigned near;     /* bytes before and behind a literal that it sees */
    unsigned before;   /* a match begins so many bytes before a literal at most; no more than near */
    bool has_others;   /* and one of other literals near it */
    struct rule_pattern *pattern;
    struct text text; /* as written: pattern, fact, or the signal's name */
    uint64_t hash;    /* of a fact */
};

/* A probe that asks for a fact. */
struct fact_probe {
    uint64_t hash;
    uint32_t index; /* of the probe */
};

enum rule_step_kind { STEP_PROBE, STEP_RULE, STEP_AND, STEP_OR, STEP_NOT };

/* Of a condition in postfix order; small, since all of them are walked for each message. */
struct rule_step {
    uint32_t index; /* of the probe, or of a rule above */
    uint8_t kind;   /* enum rule_step_kind */
    /* Not 0: the right side of an AND or OR begins here; where the left one is `skip_when` already, both
       together are that, and the next step is this. */
    uint8_t skip_to;
    bool skip_when;
};

/* A mail that the rule's author gives: what it is in a plain mail of ours. Empty texts: as that has it. */
struct rule_example {
    bool is_hit; /* false: it must not hit */
    struct text body, html, subject, from, fields, file, signal;
    uint32_t line, column;
    struct rule_example *next;
};

struct spam_rule {
    struct text name;
    double points; /* 0: it only serves others */
    bool is_final; /* counts beside the others' most */
    bool is_late;  /* asks for signals, its own or those of a rule that it asks for */
    bool is_off;
    struct text about, about_ja; /* what it is */
    struct text reason;          /* why it may hit good mail; empty: it does not */
    struct rule_step *steps;
    uint32_t step_count;
    struct rule_example *examples;
    struct text file;
    uint32_t line;
};

struct ruleset {
    struct arena *arena;
    struct spam_rule *rules; /* in the order of the files */
    uint32_t count;
    struct rule_probe *probes;
    uint32_t probe_count;
    struct text fields[RULE_FIELDS_MOST]; /* names of header fields, in small letters */
    uint32_t field_count;
    struct literal_table
        *literals[RULE_AREAS_MOST]; /* to twice the index of a probe, and 1 for its others; NULL: none */
    uint64_t checksum;              /* of the files: marks of one set mean nothing to another */
    bool has_late;
    /* Made by ruleset_finish, for the walk over all rules. */
    struct rule_step *steps;  /* of all that are not off, in the order of the rules */
    uint32_t *ends;           /* of each rule: where its steps end there */
    uint8_t *settled;         /* bits of probes that are no patterns, and of patterns that run near a literal
                                 alone: they need not be asked where none was found */
    struct fact_probe *facts; /* by their hashes */
    uint32_t fact_count;
    struct rule_matcher *matcher;
};

/* All rules and probes are there: makes what they are asked with. */
void ruleset_finish(struct ruleset *set);

void ruleset_free(struct ruleset *set); /* NULL is allowed */

/* The rule of that name, or -1. */
int ruleset_find(const struct ruleset *set, struct text name);

/* The first probe that asks for this fact; those behind it with the same hash do, too. NULL: none does. */
const struct fact_probe *ruleset_fact_probe(const struct ruleset *set, uint64_t hash);

/* A fact as a number: the same for the mail that has it and the rule that asks. */
uint64_t ruleset_fact(struct text name, struct text value);

#endif
