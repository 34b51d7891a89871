/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori stats: tables of what went through. */
#ifndef SEKIMORI_CLI_STATS_H
#define SEKIMORI_CLI_STATS_H

/* argv[0] is the verb. Exit codes: see its --help. */
int stats_main(int argc, char **argv);

#endif
