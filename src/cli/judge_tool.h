/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The verb `judge`: the verdict of the content filter on messages, for procmail, sieve and scripts. */
#ifndef SEKIMORI_CLI_JUDGE_TOOL_H
#define SEKIMORI_CLI_JUDGE_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Of one message: 0 accept, 1 tag, 2 quarantine, 3 reject; of many 0. Else a sysexits
   code: 64 usage, 65 it is empty, 66 no input, 71 no process, 75 a message could not be judged, 78
   the configuration has errors. */
int judge_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage judge_usage;

#endif
