/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori allow` and `sekimori block`: whose mail comes whatever its points, and whose does not come. */
#ifndef SEKIMORI_CLI_ENTRY_TOOL_H
#define SEKIMORI_CLI_ENTRY_TOOL_H

#include "cli/options.h"

/* Verbs: see verb_table.h. */
int allow_main(int argc, char **argv);
int block_main(int argc, char **argv);
extern const struct verb_usage allow_usage, block_usage;

#endif
