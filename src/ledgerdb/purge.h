/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Retention: rows go when their time is over, a few in each call, so that storing goes on between. Sums stay:
   by day, later by month. A message with a recipient that has no ending yet is never forgotten. */
#ifndef SEKIMORI_LEDGERDB_PURGE_H
#define SEKIMORI_LEDGERDB_PURGE_H

#include "ledgerdb/database.h"

/* Times before which rows go, in milliseconds since 1970; 0: never. */
struct forget_limits {
    uint64_t messages_ms, subjects_ms, steps_ms, refusals_ms, audit_ms, parts_ms;
    uint32_t partners; /* yyyymmdd: rows of partners before it go; 0: never */
    uint32_t today;    /* since 1970: for lists that were silent for long; 0: they stay */
    uint32_t days;     /* yyyymm01: days before this month become months; 0: never */
    uint64_t
        balance_since_ms; /* recipients since then are still counted by balance when their rows are gone */
};

/* What the configuration says at `now_ms`. */
struct forget_limits forget_limits_of(const struct config *config, uint64_t now_ms,
                                      uint64_t balance_since_ms);

/* One transaction of about `most` rows. *out_rows: how many; 0: there is nothing to forget now. */
enum ledgerdb_outcome forget_some(struct database *database, const struct forget_limits *limits,
                                  unsigned most, unsigned *out_rows);

#endif
