/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori ca init|issue|list`: the private certificate authority of the nodes. */
#ifndef SEKIMORI_CLI_CA_H
#define SEKIMORI_CLI_CA_H

#include "cli/options.h"

/* argv[0] is the verb. Returns the exit status. */
int ca_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage ca_usage;

#endif
