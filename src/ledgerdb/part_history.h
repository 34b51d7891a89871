/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which message had which file, by digest (judge/part_digest.h), so that whoever received a file that is
   found infected later can be named. Rows go after `virus remember parts`, and the oldest where there are
   PART_HISTORY_MOST. A digest that was found infected is looked up once: what is remembered of it is that it
   had been delivered before. */
#ifndef SEKIMORI_LEDGERDB_PART_HISTORY_H
#define SEKIMORI_LEDGERDB_PART_HISTORY_H

#include "ipc/event.h"
#include "ledgerdb/reader.h"

enum { PART_HISTORY_MOST = 1000000, PART_HISTORY_FOUND_MOST = 10000 };

struct part_history;

/* NULL: a statement cannot be made, sql_failure says why. The connection is borrowed. */
struct part_history *part_history_new(struct sql *sql);
void part_history_free(struct part_history *history); /* NULL is allowed */

/* Of an accepted message, in the transaction under way. Rows that are there stay. */
enum ledgerdb_outcome part_history_store(struct part_history *history, uint64_t message,
                                         const struct event_judgement *judgement);

/* Of a message with that id and time, refused or accepted, that was found to be a virus or phishing: each
   infected file that others received before is remembered as such. One look-up for a digest in an hour; none
   for another class. */
enum ledgerdb_outcome part_history_find(struct part_history *history, uint64_t message, uint64_t time_ms,
                                        const struct event_judgement *judgement);

enum { PART_HISTORY_LINES = 8 };
/* The transaction was committed: what was found in it goes into the log, a line a digest, so many at most. */
void part_history_tell(struct part_history *history);
/* It was rolled back: what was looked up in it is looked up again. */
void part_history_drop(struct part_history *history);

/* Removes at most `most` rows of messages with an id below `before`; *out_rows: how many. */
enum ledgerdb_outcome part_history_forget(struct sql *sql, uint64_t before, unsigned most,
                                          unsigned *out_rows);

/* A recipient who had a file before it was known to be infected. */
struct part_receiver {
    uint8_t digest[PART_DIGEST_BYTES];
    uint64_t found_ms; /* when it was found infected */
    struct text virus, address;
    uint64_t message, ended_ms; /* ended_ms: when it was delivered; 0: it is on its way */
};

/* Of files that were found since `from_ms` and before `until_ms`, by that time, at most `most` recipients.
 *out_is_cut: there are more. Lives in the arena. */
enum ledgerdb_outcome part_history_receivers(struct ledgerdb_reader *ledgerdb, uint64_t from_ms,
                                             uint64_t until_ms, size_t most, struct arena *arena,
                                             struct part_receiver **out, size_t *out_count, bool *out_is_cut);

#endif
