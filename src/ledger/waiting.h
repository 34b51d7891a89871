/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Events that wait on disk: a file in the ledger folder that takes what the rings cannot hold while the
   database cannot be written. It is bounded, and read to its end before the rings are read again. */
#ifndef SEKIMORI_LEDGER_WAITING_H
#define SEKIMORI_LEDGER_WAITING_H

#include "base/text.h"

struct waiting;

/* What a predecessor left is there to be read. */
struct waiting *waiting_new(const char *folder, uint64_t most_bytes);
void waiting_free(struct waiting *waiting);
void waiting_set_most(struct waiting *waiting, uint64_t most_bytes); /* what is beyond it stays */

/* FULL: no room, in the file or on the disk; nothing was written. Refusals, which strangers bring about at
   will, may fill half of the file: those beyond are left out, so that there is room for what the account is
   made of. */
enum waiting_outcome { WAITING_FULL, WAITING_KEPT, WAITING_LEFT_OUT };
/* Written and not synced: it outlives this process, not the machine. The record is copied. */
enum waiting_outcome waiting_add(struct waiting *waiting, uint16_t slot, uint64_t position,
                                 struct text record);

/* An event with where it stood in its ring. It stays in the file until waiting_release. */
struct waited {
    uint16_t slot;
    uint64_t position;
    struct text record; /* borrowed until the next call */
};
/* False: no more. A torn or damaged end is left out and counted. */
bool waiting_next(struct waiting *waiting, struct waited *out);
void waiting_release(struct waiting *waiting); /* what was read since is stored: it need not be read again */
void waiting_again(struct waiting *waiting);   /* it is not: begin again behind the last release */

uint64_t waiting_bytes(const struct waiting *waiting); /* not released yet */
uint64_t waiting_lost(const struct waiting *waiting);  /* damaged ends since the start */

#endif
