/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether this machine can find its way from the root of the DNS, as lookup does for lists of the DNS, or
   only by the resolvers that it is given: most lists refuse those. */
#ifndef SEKIMORI_CLI_ROOT_PROBE_H
#define SEKIMORI_CLI_ROOT_PROBE_H

#include "config/load.h"
#include "lookup/resolver.h"

enum { ROOT_PROBE_MS = 3000 };

/* Asks by a resolver of its own, made like `first`; waits for ROOT_PROBE_MS at most, in which `loop` turns.
   `root`: IP@PORT that is asked in place of the root's servers; NULL: those. */
bool root_probe(struct loop *loop, const struct resolver *first, const struct config *config,
                const char *root);

/* Adds a warning to each well-known list that is on and would be asked so, where that does not work. */
void root_probe_check(const struct config *config, struct problem_list *problems);

#endif
