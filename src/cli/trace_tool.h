/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori trace`: what became of messages, out of the ledger. */
#ifndef SEKIMORI_CLI_TRACE_TOOL_H
#define SEKIMORI_CLI_TRACE_TOOL_H

/* argv[0] is the verb. Exit codes: see its --help. */
int trace_main(int argc, char **argv);

#endif
