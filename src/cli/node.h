/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori start|stop|reload`: the node as a whole. */
#ifndef SEKIMORI_CLI_NODE_H
#define SEKIMORI_CLI_NODE_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int start_main(int argc, char **argv);
int stop_main(int argc, char **argv);
int reload_main(int argc, char **argv);

/* Their options, for the table of verbs. */
extern const struct verb_usage start_usage, stop_usage, reload_usage;

#endif
