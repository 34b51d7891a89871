/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori digest: tell users of what is held for them. */
#ifndef SEKIMORI_CLI_DIGEST_TOOL_H
#define SEKIMORI_CLI_DIGEST_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int digest_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage digest_usage;

#endif
