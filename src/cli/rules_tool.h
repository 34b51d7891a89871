/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori rules: check, test, list, facts. No node is needed. */
#ifndef SEKIMORI_CLI_RULES_TOOL_H
#define SEKIMORI_CLI_RULES_TOOL_H

#include "cli/options.h"

/* A verb of cli/verb_table.c: argv[0] is the verb; returns a sysexits code. */
int rules_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage rules_usage;

#endif
