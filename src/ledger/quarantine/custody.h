/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The quarantine at work: takes what queue holds, gives back what is released, lets go of what is old. Every
   step is in the index before the next one begins, so that whoever dies, each message is there once and comes
   back once. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_CUSTODY_H
#define SEKIMORI_LEDGER_QUARANTINE_CUSTODY_H

#include "books/held.h"
#include "ledger/harvest.h"
#include "ledger/quarantine/vault.h"

struct custody;

/* `folder`: of the files, a descriptor; borrowed. */
struct custody *custody_new(struct loop *loop, struct harvest *harvest, int folder);
void custody_free(struct custody *custody);

/* Borrowed. */
void custody_set_config(struct custody *custody, const struct config *config);
/* Queue is there, or there again. */
void custody_set_queue(struct custody *custody, int fd);

struct vault *custody_vault(const struct custody *custody); /* borrowed */

/* One message's recipients, all in HELD_KEPT. `by`: "release by NAME". Outcome MISSING: one of them is in
   another state now, nothing was done. A release goes on until queue has it; *out_release is its message id.
 */
enum books_outcome custody_release(struct custody *custody, const struct held_row *rows, size_t count,
                                   struct text by, uint64_t *out_release);
enum books_outcome custody_delete(struct custody *custody, const struct held_row *rows, size_t count,
                                  struct text by);

struct custody_facts {
    uint64_t bytes, recipients, taken, not_taken, released, deleted, aged;
    uint64_t regained; /* messages that a new database did not know */
    bool is_full;
};
struct custody_facts custody_facts(const struct custody *custody); /* a copy */

#endif
