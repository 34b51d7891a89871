/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori people`: names of our own senders, learned from their mail. */
#ifndef SEKIMORI_CLI_PEOPLE_TOOL_H
#define SEKIMORI_CLI_PEOPLE_TOOL_H

#include "cli/options.h"

int people_main(int argc, char **argv); /* a verb: see verb_table.h */
extern const struct verb_usage people_usage;

#endif
