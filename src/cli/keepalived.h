/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori keepalived`: the address that nodes share. Prints keepalived's configuration and unit from the
   block `vrrp` of sekimori.conf, and takes the address off this machine after a keepalived that could not. */
#ifndef SEKIMORI_CLI_KEEPALIVED_H
#define SEKIMORI_CLI_KEEPALIVED_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int keepalived_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage keepalived_usage;

#endif
