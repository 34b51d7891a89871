/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance [--wait SECONDS] [--json]`: compares what receive, the journal and the ledger counted. */
#ifndef SEKIMORI_CLI_BALANCE_H
#define SEKIMORI_CLI_BALANCE_H

#include "cli/options.h"

/* argv[0] is the verb. Returns enum balance_state, 64 (usage), 69 (a part cannot be asked), or one of the
   others in its help. */
int balance_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage balance_usage;

#endif
