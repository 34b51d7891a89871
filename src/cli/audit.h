/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori audit`: who looked at which message's content. */
#ifndef SEKIMORI_CLI_AUDIT_H
#define SEKIMORI_CLI_AUDIT_H

#include "cli/options.h"

/* argv[0] is the verb. Exit codes: see its --help. */
int audit_main(int argc, char **argv);

/* Its options, for the table of verbs. */
extern const struct verb_usage audit_usage;

#endif
