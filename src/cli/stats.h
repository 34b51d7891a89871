/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori stats: tables of what went through. */
#ifndef SEKIMORI_CLI_STATS_H
#define SEKIMORI_CLI_STATS_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int stats_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage stats_usage;

#endif
