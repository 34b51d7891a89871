/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rule files to rules. */
#ifndef SEKIMORI_RULES_RULE_PARSE_H
#define SEKIMORI_RULES_RULE_PARSE_H

#include "config/problem.h"
#include "rules/ruleset.h"

/* Adds the rules of one file. What is wrong with it goes to `problems` with file, line and column; the set is
   then not to be used. Texts are copied. False: there were errors. */
bool rule_parse_file(struct ruleset *set, struct text name, struct text content,
                     struct problem_list *problems);

/* An empty set, to be given to rule_parse_file for each file and then to rule_parse_end. Free with
 * ruleset_free. */
struct ruleset *rule_parse_begin(void);

/* Makes it ready to be asked. */
void rule_parse_end(struct ruleset *set);

#endif
