/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori health`: is this node well? Answered from run/health alone, so that a hanging node is answered
   for as quickly as any other. Also for those who follow a node's progress. */
#ifndef SEKIMORI_CLI_HEALTH_COMMAND_H
#define SEKIMORI_CLI_HEALTH_COMMAND_H

#include "cli/control.h"
#include "cli/options.h"
#include "ipc/health_page.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int health_main(int argc, char **argv);

/* The page of a state folder, mapped; NULL with errno: no node was ever started there, or it may not be read.
 */
struct health_page *health_command_page(const char *state);

/* Its options, for the table of verbs. */
extern const struct verb_usage health_usage;

#endif
