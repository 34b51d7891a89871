/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The quarantine at work: takes what queue holds, gives back what is released, lets go of what is old. Every
   step is in the index before the next one begins, so that whoever dies, each message is there once and comes
   back once. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_H

#include "ledger/ingest.h"
#include "ledger/quarantine/quarantine_store.h"
#include "ledgerdb/held.h"

struct quarantine;

/* `folder`: of the files, a descriptor; borrowed. */
struct quarantine *quarantine_new(struct loop *loop, struct ingest *ingest, int folder);
void quarantine_free(struct quarantine *quarantine);

/* Borrowed. */
void quarantine_set_config(struct quarantine *quarantine, const struct config *config);
/* Queue is there, or there again. */
void quarantine_set_queue(struct quarantine *quarantine, int fd);

/* Scan is there, or there again: what is kept is looked at again when it has other signatures than the last
 * time.
 */
void quarantine_set_scan(struct quarantine *quarantine, int fd);
/* Before quarantine_free: scan is no longer asked. */
void quarantine_rescan_end(struct quarantine *quarantine);

struct quarantine_store *quarantine_store_of(const struct quarantine *quarantine); /* borrowed */

/* One message's recipients, all in HELD_KEPT. `by`: "release by NAME". Outcome MISSING: one of them is in
   another state now, nothing was done. A release goes on until queue has it; *out_release is its message id.
 */
enum ledgerdb_outcome quarantine_release(struct quarantine *quarantine, const struct held_row *rows,
                                         size_t count, struct text by, uint64_t *out_release);
enum ledgerdb_outcome quarantine_delete(struct quarantine *quarantine, const struct held_row *rows,
                                        size_t count, struct text by);

struct quarantine_facts {
    uint64_t bytes, recipients, taken, not_taken, released, deleted, aged;
    uint64_t reindexed; /* messages that a new database did not know */
    bool is_full;
};
struct quarantine_facts quarantine_facts(const struct quarantine *quarantine); /* a copy */

#endif
