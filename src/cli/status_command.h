/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori status`: the node on one screen, or all that its processes say of themselves. */
#ifndef SEKIMORI_CLI_STATUS_COMMAND_H
#define SEKIMORI_CLI_STATUS_COMMAND_H

#include "cli/options.h"

/* argv[0] is the verb. Returns the exit status: 0 all run, 1 some do not, or a sysexits code. */
int status_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage status_usage;

#endif
