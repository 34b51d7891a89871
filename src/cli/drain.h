/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori drain|undrain`: takes the node out of service, and back. */
#ifndef SEKIMORI_CLI_DRAIN_H
#define SEKIMORI_CLI_DRAIN_H

/* argv[0] is the verb. Exit codes: see its --help. */
int drain_main(int argc, char **argv);
int undrain_main(int argc, char **argv);

#endif
