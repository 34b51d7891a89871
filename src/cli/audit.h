/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori audit`: who looked at which message's content. */
#ifndef SEKIMORI_CLI_AUDIT_H
#define SEKIMORI_CLI_AUDIT_H

/* argv[0] is the verb. Exit codes: see its --help. */
int audit_main(int argc, char **argv);

#endif
