/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori sink`: an SMTP server that writes a Maildir and misbehaves on request. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_H

#include "cli/options.h"

/* argv[0] is the verb. Returns 0 after SIGINT or SIGTERM, or a sysexits code where it cannot begin. */
int sink_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage sink_usage;

#endif
