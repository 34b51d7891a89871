/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori zone`: a DNS server for trials, which answers from one file over UDP. */
#ifndef SEKIMORI_CLI_TESTTOOLS_ZONE_H
#define SEKIMORI_CLI_TESTTOOLS_ZONE_H

#include "cli/options.h"

/* argv[0] is the verb. Serves until a signal ends it, then returns 0; 64 (usage), 65 (the file has an error),
   66 (it cannot be read) or 71 (no socket). */
int zone_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage zone_usage;

#endif
