/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori dump [FILE]`: prints the effective configuration. */
#ifndef SEKIMORI_CLI_SHOW_CONFIG_H
#define SEKIMORI_CLI_SHOW_CONFIG_H

#include "cli/options.h"

/* argv[0] is the verb. Returns the exit status: 0, 64 (usage) or 78 (EX_CONFIG). */
int dump_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage dump_usage;

#endif
