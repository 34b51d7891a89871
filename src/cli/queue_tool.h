/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori queue list|show|cat|summary|retry|hold|release|remove`. */
#ifndef SEKIMORI_CLI_QUEUE_TOOL_H
#define SEKIMORI_CLI_QUEUE_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int queue_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage queue_usage;

#endif
