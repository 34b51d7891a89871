/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events that wait on disk: a file in the ledger folder that takes what the rings cannot hold while the
   database cannot be written. It is bounded, and read to its end before the rings are read again. */
#ifndef SEKIMORI_LEDGER_OVERFLOW_H
#define SEKIMORI_LEDGER_OVERFLOW_H

#include "base/text.h"

struct overflow;

/* What a predecessor left is there to be read. */
struct overflow *overflow_new(const char *folder, uint64_t most_bytes);
void overflow_free(struct overflow *overflow);
void overflow_set_most(struct overflow *overflow, uint64_t most_bytes); /* what is beyond it stays */

/* FULL: no room, in the file or on the disk; nothing was written. Refusals, which strangers bring about at
   will, may fill half of the file: those beyond are left out, so that there is room for what the account is
   made of. */
enum overflow_outcome { OVERFLOW_FULL, OVERFLOW_KEPT, OVERFLOW_LEFT_OUT };
/* Written and not synced: it outlives this process, not the machine. The record is copied. */
enum overflow_outcome overflow_add(struct overflow *overflow, uint16_t slot, uint64_t position,
                                   struct text record);

/* An event with where it stood in its ring. It stays in the file until overflow_release. */
struct waited {
    uint16_t slot;
    uint64_t position;
    struct text record; /* borrowed until the next call */
};
/* False: no more. A torn or damaged end is left out and counted. */
bool overflow_next(struct overflow *overflow, struct waited *out);
void overflow_release(struct overflow *overflow); /* what was read since is stored */
void overflow_again(struct overflow *overflow);   /* it is not: begin again behind the last release */

uint64_t overflow_bytes(const struct overflow *overflow); /* not released yet */
uint64_t overflow_lost(const struct overflow *overflow);  /* damaged ends since the start */

#endif
