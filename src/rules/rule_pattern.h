/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Patterns in the syntax of PCRE2, run by its interpreter under limits. */
#ifndef SEKIMORI_RULES_RULE_PATTERN_H
#define SEKIMORI_RULES_RULE_PATTERN_H

#include "base/text.h"

struct rule_pattern;
struct rule_matcher; /* what all runs of patterns share: the limits, and room for places */

/* `^` and `$` are the ends of lines too, `.` is no line end. NULL, with the reason in `error`. */
struct rule_pattern *rule_pattern_compile(struct text pattern, char *error, size_t size);
void rule_pattern_free(struct rule_pattern *pattern); /* NULL is allowed */

/* Owned by the caller; for one thread. */
struct rule_matcher *rule_matcher_new(void);
void rule_matcher_free(struct rule_matcher *matcher); /* NULL is allowed */

enum rule_match { RULE_MATCH_NONE, RULE_MATCH_FOUND, RULE_MATCH_LIMIT };

/* The part [from, to) of a text, both at the start of a character: what is before it is seen by what looks
   behind. A match begins at `last` or before. `is_utf8`: the text was found to be; else bytes that are no
   character are passed over. *out_place: of FOUND. */
enum rule_match rule_pattern_find(const struct rule_pattern *pattern, struct rule_matcher *matcher,
                                  struct text text, size_t from, size_t last, size_t to, bool is_utf8,
                                  struct text *out_place);

#endif
