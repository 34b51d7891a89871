/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Ledger's side of explanations: records of a batch become a frame of the day's file
   (ledgerdb/explained_file.h). Nothing waits for them: where there is no room they are dropped and counted.
   They are never synced, and never told to other nodes. */
#ifndef SEKIMORI_LEDGER_EXPLAINED_STORE_H
#define SEKIMORI_LEDGER_EXPLAINED_STORE_H

#include "config/settings.h"
#include "ledgerdb/explained_file.h"

enum { EXPLAINED_DROPPING_MS = 60 * 1000 };

struct explained_store;

/* Never NULL. `folder`: ledger's, borrowed. */
struct explained_store *explained_store_new(const char *folder);
void explained_store_free(struct explained_store *store); /* NULL is allowed */
void explained_store_set_config(struct explained_store *store, const struct config *config); /* borrowed */

/* An event of that kind; of a record that takes more than EXPLANATION_STORED_MOST bytes the head alone is
   kept. False: malformed. */
bool explained_store_add(struct explained_store *store, struct text event);
/* So many found no room on their way. */
void explained_store_drop(struct explained_store *store, uint64_t count);

/* What was added goes into the file of that moment, by the wall clock; `loop_ms` by the loop's. */
void explained_store_write(struct explained_store *store, uint64_t wall_ms, uint64_t loop_ms);
/* What was added comes again. */
void explained_store_again(struct explained_store *store);

/* Removes files of days that ended before the time that is kept, or all where nothing is. `old_ms`: the time
   by which something is old enough. */
void explained_store_forget(struct explained_store *store, uint64_t old_ms);

struct explained_counts {
    uint64_t kept, dropped; /* since the start */
    uint64_t bytes;         /* of today's file */
    bool is_dropping;       /* some found no room on the disk within EXPLAINED_DROPPING_MS */
};
/* `loop_ms`: by the loop's clock, now. */
struct explained_counts explained_store_counts(const struct explained_store *store, uint64_t loop_ms);

#endif
