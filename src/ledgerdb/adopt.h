/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Takes a recipient of the quarantine into an index that does not know it: the one before was lost, the file
   is there. All stores stand between held_begin and held_commit; what is there already stays as it is. */
#ifndef SEKIMORI_LEDGERDB_ADOPT_H
#define SEKIMORI_LEDGERDB_ADOPT_H

#include "ledgerdb/held.h"

/* What the ledger knows of a recipient. */
enum adopt_standing {
    ADOPT_UNKNOWN,
    ADOPT_LIVE,        /* no ending was told: queue has it, or the ending is on its way */
    ADOPT_QUARANTINED, /* it ended so: its row is missing */
    ADOPT_ENDED,       /* otherwise: it is not ours any more */
    ADOPT_KNOWN        /* it has its row */
};
/* DONE, with how it stands in `out`; else a failure. */
enum ledgerdb_outcome adopt_look(struct database *database, uint64_t message, uint32_t number,
                                 enum adopt_standing *out);

/* What the ledger knows of a message, without its recipients, as it was told; texts live in the arena.
   MISSING: it was not told. */
enum ledgerdb_outcome adopt_recall(struct database *database, struct arena *arena, uint64_t message,
                                   struct event_accepted *out);

/* The message, its file, and each of its recipients that is UNKNOWN or QUARANTINED: the ledger then has them
   as accepted, and as ended in quarantine when they were stored. */
enum ledgerdb_outcome adopt_message(struct database *database, const struct event_accepted *message,
                                    const struct held_row *file);
enum ledgerdb_outcome adopt_recipient(struct database *database, const struct event_accepted *message,
                                      const struct held_row *row);

#endif
