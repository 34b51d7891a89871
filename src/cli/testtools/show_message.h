/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The verb `parse`: a message as the gateway understands it. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SHOW_MESSAGE_H
#define SEKIMORI_CLI_TESTTOOLS_SHOW_MESSAGE_H

/* argv[0] is the verb. Returns a sysexits code: 64 usage, 65 nothing in it is a message, 66 no input. */
int parse_main(int argc, char **argv);

#endif
