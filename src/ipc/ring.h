/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The event record's first leg: a ring in a shared file, one writer (a process), one reader (ledger).
   Appending is a copy and no system call; what is in the ring survives kill -9 of either side. ledger
   advances the tail only after its database has committed. */
#ifndef SEKIMORI_IPC_RING_H
#define SEKIMORI_IPC_RING_H

#include "base/text.h"

struct ring;

enum { RING_FILE_BYTES = 4 * 1024 * 1024, RING_RECORD_LIMIT = 8192 };

/* Maps the file, which is made valid if it is new or damaged. NULL with errno. The descriptor may be closed
 * after. */
struct ring *ring_map(int fd);
void ring_unmap(struct ring *ring);

/* False when the ring is full (ledger does not keep up or is down): counted in the file as lost. */
bool ring_append(struct ring *ring, struct text record);
/* The same for what strangers bring about at will: it may fill half of the ring, so that there is room for
   what the account is made of; and it is counted apart, since the account is whole without it. */
bool ring_append_minor(struct ring *ring, struct text record);
/* The same for what nobody misses: it may fill a quarter of the ring, and those that were lost are counted
   for ring_lost_spare since the ring was made. */
bool ring_append_spare(struct ring *ring, struct text record);
uint64_t ring_lost_spare(const struct ring *ring);
uint64_t ring_lost(const struct ring *ring);
uint64_t ring_lost_minor(const struct ring *ring); /* not among ring_lost */
/* One more minor record that was lost, by the reader; and since when losses count: at another time than
   before they count from 0 again. */
void ring_count_lost_minor(struct ring *ring);
void ring_count_since(struct ring *ring, uint64_t epoch_ms);
unsigned ring_fill_percent(const struct ring *ring);

/* Reader: the record at *position (start with ring_tail); false at the end. A damaged record skips to the
   head and counts. *position moves on. Records are borrowed until ring_release. */
uint64_t ring_tail(const struct ring *ring);
uint64_t ring_head(const struct ring *ring); /* behind the last record */
bool ring_next(struct ring *ring, uint64_t *position, struct text *out_record);
void ring_release(struct ring *ring, uint64_t position);

#endif
