/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori drain|undrain`: takes the node out of service, and back. */
#ifndef SEKIMORI_CLI_DRAIN_H
#define SEKIMORI_CLI_DRAIN_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int drain_main(int argc, char **argv);
int undrain_main(int argc, char **argv);

/* Their options, for the table of verbs. */
extern const struct verb_usage drain_usage, undrain_usage;

#endif
