/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Finds the records in a segment's bytes, whatever state they are in. Pure; linear in the bytes. */
#ifndef SEKIMORI_QUEUE_JOURNAL_WALK_H
#define SEKIMORI_QUEUE_JOURNAL_WALK_H

#include "queue/journal/record.h"

struct journal_walk {
    uint64_t records;
    uint64_t end;          /* behind the last whole record, at a multiple of BATCH_ALIGN */
    uint64_t whole;        /* the same of the last whole batch: where a torn one may begin */
    bool is_torn;          /* the last batch is not whole: it was never acknowledged */
    uint32_t damage_count; /* stretches that are bad though something later was synced */
    uint64_t damage_offset;
    uint64_t damage_id; /* of the message whose payload is bad, when its header is good; else 0 */
};

struct walk_record {
    struct record_header header;
    uint64_t offset;
    struct text payload;
    bool is_torn; /* of a last batch that is not whole: what belongs together may not be together */
};

/* Calls on_record for each whole record, in order; payloads are slices of `bytes`. */
void segment_walk(struct text bytes, uint32_t seed, uint32_t generation,
                  void (*on_record)(void *context, const struct walk_record *record), void *context,
                  struct journal_walk *out);

#endif
