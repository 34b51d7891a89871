/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts of rows that no sum is kept of: who sent and who got most, why clients were turned away, what is
   held and by which class. Only as far back as the rows are kept (`ledger keep`). */
#ifndef SEKIMORI_LEDGERDB_RANKING_H
#define SEKIMORI_LEDGERDB_RANKING_H

#include "ipc/event.h"
#include "ledgerdb/reader.h"

enum ranking {
    RANKING_SENDERS,     /* messages by envelope sender; neither our own nor those released */
    RANKING_RECIPIENTS,  /* recipients by address, of the same messages */
    RANKING_REFUSALS,    /* recipients, or clients before any, refused with 4xx or 5xx */
    RANKING_QUARANTINED, /* recipients in the quarantine, and that were there */
    RANKING_HELD,        /* recipients held in the queue now */
    RANKING_INSIDE_HELD, /* messages by envelope sender, of senders inside who were held for how they sent */
};

struct ranking_row {
    struct text name;         /* SENDERS, RECIPIENTS: the address; REFUSALS: "5.7.1", may be empty */
    uint16_t code;            /* REFUSALS: 550; QUARANTINED: enum held_state; HELD: enum hold_reason */
    uint8_t held;             /* QUARANTINED: enum held_class */
    enum message_class found; /* REFUSALS, QUARANTINED, HELD: what the message was found to be */
    uint64_t count;
};

/* Of messages and refusals since `from_ms` and before `until_ms`, each counted at one node as sums are; the
   greatest first, at most `most` (0: all). In steps, as the rules of readers want it. Beyond 65536 different
   rows the rarest are forgotten on the way. *out_all: the sum of all. Unless DONE, the rest is undefined. */
enum ledgerdb_outcome ranking_read(struct ledgerdb_reader *ledgerdb, enum ranking ranking, uint64_t from_ms,
                                   uint64_t until_ms, size_t most, struct arena *arena,
                                   struct ranking_row **out, size_t *out_count, uint64_t *out_all);

#endif
