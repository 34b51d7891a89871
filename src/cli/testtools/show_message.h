/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The verb `parse`: a message as the gateway understands it. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SHOW_MESSAGE_H
#define SEKIMORI_CLI_TESTTOOLS_SHOW_MESSAGE_H

#include "cli/options.h"

/* argv[0] is the verb. Returns a sysexits code: 64 usage, 65 nothing in it is a message, 66 no input. */
int parse_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage parse_usage;

#endif
