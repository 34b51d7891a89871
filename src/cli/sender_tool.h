/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori sender: what is remembered of a sender, and forgetting it. */
#ifndef SEKIMORI_CLI_SENDER_TOOL_H
#define SEKIMORI_CLI_SENDER_TOOL_H

#include "cli/options.h"

extern const struct verb_usage sender_usage;
int sender_main(int argc, char **argv); /* a verb: see verb_table.h */

#endif
