/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori check [FILE]`: says every error of a configuration. */
#ifndef SEKIMORI_CLI_CHECK_H
#define SEKIMORI_CLI_CHECK_H

#include <stdbool.h>

#include "cli/options.h"

/* argv[0] is the verb. Returns the exit status: 0, 64 (usage) or 78 (EX_CONFIG). */
int check_main(int argc, char **argv);

/* For verbs that need a good file: says each error and warning on stderr. */
bool check_is_good(const char *path);

/* Its options, for the table of verbs. */
extern const struct verb_usage check_usage;

#endif
