/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads the ledger from another process than the one that writes it. Each call is made of reads of at most
   READER_STEP_MS, each with a snapshot of its own, so that no reader, however long its question, keeps the
   writer's log from being emptied. More questions: search.h (trace), day.h (balance of a day). */
#ifndef SEKIMORI_LEDGERDB_READER_H
#define SEKIMORI_LEDGERDB_READER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "ledgerdb/sql.h"
#include "ledgerdb/sums.h"

struct ledgerdb_reader;

enum { READER_STEP_MS = 200 };

/* `folder`: where ledger.db is. On any outcome but DONE *out is NULL and `why` has one sentence for people.
   An older database is read only after the ledger process has brought it up: LEDGERDB_LATER. */
enum ledgerdb_outcome ledgerdb_open(const char *folder, struct ledgerdb_reader **out, struct buffer *why);
void ledgerdb_close(struct ledgerdb_reader *ledgerdb); /* NULL is allowed */

/* The handle, for questions of other files of this folder. Keep to the rule above: sql_time_limit. */
struct sql *ledgerdb_sql(struct ledgerdb_reader *ledgerdb);

/* --- sums --- */

enum sum_by {
    SUM_BY_MONTH = 1, /* rows carry yyyymm00 */
    SUM_BY_DAY = 2,   /* rows carry yyyymmdd; months that have no days any more keep yyyymm00 */
    SUM_BY_HOUR = 4,  /* kinds that are told apart by hours; others have no rows then */
    SUM_BY_NODE = 8,
    SUM_BY_DIRECTION = 16,
    SUM_BY_DOMAIN = 32,
    SUM_BY_KIND = 64,
    SUM_BY_NAME = 128
};

struct sum_question {
    uint32_t from_day,
        until_day; /* yyyymmdd, both inclusive; 0: open. A month row counts when its first day is inside */
    int node, direction; /* -1: all. All nodes, and not by node: each message once, see ledgerdb_sums */
    struct text domain;  /* empty: all */
    uint64_t kinds;      /* of sum_bit; 0: all */
    struct text class;   /* of SUM_CLASS only this name; empty: all */
    unsigned by;         /* enum sum_by; what is not asked for is 0 or empty in the rows */
};

struct sum_row {
    uint32_t day;
    uint8_t hour, direction;
    uint16_t node;
    enum sum_kind kind;
    struct text domain, name;
    uint64_t messages, recipients, bytes;
};

/* Where several nodes tell this ledger, a message has been at an edge and at a wall, and both have counted
   it. What is asked of all nodes together is therefore what walls counted; of other nodes that are edges only
   what never came further: recipients refused before the content, and aborted ones. All rows into the arena,
   ordered by day, hour, node, direction, domain, kind, name. LATER: it took longer than a step may: ask for
   fewer days. */
enum ledgerdb_outcome ledgerdb_sums(struct ledgerdb_reader *ledgerdb, const struct sum_question *question,
                                    struct arena *arena, struct sum_row **out, size_t *out_count);

/* --- incidents --- */

/* A message in which a virus was found: accepted (held, tagged …) or refused. */
struct sighting {
    uint64_t time_ms;
    struct text client, virus;
    bool is_refused;
};

/* Every sighting since `from_ms` and before `until_ms`, in order of time, at most `most`: *out_is_cut says
   that there were more. */
enum ledgerdb_outcome ledgerdb_sightings(struct ledgerdb_reader *ledgerdb, uint64_t from_ms,
                                         uint64_t until_ms, size_t most, struct arena *arena,
                                         struct sighting **out, size_t *out_count, bool *out_is_cut);

#endif
