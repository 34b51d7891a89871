/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables of what is counted from rows: who sent and got most, refusals by reason, held mail by class. */
#ifndef SEKIMORI_STATISTICS_RANKINGS_H
#define SEKIMORI_STATISTICS_RANKINGS_H

#include "ledgerdb/ranking.h"
#include "statistics/sheet.h"

struct rankings_wish {
    uint32_t from_day, until_day; /* inclusive */
    unsigned top;                 /* rows, the rest as "Etc."; 0: all. Held mail has all its rows */
};

/* RANKING_QUARANTINED is all held mail: what lies in the queue is in it. DONE, or why not. */
enum ledgerdb_outcome rankings_make(struct ledgerdb_reader *ledgerdb, enum ranking ranking,
                                    const struct rankings_wish *wish, struct arena *arena,
                                    struct sheet **out);

#endif
