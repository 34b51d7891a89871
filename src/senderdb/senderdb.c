/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Entries and the order in which they are forgotten, as two tables of one transaction, which stays open until
   it is committed: what was put is seen at once. An error ends the transaction and what it had. */
#include "senderdb/senderdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/die.h"
#include "base/file.h"
#include "senderdb/database_file.h"
#include "senderdb/siphash.h"
#include "senderdb/value_forms.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };
enum {
    EVICTED_AT_ONCE = 2,   /* for each new entry over the limit, so it goes down */
    EVICTED_IN_NEED = 512, /* after the map was full */
    PURGED_AT_ONCE = 500,  /* whose time is over, at each commit */
    OWNERS = 32768,        /* places of their counts; two owners may share one */
    PAGES_OF_A_BATCH = 64  /* the share of the map that one transaction may change */
};

struct senderdb {
    struct database_file file;
    MDB_txn *txn;   /* NULL: none is open */
    int error;      /* errno of the first failure since the last commit; 0: none */
    bool is_full;   /* the map was, since the last commit */
    bool is_broken; /* what was read makes no sense, and never will */
    uint32_t changes, changes_most;
    uint64_t now_ms; /* the caller's latest */
    uint64_t soft_bytes;
    struct senderdb_facts facts;
    uint64_t made_day;
    uint16_t made[OWNERS];
    uint8_t key[SIPHASH_BYTES];
};

/* --- the transaction --- */

static void fail(struct senderdb *db, int error)
{
    if (!db->error) db->error = database_file_errno(error);
    if (error == MDB_MAP_FULL) db->is_full = true;
    if (error < 0 && error != MDB_MAP_FULL && error != MDB_TXN_FULL) db->is_broken = true;
    if (db->txn) mdb_txn_abort(db->txn);
    db->txn = NULL;
    db->changes = 0;
}

/* True: nothing failed. MDB_NOTFOUND is no failure, and false. */
static bool is_done(struct senderdb *db, int error)
{
    if (error && error != MDB_NOTFOUND) fail(db, error);
    return error == 0;
}

static bool begin(struct senderdb *db)
{
    return db->txn || is_done(db, mdb_txn_begin(db->file.env, NULL, 0, &db->txn));
}

static bool commit(struct senderdb *db)
{
    MDB_txn *txn = db->txn;
    db->txn = NULL;
    db->changes = 0;
    return !txn || is_done(db, mdb_txn_commit(txn));
}

static void used_measure(struct senderdb *db)
{
    MDB_stat entries, order;
    if (mdb_stat(db->txn, db->file.entries, &entries) || mdb_stat(db->txn, db->file.order, &order)) return;
    size_t pages = entries.ms_branch_pages + entries.ms_leaf_pages + entries.ms_overflow_pages +
                   order.ms_branch_pages + order.ms_leaf_pages;
    db->facts.bytes = pages * entries.ms_psize;
    db->facts.entries = entries.ms_entries;
}

/* --- entries --- */

static uint32_t hour_of(uint64_t ms)
{
    return (uint32_t)(ms / HOUR_MS);
}

/* In steps, so that an entry that is touched often moves seldom. */
static uint32_t last_hour(const struct senderdb_touch *touch)
{
    uint32_t step = hour_of(touch->keep_ms / 64);
    if (step == 0) step = 1;
    return (hour_of(touch->now_ms + touch->keep_ms) / step + 1) * step;
}

static MDB_val val_of(const void *bytes, size_t size)
{
    return (MDB_val){ size, (void *)bytes };
}

static void order_key_put(uint32_t hour, const struct senderdb_key *key, uint8_t out[DATABASE_ORDER_BYTES])
{
    for (unsigned i = 0; i < DATABASE_HOUR_BYTES; i++) out[i] = (uint8_t)(hour >> 8 * (3 - i));
    memcpy(out + DATABASE_HOUR_BYTES, key->bytes, sizeof key->bytes);
}

static bool order_change(struct senderdb *db, const struct senderdb_key *key, uint32_t hour, bool is_added)
{
    uint8_t bytes[DATABASE_ORDER_BYTES];
    MDB_val order = val_of(bytes, sizeof bytes), none = val_of("", 0);
    order_key_put(hour, key, bytes);
    return is_done(db, is_added ? mdb_put(db->txn, db->file.order, &order, &none, 0)
                                : mdb_del(db->txn, db->file.order, &order, NULL));
}

