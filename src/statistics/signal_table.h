/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What became of mail for which lists, signals of impostors or what is known of its sender spoke. Called by
   statistics.c and the report. */
#ifndef SEKIMORI_STATISTICS_SIGNAL_TABLE_H
#define SEKIMORI_STATISTICS_SIGNAL_TABLE_H

#include "judge/signal_family.h"
#include "statistics/statistics.h"

/* A row a signal of the family, those that spoke most first; with wish->top the rest as "Etc.". The sheet is
   in the arena. */
enum ledgerdb_outcome signal_table_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        enum signal_family family, struct arena *arena, struct sheet **out);

#endif
