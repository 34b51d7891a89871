/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the store keeps beside a message so that the index can be made again out of the files alone: what the
   ledger knew when the file was written, and, once it is otherwise, the rows of its recipients as they are.
 */
#ifndef SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_HEADER_H
#define SEKIMORI_LEDGER_QUARANTINE_QUARANTINE_HEADER_H

#include "base/arena.h"
#include "ledgerdb/held.h"

/* At the time of writing. */
struct quarantine_header {
    uint64_t stored_ms;
    struct event_accepted message;  /* without recipients */
    const enum held_class *classes; /* one for each recipient of the offer */
    uint32_t count;
};
/* Appends. Borrows nothing. */
void quarantine_header_put(const struct quarantine_header *about, struct buffer *out);
/* Texts borrow, lists live in the arena. False: none, as in files of the first version, or malformed. */
bool quarantine_header_get(struct arena *arena, struct text bytes, struct quarantine_header *out);

/* Rows of one message. */
void quarantine_rows_put(const struct held_rows *rows, struct buffer *out);
bool quarantine_rows_get(struct arena *arena, struct text bytes, uint64_t message, struct held_rows *out);

#endif
