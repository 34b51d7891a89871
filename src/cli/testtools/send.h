/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori send`: an SMTP client for one message, many, or a folder. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SEND_H
#define SEKIMORI_CLI_TESTTOOLS_SEND_H

#include "cli/options.h"

/* argv[0] is the verb. Returns 0 (all taken), 64 (usage), 66 (no message can be read), 69 (one was refused)
   or 75 (one was deferred, whatever became of others). */
int send_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage send_usage;

#endif
