/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori setup`: five questions, checks of the world, and the first configuration. */
#ifndef SEKIMORI_CLI_SETUP_H
#define SEKIMORI_CLI_SETUP_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int setup_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage setup_usage;

#endif
