/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori check [FILE]`: says every error of a configuration. */
#ifndef SEKIMORI_CLI_CHECK_H
#define SEKIMORI_CLI_CHECK_H

/* argv[0] is the verb. Returns the exit status: 0, 64 (usage) or 78 (EX_CONFIG). */
int check_main(int argc, char **argv);

#endif
