/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori report: the report of a day, a week or a month, as text, into a file or by mail. */
#ifndef SEKIMORI_CLI_REPORT_TOOL_H
#define SEKIMORI_CLI_REPORT_TOOL_H

/* argv[0] is the verb. Exit codes: see its --help. */
int report_main(int argc, char **argv);

#endif
