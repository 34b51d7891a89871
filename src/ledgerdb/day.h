/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance --day`: what became of the recipients that were accepted on a day, and what happened on
   that day. Units: recipients. */
#ifndef SEKIMORI_LEDGERDB_DAY_H
#define SEKIMORI_LEDGERDB_DAY_H

#include "ipc/event.h"
#include "ledgerdb/reader.h"

struct day_balance {
    uint32_t day;              /* yyyymmdd */
    uint64_t start_ms, end_ms; /* local midnight to local midnight */
    /* Counted from the rows: the recipients accepted on that day, each in exactly one of the rest. */
    uint64_t accepted, own, again; /* own ones, and those out of the quarantine, are not among accepted */
    uint64_t relayed;              /* nor those that the next node took while their client waited */
    uint64_t ended[ENDING_COUNT];
    uint64_t held, queued;
    /* From the sums, which were kept with each event: what happened on that day. */
    uint64_t sums[SUM_KIND_COUNT];
    bool is_forgotten;  /* the rows are no longer kept, only the sums */
    struct losses lost; /* that this ledger never got: a part of that day may be in no count */
    bool is_balanced;   /* rows and sums agree on accepted and own; nothing to compare when forgotten */
};

/* False: not a day of the calendar. */
bool day_bounds(uint32_t day, uint64_t *out_start_ms, uint64_t *out_end_ms);

/* Of everything in this ledger; of one node's events. */
enum ledgerdb_outcome day_count(struct ledgerdb_reader *ledgerdb, uint32_t day, struct day_balance *out);
enum ledgerdb_outcome day_count_node(struct ledgerdb_reader *ledgerdb, uint32_t day, int node,
                                     struct day_balance *out);

/* What was lost on the day of that time, at all nodes. */
enum ledgerdb_outcome day_lost(struct ledgerdb_reader *ledgerdb, uint64_t time_ms, struct losses *out);

#endif
