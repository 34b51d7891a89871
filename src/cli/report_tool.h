/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori report: the report of a day, a week or a month, as text, into a file or by mail. */
#ifndef SEKIMORI_CLI_REPORT_TOOL_H
#define SEKIMORI_CLI_REPORT_TOOL_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int report_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage report_usage;

#endif
