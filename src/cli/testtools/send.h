/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori send`: an SMTP client for one message, many, or a folder. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SEND_H
#define SEKIMORI_CLI_TESTTOOLS_SEND_H

int send_main(int argc, char **argv);

#endif
