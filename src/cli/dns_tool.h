/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori dns: one question, asked as the node asks. */
#ifndef SEKIMORI_CLI_DNS_TOOL_H
#define SEKIMORI_CLI_DNS_TOOL_H

#include "cli/options.h"

/* A verb of cli/verb_table.c: argv[0] is the verb; returns a sysexits code. */
int dns_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage dns_usage;

#endif
