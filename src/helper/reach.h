/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which files the programs that helper starts may open. A hook tells somebody: it needs neither spool, ledger
   nor quarantine, and no key; what fetches signatures writes where they lie. */
#ifndef SEKIMORI_HELPER_REACH_H
#define SEKIMORI_HELPER_REACH_H

#include "base/sandbox.h"
#include "config/settings.h"

struct reach {
    struct arena *arena;   /* the lists live in it */
    struct jail_paths own; /* of helper: what its programs may */
    /* Of the alarm hook: the same, but neither the state folder nor private keys. */
    struct jail_paths program;
    struct jail_paths fetches; /* of freshclam: signatures/ of the state folder too */
    struct jail_paths second;  /* of what fetches and tries the second set: signatures/also.new alone */
};

/* What the configuration says; reach_free gives it back. `scan`: the path of the program that tries
 * signatures.
 */
void reach_make(const struct config *config, const char *scan, struct reach *out);
void reach_free(struct reach *reach);

/* False: with the jail of `before`, which cannot be opened again, the programs of `now` would lack files. */
bool reach_is_within(const struct reach *now, const struct reach *before);

#endif
