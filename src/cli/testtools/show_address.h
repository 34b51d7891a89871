/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori address`: how mail addresses are understood. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SHOW_ADDRESS_H
#define SEKIMORI_CLI_TESTTOOLS_SHOW_ADDRESS_H

/* Returns a sysexits code. */
int address_main(int argc, char **argv);

#endif
