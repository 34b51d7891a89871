/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori missed: tell the node of what leaked through. */
#ifndef SEKIMORI_CLI_MISSED_H
#define SEKIMORI_CLI_MISSED_H

/* argv[0] is the verb. Exit codes: see its --help. */
int missed_main(int argc, char **argv);

#endif