/* An entry as it is stored; hour 0: there is none. */
struct stored {
    uint32_t hour;
    struct text value; /* valid until the next change */
};

static struct stored stored_find(struct senderdb *db, const struct senderdb_key *key)
{
    MDB_val name = val_of(key->bytes, sizeof key->bytes), value;
    struct stored stored = { 0 };
    if (!begin(db) || !is_done(db, mdb_get(db->txn, db->file.entries, &name, &value))) return stored;
    struct text bytes = text_from(value.mv_data, value.mv_size);
    stored.hour = (uint32_t)codec_number_at(bytes, 0, DATABASE_HOUR_BYTES);
    stored.value = text_slice(bytes, DATABASE_HOUR_BYTES, bytes.length);
    return stored;
}

static void stored_remove(struct senderdb *db, const struct senderdb_key *key, uint32_t hour)
{
    MDB_val name = val_of(key->bytes, sizeof key->bytes);
    if (is_done(db, mdb_del(db->txn, db->file.entries, &name, NULL))) order_change(db, key, hour, false);
}

/* The first in order, whose hour is before this one. False: there is none. */
static bool first_remove(struct senderdb *db, uint32_t before_hour)
{
    MDB_cursor *cursor;
    MDB_val order, none;
    struct senderdb_key key;
    if (!begin(db) || !is_done(db, mdb_cursor_open(db->txn, db->file.order, &cursor))) return false;
    int error = mdb_cursor_get(cursor, &order, &none, MDB_FIRST);
    mdb_cursor_close(cursor);
    if (!is_done(db, error)) return false;
    struct text bytes = text_from(order.mv_data, order.mv_size);
    uint32_t hour = 0;
    for (unsigned i = 0; i < DATABASE_HOUR_BYTES; i++) hour = hour << 8 | codec_byte_at(bytes, i);
    if (hour >= before_hour || bytes.length != DATABASE_ORDER_BYTES) return false;
    memcpy(key.bytes, bytes.at + DATABASE_HOUR_BYTES, sizeof key.bytes);
    stored_remove(db, &key, hour);
    return db->txn != NULL;
}

static void evict(struct senderdb *db, unsigned most)
{
    while (most-- > 0 && first_remove(db, UINT32_MAX)) db->facts.evicted++;
}

/* --- owners --- */

/* Of owners the lowest bit is always set. */
static size_t place_of(uint64_t owner)
{
    return (size_t)(owner >> 1) % OWNERS;
}

static uint16_t *made_of(struct senderdb *db, uint64_t owner, uint64_t now_ms)
{
    if (now_ms / DAY_MS != db->made_day) memset(db->made, 0, sizeof db->made);
    db->made_day = now_ms / DAY_MS;
    return &db->made[place_of(owner)];
}

bool senderdb_has_room_for(const struct senderdb *db, uint64_t owner, uint64_t now_ms)
{
    bool is_today = now_ms / DAY_MS == db->made_day;
    return !db->is_full && (owner == 0 || !is_today || db->made[place_of(owner)] < SENDERDB_OWNER_DAILY);
}

uint64_t senderdb_owner(const struct senderdb *db, struct text network)
{
    uint8_t hash[SIPHASH_BYTES];
    siphash(db->key, network, hash);
    return codec_number_at(text_from((const char *)hash, sizeof hash), 0, 8) | 1;
}

/* Of a new entry. */
static bool is_admitted(struct senderdb *db, const struct senderdb_touch *touch)
{
    uint16_t *made = made_of(db, touch->owner, touch->now_ms);
    if (touch->owner && *made >= SENDERDB_OWNER_DAILY) {
        db->facts.refused++;
        return false;
    }
    if (touch->owner) ++*made;
    used_measure(db);
    if (db->facts.bytes > db->soft_bytes) evict(db, EVICTED_AT_ONCE);
    return true;
}

/* --- values --- */

/* The bytes, and room for as many entries as a transaction may have, are bounded: what is over begins the
   next one. */
