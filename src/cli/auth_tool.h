/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori auth: who sent a message, judged as the node judges, with every step told. */
#ifndef SEKIMORI_CLI_AUTH_TOOL_H
#define SEKIMORI_CLI_AUTH_TOOL_H

#include "cli/options.h"

/* A verb of cli/verb_table.c: argv[0] is the verb; returns a sysexits code. */
int auth_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage auth_usage;

#endif
