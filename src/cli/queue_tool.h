/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori queue list|show|cat|summary|retry|hold|release|remove`. */
#ifndef SEKIMORI_CLI_QUEUE_TOOL_H
#define SEKIMORI_CLI_QUEUE_TOOL_H

/* argv[0] is the verb. Exit codes: see its --help. */
int queue_main(int argc, char **argv);

#endif
