/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori missed: tell the node of what leaked through. */
#ifndef SEKIMORI_CLI_MISSED_H
#define SEKIMORI_CLI_MISSED_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int missed_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage missed_usage;

#endif
