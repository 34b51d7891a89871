/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori stats: tables of what went through. */
#ifndef SEKIMORI_CLI_STATS_H
#define SEKIMORI_CLI_STATS_H

int stats_main(int argc, char **argv);

#endif
