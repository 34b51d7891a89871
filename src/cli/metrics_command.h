/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori metrics`. */
#ifndef SEKIMORI_CLI_METRICS_COMMAND_H
#define SEKIMORI_CLI_METRICS_COMMAND_H

#include "cli/options.h"

/* argv[0] is the verb; returns the exit code. */
int metrics_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage metrics_usage;

#endif
