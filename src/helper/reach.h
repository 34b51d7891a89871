/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which files the programs that helper starts may open. A hook tells somebody: it needs neither spool, ledger
   nor quarantine, and no key. */
#ifndef SEKIMORI_HELPER_REACH_H
#define SEKIMORI_HELPER_REACH_H

#include "base/sandbox.h"
#include "config/settings.h"

struct reach {
    struct arena *arena;   /* the lists live in it */
    struct jail_paths own; /* of helper: what its programs may */
    /* Of the alarm hook: the same, but neither the state folder nor private keys. */
    struct jail_paths program;
};

/* What the configuration says; reach_free gives it back. */
void reach_make(const struct config *config, struct reach *out);
void reach_free(struct reach *reach);

/* False: with the jail of `before`, which cannot be opened again, the programs of `now` would lack files. */
bool reach_is_within(const struct reach *now, const struct reach *before);

#endif
