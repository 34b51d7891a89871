/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is remembered of senders, in bounded bytes: values, counts in sliding windows, and how many different
   things were seen, each by a kind and a key, each with a time after which it is forgotten. Its loss is
   harmless, so nothing waits for a disk: what was put in the last second or two may be gone after a crash.
   One process has it open; no type of the database shows here, so that a store that several nodes share can
   stand behind the same functions. Times are milliseconds since 1970, given by the caller. */
#ifndef SEKIMORI_SENDERDB_SENDERDB_H
#define SEKIMORI_SENDERDB_SENDERDB_H

#include "base/text.h"

struct senderdb;

/* --- the file --- */

enum senderdb_found {
    SENDERDB_WHOLE,   /* what was known is known */
    SENDERDB_NEW,     /* there was none */
    SENDERDB_DAMAGED, /* it is set aside as senders.damaged, and a new one is begun */
    SENDERDB_UNUSABLE /* errno says why; nothing is remembered */
};

/* The file senders.mdb in the folder, made where it is missing, and its key of hashes beside it, both for
   this user alone; at most `limit_bytes`, at least SENDERDB_BYTES_LEAST. A child process looks through what
   was there first, so this is called before the process is jailed and has threads. NULL: *out is
   SENDERDB_UNUSABLE. With folder_fd -1 it is in memory and unnamed files. */
struct senderdb *senderdb_open(int folder_fd, uint64_t limit_bytes, enum senderdb_found *out);
/* Commits and closes; the disk may come later. NULL is allowed. */
void senderdb_close(struct senderdb *db);

#define SENDERDB_BYTES_LEAST ((uint64_t)8 << 20)

/* What was changed since the last call becomes visible to the next start. To be called about each second.
   False, once a failure: errno says why (ENOSPC, EIO); what was changed since then is forgotten, and the next
   changes are tried anew. EUCLEAN: what was read makes no sense; the next start finds the file damaged. */
bool senderdb_commit(struct senderdb *db);

/* For status. */
struct senderdb_facts {
    uint64_t entries, bytes, limit_bytes;
    uint64_t evicted; /* since the start, for want of room */
    uint64_t refused; /* entries that a network made too many of today */
};
/* They cost two looks at the database. */
void senderdb_facts(struct senderdb *db, struct senderdb_facts *out);

/* --- keys --- */

enum { SENDERDB_KEY_BYTES = 16, SENDERDB_KINDS_MOST = 255, SENDERDB_PARTS_MOST = 4 };

/* A kind and the keyed hash of some texts: who reads the file without its key learns no name. */
struct senderdb_key {
    uint8_t bytes[SENDERDB_KEY_BYTES];
};

/* Which texts: "network", "sender", "recipient". Case counts: the caller gives canonical forms. */
struct senderdb_key senderdb_key(const struct senderdb *db, uint8_t kind, const struct text *parts,
                                 size_t count);

/* On whose account an entry is made: what strangers bring about has the hash of their network, of which at
   most SENDERDB_OWNER_DAILY are made a day; what our own mail brings about has 0 and no bound. */
enum { SENDERDB_OWNER_DAILY = 5000 };
uint64_t senderdb_owner(const struct senderdb *db, struct text network); /* never 0 */
/* A new entry of that owner would be kept now. */
bool senderdb_has_room_for(const struct senderdb *db, uint64_t owner, uint64_t now_ms);

/* How an entry is made or renewed. */
struct senderdb_touch {
    uint64_t now_ms;
    uint64_t keep_ms; /* forgotten so long after the last touch; up to a sixty-fourth later */
    uint64_t owner;
};

/* --- values --- */

enum { SENDERDB_VALUE_MOST = 1024 };

/* Copies at most `size` bytes to `out`; returns how many the value has. 0: nothing is known. */
size_t senderdb_get(struct senderdb *db, const struct senderdb_key *key, uint64_t now_ms, void *out,
                    size_t size);
/* False: the owner has too many, or there is no room; what was there may be gone. */
bool senderdb_put(struct senderdb *db, const struct senderdb_key *key, const struct senderdb_touch *touch,
                  struct text value);
/* True: there was one. */
bool senderdb_forget(struct senderdb *db, const struct senderdb_key *key);

/* --- counts in windows --- */

enum { SENDERDB_BUCKETS_MOST = 64, SENDERDB_SERIES_MOST = 4 };

/* The shape of counts, the same for all of a kind: `series` numbers in each of `buckets` spans of
   `bucket_ms`, of which the last ones are kept. A number is at most 65535. */
struct senderdb_window {
    uint64_t bucket_ms;
    uint8_t buckets, series;
};

struct senderdb_counts {
    uint32_t counts[SENDERDB_SERIES_MOST];
    uint32_t newest[SENDERDB_SERIES_MOST]; /* of these, in the span of now */
    double weights[SENDERDB_SERIES_MOST];  /* the same, halved for each half-life that has passed */
};

/* Adds `more` of each series to what is counted now. The window's shape has to be that of the kind. */
bool senderdb_count(struct senderdb *db, const struct senderdb_key *key, const struct senderdb_window *window,
                    const struct senderdb_touch *touch, const uint32_t *more);
/* Within the last `span_ms`, rounded up to whole buckets; zeros: nothing is known. half_life_ms 0: weights
   are counts. */
void senderdb_counts(struct senderdb *db, const struct senderdb_key *key,
                     const struct senderdb_window *window, uint64_t now_ms, uint64_t span_ms,
                     uint64_t half_life_ms, struct senderdb_counts *out);

/* --- how many different ones --- */

enum { SENDERDB_DISTINCT_MOST = 120 };

/* How many different elements were seen within the last `span_ms`, this one among them; at most `most`,
   itself at most SENDERDB_DISTINCT_MOST: of more, the one not seen for longest is forgotten. */
uint32_t senderdb_distinct(struct senderdb *db, const struct senderdb_key *key, uint64_t span_ms,
                           uint32_t most, const struct senderdb_touch *touch, struct text element);
/* The same without adding one. */
uint32_t senderdb_distinct_count(struct senderdb *db, const struct senderdb_key *key, uint64_t span_ms,
                                 uint64_t now_ms);

#endif
