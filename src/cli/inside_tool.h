/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori inside: senders inside whose mail is held. */
#ifndef SEKIMORI_CLI_INSIDE_TOOL_H
#define SEKIMORI_CLI_INSIDE_TOOL_H

#include "cli/options.h"

extern const struct verb_usage inside_usage;
int inside_main(int argc, char **argv); /* a verb: see verb_table.h */

#endif
