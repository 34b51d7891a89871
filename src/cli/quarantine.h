/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#ifndef SEKIMORI_CLI_QUARANTINE_H
#define SEKIMORI_CLI_QUARANTINE_H

#include "cli/options.h"

/* sekimori quarantine list | show | release | delete */
int quarantine_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage quarantine_usage;

#endif
