/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori dkim: makes the keys of a domain, and asks the DNS whether those in use are published. */
#ifndef SEKIMORI_CLI_DKIM_TOOL_H
#define SEKIMORI_CLI_DKIM_TOOL_H

#include "cli/options.h"

/* A verb of cli/verb_table.c: argv[0] is the verb; returns a sysexits code. */
int dkim_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage dkim_usage;

#endif
