/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori lists: how each list is, and which of them have an address, a name or a file. */
#ifndef SEKIMORI_CLI_LISTS_TOOL_H
#define SEKIMORI_CLI_LISTS_TOOL_H

#include "cli/options.h"

extern const struct verb_usage lists_usage;
int lists_main(int argc, char **argv); /* a verb: see verb_table.h */

/* Which list files the node refuses, once it has read them all: a line each, to standard error. EX_OK: none;
   EX_DATAERR: some. Another code: the node cannot be asked. */
int lists_tool_settle(const struct control_target *target);

#endif
