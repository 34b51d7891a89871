/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori sink`: an SMTP server that writes a Maildir and misbehaves on request. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_H

/* argv[0] is the verb. Returns 0 after SIGINT or SIGTERM, or a sysexits code where it cannot begin. */
int sink_main(int argc, char **argv);

#endif
