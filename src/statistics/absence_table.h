/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lists that were asked about nobody for a time (ledgerdb/absences.h), as a table. Called by the report. */
#ifndef SEKIMORI_STATISTICS_ABSENCE_TABLE_H
#define SEKIMORI_STATISTICS_ABSENCE_TABLE_H

#include "config/settings.h"
#include "ledgerdb/reader.h"
#include "statistics/sheet.h"

/* Of [from_ms, until_ms); those that go on are counted to `now_ms`. Why is said in `language`. The sheet is
   in the arena. */
enum ledgerdb_outcome absence_table(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t now_ms, enum language language, struct arena *arena,
                                    struct sheet **out);

#endif