static bool stored_put(struct senderdb *db, const struct senderdb_key *key,
                       const struct senderdb_touch *touch, uint32_t old_hour, struct text value)
{
    uint8_t bytes[DATABASE_HOUR_BYTES + SENDERDB_VALUE_MOST];
    uint32_t hour = last_hour(touch);
    MDB_val name = val_of(key->bytes, sizeof key->bytes);
    MDB_val stored = val_of(bytes, DATABASE_HOUR_BYTES + value.length);
    for (unsigned i = 0; i < DATABASE_HOUR_BYTES; i++) bytes[i] = (uint8_t)(hour >> 8 * i);
    if (value.length) memcpy(bytes + DATABASE_HOUR_BYTES, value.at, value.length);
    if (!begin(db)) return false;
    if (old_hour && old_hour != hour && !order_change(db, key, old_hour, false) && !db->txn) return false;
    if (old_hour != hour && !order_change(db, key, hour, true)) return false;
    if (!is_done(db, mdb_put(db->txn, db->file.entries, &name, &stored, 0))) return false;
    return ++db->changes < db->changes_most || commit(db);
}

static bool is_over(const struct stored *stored, uint64_t now_ms)
{
    return stored->hour < hour_of(now_ms);
}

static void clock_see(struct senderdb *db, uint64_t now_ms)
{
    db->now_ms = now_ms;
}

size_t senderdb_get(struct senderdb *db, const struct senderdb_key *key, uint64_t now_ms, void *out,
                    size_t size)
{
    clock_see(db, now_ms);
    database_file_busy(true);
    struct stored stored = stored_find(db, key);
    if (is_over(&stored, now_ms)) stored.value = TEXT_NONE;
    size_t taken = stored.value.length < size ? stored.value.length : size;
    if (taken) memcpy(out, stored.value.at, taken);
    database_file_busy(false);
    return stored.value.length;
}

/* One that stays as it is is not written. */
static bool put_over(struct senderdb *db, const struct senderdb_key *key, const struct senderdb_touch *touch,
                     const struct stored *old, struct text value)
{
    if (value.length > SENDERDB_VALUE_MOST) bug("a value of %zu bytes", value.length);
    if (old->hour == last_hour(touch) && text_equal(old->value, value)) return true;
    return (old->hour || is_admitted(db, touch)) && stored_put(db, key, touch, old->hour, value);
}

bool senderdb_put(struct senderdb *db, const struct senderdb_key *key, const struct senderdb_touch *touch,
                  struct text value)
{
    clock_see(db, touch->now_ms);
    database_file_busy(true);
    struct stored old = stored_find(db, key);
    bool is_put = put_over(db, key, touch, &old, value);
    database_file_busy(false);
    return is_put;
}

bool senderdb_forget(struct senderdb *db, const struct senderdb_key *key)
{
    database_file_busy(true);
    struct stored old = stored_find(db, key);
    if (old.hour) stored_remove(db, key, old.hour);
    database_file_busy(false);
    return old.hour != 0;
}

/* --- counts and sets --- */

/* A copy of what is stored; empty: nothing, or nothing of this form. */
static void value_copy(const struct stored *stored, uint64_t now_ms, struct value_bytes *out)
{
    bool is_good = !is_over(stored, now_ms) && stored->value.length <= sizeof out->at;
    out->length = is_good ? stored->value.length : 0;
    if (out->length) memcpy(out->at, stored->value.at, out->length);
}

static void value_read(struct senderdb *db, const struct senderdb_key *key, uint64_t now_ms,
                       struct value_bytes *out)
{
    clock_see(db, now_ms);
    database_file_busy(true);
    struct stored stored = stored_find(db, key);
    value_copy(&stored, now_ms, out);
    database_file_busy(false);
}

static struct text value_text(const struct value_bytes *value)
{
    return text_from((const char *)value->at, value->length);
}

bool senderdb_count(struct senderdb *db, const struct senderdb_key *key, const struct senderdb_window *window,
                    const struct senderdb_touch *touch, const uint32_t *more)
{
    struct value_bytes value;
    clock_see(db, touch->now_ms);
    database_file_busy(true);
    struct stored old = stored_find(db, key);
    value_copy(&old, touch->now_ms, &value);
    value_forms_count(&value, window, touch->now_ms, more);
    bool is_put = put_over(db, key, touch, &old, value_text(&value));
    database_file_busy(false);
    return is_put;
}

void senderdb_counts(struct senderdb *db, const struct senderdb_key *key,
                     const struct senderdb_window *window, uint64_t now_ms, uint64_t span_ms,
                     uint64_t half_life_ms, struct senderdb_counts *out)
{
    struct value_bytes value;
    value_read(db, key, now_ms, &value);
    value_forms_counts(&value, window, now_ms, span_ms, half_life_ms, out);
}

