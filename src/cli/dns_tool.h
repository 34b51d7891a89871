/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori dns: one question, asked as the node asks. */
#ifndef SEKIMORI_CLI_DNS_TOOL_H
#define SEKIMORI_CLI_DNS_TOOL_H

#include "cli/options.h"
#include "dns/dns_record.h"

/* A verb of cli/verb_table.c: argv[0] is the verb; returns a sysexits code. */
int dns_main(int argc, char **argv);

/* Asks the node, or `server` where it is not NULL. Appends lines as lookup/answer_text.h has them, or what
   went wrong. Returns the exit code: 0 found, 1 none. */
int dns_tool_ask(const struct control_target *target, const char *server, enum dns_record_type type,
                 struct text name, struct buffer *out);

/* Its options, for the table of verbs. */
extern const struct verb_usage dns_usage;

#endif
