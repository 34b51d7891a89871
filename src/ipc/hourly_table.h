/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What came in the last hour, by key: a fixed table in memory that several processes may share. Strangers
   choose keys, so the table never grows: a new key takes the place of the one in its reach that says least.
   Without locks: a race between processes makes a count wrong by a few, which a limit can bear. */
#ifndef SEKIMORI_IPC_HOURLY_TABLE_H
#define SEKIMORI_IPC_HOURLY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define HOURLY_MS (UINT64_C(3600) * 1000)
enum { HOURLY_COUNTS = 5, HOURLY_ENTRY_BYTES = 64 };

struct hourly_table;
struct hourly_entry;

/* `room`: zeros, or what another process has there; borrowed. Never NULL. */
struct hourly_table *hourly_table_open(void *room, size_t bytes);
void hourly_table_free(struct hourly_table *table); /* the room keeps all */

/* The entry of `name` among those of a kind; made where there is none. Never NULL; one who has lost its place
   between two calls begins anew. `now_ms` is of one clock for all calls of all processes. */
struct hourly_entry *hourly_table_entry(struct hourly_table *table, uint8_t kind, struct text name,
                                        uint64_t now_ms);

/* Adds to a count, 0 to HOURLY_COUNTS - 1, and says what came in the last hour, `by` included: exactly in the
   first hour, later as if what came in the full hour before had come evenly. */
uint32_t hourly_entry_add(struct hourly_entry *entry, unsigned count, uint32_t by, uint64_t now_ms);
uint32_t hourly_entry_count(const struct hourly_entry *entry, unsigned count, uint64_t now_ms);
/* All its counts are 0, its mark ends. */
void hourly_entry_forget(struct hourly_entry *entry);

/* A mark that lasts until then. A marked entry keeps its place before all others. True: it was not marked
   before. */
bool hourly_entry_mark(struct hourly_entry *entry, uint64_t until_ms, uint64_t now_ms);
bool hourly_entry_is_marked(const struct hourly_entry *entry, uint64_t now_ms);

#endif
