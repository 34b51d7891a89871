/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger's column of `sekimori balance`: rows counted one by one, in small steps, so that storing goes on
   and no snapshot is held for long. */
#ifndef SEKIMORI_LEDGERDB_COUNT_H
#define SEKIMORI_LEDGERDB_COUNT_H

#include "ipc/message_id.h"
#include "ledgerdb/held.h"

/* What the rows of this node say about the time since `since_ms`: those that other nodes told do not count.
 */
struct count_sums {
    uint64_t accepted, own,
        again; /* recipients; own ones, and those out of the quarantine, are not among accepted */
    uint64_t ended[ENDING_COUNT];
    uint64_t relayed;           /* not among accepted either */
    uint64_t live;              /* accepted or own, since then, without an ending */
    uint64_t held[HELD_STATES]; /* of those that ended as quarantined: where they stand there */
    uint64_t missing;           /* of these: not in the quarantine's index */
    uint64_t unmatched;         /* ended, but nobody has told of its acceptance */
};

struct count;

/* Whether what happened to a message at `time_ms` by the clock is since then. A message whose id is from
   since then has nothing older, also where the clock was set back: ids never go back. */
static inline bool count_is_since(uint64_t id, uint64_t time_ms, uint64_t since_ms)
{
    return time_ms >= since_ms || message_id_time_ms(id) >= since_ms;
}

/* On a connection of its own, so that storing goes on beside it. NULL: it does not open, and the log says
   why. Free with count_end, whatever came. */
struct count *count_begin(struct database *database, uint64_t since_ms);
/* About `rows` messages more: a message is counted whole. False: there are more. True: the end; `out` holds
   where `out_outcome` is DONE. */
bool count_step(struct count *count, unsigned rows, struct count_sums *out,
                enum ledgerdb_outcome *out_outcome);
void count_end(struct count *count); /* not of NULL */

#endif
