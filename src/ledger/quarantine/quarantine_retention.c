/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What leaves the quarantine by itself, a few a turn. Rows first, then the file: a file that is left over is
   found at the next start, a row without a file never is. */
#include <errno.h>

#include "base/log.h"
#include "ledger/quarantine/quarantine_private.h"

enum { ROWS_A_TURN = 50, AGED_AGAIN_MS = 5000, STRAYS_AGAIN_MS = 60 * 1000, FULL_PERCENT = 95 };

/* The order in which room is made. Nothing else ever goes before its time. */
static const enum held_class expendable[] = { HELD_VIRUS, HELD_SPAM, HELD_PHISHING };

void quarantine_file_drop(struct quarantine *quarantine, uint64_t message)
{
    struct sql *sql = database_sql(quarantine->database);
    char id[MESSAGE_ID_SIZE];
    if (held_needs_file(sql, message)) {
        quarantine_note(quarantine, message);
        return;
    }
    uint64_t bytes = quarantine_store_file_bytes(quarantine->store, message);
    if (!quarantine_store_remove(quarantine->store, message)) {
        log_error("quarantine: the file of %s cannot be removed: %s", message_id_print(message, id),
                  strerror(errno));
        return;
    }
    if (held_begin(quarantine->database) != LEDGERDB_DONE) return;
    if (held_forget_file(quarantine->database, message) == LEDGERDB_DONE)
        held_commit(quarantine->database);
    else
        held_rollback(quarantine->database);
    quarantine->facts.bytes -= bytes < quarantine->facts.bytes ? bytes : quarantine->facts.bytes;
}

static void files_drop(struct quarantine *quarantine, const struct held_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (i + 1 == rows->count || rows->items[i + 1].message != rows->items[i].message)
            quarantine_file_drop(quarantine, rows->items[i].message);
}

/* How many went. */
static size_t age(struct quarantine *quarantine, const struct held_rows *rows, struct text why)
{
    struct database *database = quarantine->database;
    size_t count = 0;
    if (!rows->count || held_begin(database) != LEDGERDB_DONE) return 0;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    for (size_t i = 0; i < rows->count && outcome == LEDGERDB_DONE; i++) {
        bool is_changed;
        struct held_move move = { .message = rows->items[i].message,
                                  .number = rows->items[i].number,
                                  .from = HELD_KEPT,
                                  .to = HELD_AGED,
                                  .now_ms = loop_wall_ms(quarantine->loop),
                                  .by = why };
        outcome = held_move(database, &move, &is_changed);
        count += is_changed;
    }
    if (outcome != LEDGERDB_DONE)
        held_rollback(database);
    else
        outcome = held_commit(database);
    if (outcome != LEDGERDB_DONE) return 0;
    quarantine->facts.aged += count;
    quarantine->facts.recipients -= count;
    files_drop(quarantine, rows);
    return count;
}

/* Whole messages from the oldest on, until their files have `bytes` together. */
static void rows_trim(struct held_rows *rows, uint64_t bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (i + 1 < rows->count && rows->items[i + 1].message == rows->items[i].message) continue;
        sum += rows->items[i].bytes;
        if (sum < bytes) continue;
        rows->count = i + 1;
        return;
    }
}

static size_t class_age(struct quarantine *quarantine, enum held_class class, uint64_t before_ms,
                        uint64_t bytes, struct text why)
{
    struct held_rows rows;
    arena_reset(quarantine->arena);
    if (held_oldest(database_sql(quarantine->database), quarantine->arena, class, before_ms, ROWS_A_TURN,
                    &rows) != LEDGERDB_DONE)
        return 0;
    rows_trim(&rows, bytes);
    return age(quarantine, &rows, why);
}

static bool old_go(struct quarantine *quarantine)
{
    uint64_t now = ingest_old_ms(quarantine->ingest);
    for (int class = 0; class < HELD_CLASSES; class ++) {
        uint64_t keep = quarantine->config->quarantine.keep_ms[class];
        if (!keep || keep > now) continue;
        if (class_age(quarantine, (enum held_class) class, now - keep, UINT64_MAX, TEXT("its time was over")))
            return true;
    }
    return false;
}

/* A little below the limit, so that the next message finds room, and one that did not find any. A turn takes
   no more from a class than one look gives. */
void quarantine_make_room(struct quarantine *quarantine)
{
    uint64_t most = quarantine->config->quarantine.most_bytes;
    uint64_t usual = most / 100 * FULL_PERCENT, target = usual;
    if (quarantine->wanted <= most && most - quarantine->wanted < usual) target = most - quarantine->wanted;
    for (size_t i = 0; i < sizeof expendable / sizeof *expendable && quarantine->facts.bytes > target; i++)
        class_age(quarantine, expendable[i], INT64_MAX, quarantine->facts.bytes - target,
                  TEXT("room was wanted"));
    if (quarantine->facts.bytes <= target) quarantine->wanted = 0;
}

/* The hold was released or removed in the journal while nobody told us. */
static bool strays_go(struct quarantine *quarantine)
{
    struct held_rows rows;
    arena_reset(quarantine->arena);
    uint64_t now = loop_now_ms(quarantine->loop);
    if (now < quarantine->stray_ms) return false;
    quarantine->stray_ms = now + STRAYS_AGAIN_MS; /* all rows are looked at */
    if (held_strays(database_sql(quarantine->database), quarantine->arena, ROWS_A_TURN, &rows) !=
        LEDGERDB_DONE)
        return false;
    if (!rows.count || held_begin(quarantine->database) != LEDGERDB_DONE) return false;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    for (size_t i = 0; i < rows.count && outcome == LEDGERDB_DONE; i++)
        outcome = held_forget_row(quarantine->database, rows.items[i].message, rows.items[i].number);
    if (outcome != LEDGERDB_DONE)
        held_rollback(quarantine->database);
    else
        outcome = held_commit(quarantine->database);
    if (outcome != LEDGERDB_DONE) return false;
    quarantine->facts.recipients -= rows.count;
    files_drop(quarantine, &rows);
    quarantine->stray_ms = now;
    return true;
}

/* Files that nobody needs. Those without a row: quarantine_reindex.c. */
static void sweep(struct quarantine *quarantine)
{
    struct held_rows rows;
    arena_reset(quarantine->arena);
    if (held_empty(database_sql(quarantine->database), quarantine->arena, 0, &rows) == LEDGERDB_DONE)
        for (size_t i = 0; i < rows.count; i++) quarantine_file_drop(quarantine, rows.items[i].message);
    quarantine->was_swept = true;
}

bool quarantine_let_go(struct quarantine *quarantine)
{
    uint64_t now = loop_now_ms(quarantine->loop);
    if (!quarantine->was_swept) sweep(quarantine);
    if (quarantine->wanted || quarantine->facts.bytes > quarantine->config->quarantine.most_bytes)
        quarantine_make_room(quarantine);
    if (now < quarantine->aged_ms) return false;
    if (old_go(quarantine) || strays_go(quarantine)) return true;
    quarantine->aged_ms = now + AGED_AGAIN_MS;
    return false;
}
