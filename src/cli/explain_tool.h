/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori explain`: why a message was judged as it was, out of what ledger keeps; or of a file, by judging
   it now. */
#ifndef SEKIMORI_CLI_EXPLAIN_TOOL_H
#define SEKIMORI_CLI_EXPLAIN_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int explain_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage explain_usage;

#endif
