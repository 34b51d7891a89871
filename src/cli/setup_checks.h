/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the world whether a first configuration will work: the server inside, the DNS, this machine. */
#ifndef SEKIMORI_CLI_SETUP_CHECKS_H
#define SEKIMORI_CLI_SETUP_CHECKS_H

#include "config/settings.h"

struct setup_counts {
    unsigned warnings, failures;
};

/* Prints a line for each check on standard output as soon as it is known, in `language`. Each takes at most
   `limit_ms`; one that takes more than two seconds says so on standard error. Names are asked of `dns
   servers` of the configuration, unvalidated, which it is set to: who sets a node up has perhaps no trust
   anchor yet. `root`: IP@PORT that is asked in place of the DNS's root; NULL: that. */
void setup_checks_run(struct config *config, enum language language, uint32_t limit_ms, const char *root,
                      struct setup_counts *out);

#endif
