/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori sink`: an SMTP server that writes a Maildir and misbehaves on request. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_H

int sink_main(int argc, char **argv);

#endif
