/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori trace`: what became of messages, out of the ledger. */
#ifndef SEKIMORI_CLI_TRACE_TOOL_H
#define SEKIMORI_CLI_TRACE_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int trace_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage trace_usage;

#endif