uint32_t senderdb_distinct(struct senderdb *db, const struct senderdb_key *key, uint64_t span_ms,
                           uint32_t most, const struct senderdb_touch *touch, struct text element)
{
    struct value_bytes value;
    uint8_t hash[SIPHASH_BYTES];
    siphash(db->key, element, hash);
    value_read(db, key, touch->now_ms, &value);
    value_forms_see(&value, most, touch->now_ms,
                    (uint32_t)codec_number_at(text_from((const char *)hash, sizeof hash), 0, 4));
    senderdb_put(db, key, touch, value_text(&value));
    return value_forms_distinct(&value, span_ms, touch->now_ms);
}

uint32_t senderdb_distinct_count(struct senderdb *db, const struct senderdb_key *key, uint64_t span_ms,
                                 uint64_t now_ms)
{
    struct value_bytes value;
    value_read(db, key, now_ms, &value);
    return value_forms_distinct(&value, span_ms, now_ms);
}

/* --- keys --- */

/* Each text with its length before it: no two lists of texts have the same bytes. */
struct senderdb_key senderdb_key(const struct senderdb *db, uint8_t kind, const struct text *parts,
                                 size_t count)
{
    struct senderdb_key key;
    struct buffer bytes = { 0 };
    put_u8(&bytes, kind);
    for (size_t i = 0; i < count && i < SENDERDB_PARTS_MOST; i++) put_text(&bytes, parts[i]);
    siphash(db->key, buffer_text(&bytes), key.bytes);
    key.bytes[0] = kind;
    buffer_free(&bytes);
    return key;
}

/* --- the whole --- */

bool senderdb_commit(struct senderdb *db)
{
    database_file_busy(true);
    if (db->is_full) evict(db, EVICTED_IN_NEED);
    for (unsigned i = 0; i < PURGED_AT_ONCE && first_remove(db, hour_of(db->now_ms)); i++) continue;
    if (db->txn) used_measure(db);
    commit(db);
    database_file_busy(false);
    int error = db->error;
    db->error = 0;
    db->is_full = error == ENOSPC;
    if (db->is_broken) {
        database_file_spoil();
        error = EUCLEAN;
    }
    errno = error;
    return error == 0;
}

void senderdb_facts(struct senderdb *db, struct senderdb_facts *out)
{
    database_file_busy(true);
    if (begin(db)) used_measure(db);
    database_file_busy(false);
    *out = db->facts;
}

static bool key_read(int folder_fd, uint8_t key[SIPHASH_BYTES])
{
    uint8_t room[SIPHASH_BYTES + 1];
    int fd = openat(folder_fd, "senders.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, room, sizeof room);
    close(fd);
    if (got != SIPHASH_BYTES) return false;
    memcpy(key, room, SIPHASH_BYTES);
    return true;
}

/* With another key nothing in the file is found again: it grows old and goes. */
static bool key_take(int folder_fd, uint8_t key[SIPHASH_BYTES])
{
    if (folder_fd >= 0 && key_read(folder_fd, key)) return true;
    if (getrandom(key, SIPHASH_BYTES, 0) != SIPHASH_BYTES) return false;
    return folder_fd < 0 ||
           file_replace(folder_fd, "senders.key", text_from((const char *)key, SIPHASH_BYTES), 0600);
}

struct senderdb *senderdb_open(int folder_fd, uint64_t limit_bytes, enum senderdb_found *out)
{
    struct senderdb *db = memory_alloc(sizeof *db);
    MDB_envinfo info;
    if (key_take(folder_fd, db->key) && database_file_open(folder_fd, limit_bytes, &db->file, out)) {
        mdb_env_info(db->file.env, &info);
        db->facts.limit_bytes = info.me_mapsize;
        db->soft_bytes = info.me_mapsize / 4 * 3;
        db->changes_most = (uint32_t)(info.me_mapsize / (uint64_t)sysconf(_SC_PAGESIZE) / PAGES_OF_A_BATCH);
        return db;
    }
    *out = SENDERDB_UNUSABLE;
    free(db);
    return NULL;
}

void senderdb_close(struct senderdb *db)
{
    if (!db) return;
    database_file_busy(true);
    commit(db);
    database_file_busy(false);
    database_file_close(&db->file);
    free(db);
}
