/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori address`: how mail addresses are understood. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SHOW_ADDRESS_H
#define SEKIMORI_CLI_TESTTOOLS_SHOW_ADDRESS_H

#include "cli/options.h"

/* Returns a sysexits code. */
int address_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage address_usage;

#endif
