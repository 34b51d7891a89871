/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The rules of a configuration. */
#ifndef SEKIMORI_RULES_RULE_FOLDERS_H
#define SEKIMORI_RULES_RULE_FOLDERS_H

#include "config/problem.h"
#include "config/settings.h"
#include "rules/ruleset.h"

/* Those that came along, then the administrator's own, as the configuration has them. A file that is wrong is
   told of in `problems`, and the set is NULL. So it is where there are no rules, without a problem. Free with
   ruleset_free. */
struct ruleset *rule_folders_read(const struct config *config, struct problem_list *problems);

/* For a start, when no rules are in force yet: leaves files that are wrong out of the configuration, until
   the others are right, says why in `problems`, and sets spam.rules_fault. Nothing where all are right. */
void rule_folders_leave_out(struct config *config, struct problem_list *problems);

/* Only tells what is wrong: for who reads a configuration and judges no mail. */
void rule_folders_check(const struct config *config, struct problem_list *problems);

#endif
