/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What leaves the quarantine by itself, a few a turn. Rows first, then the file: a file that is left over is
   found at the next start, a row without a file never is. */
#include <errno.h>

#include "base/log.h"
#include "ledger/quarantine/custody_private.h"

enum { ROWS_A_TURN = 50, AGED_AGAIN_MS = 5000, STRAYS_AGAIN_MS = 60 * 1000, FULL_PERCENT = 95 };

/* The order in which room is made. Nothing else ever goes before its time. */
static const enum held_class expendable[] = { HELD_VIRUS, HELD_SPAM, HELD_PHISHING };

void custody_file_drop(struct custody *custody, uint64_t message)
{
    struct sql *sql = database_sql(custody->database);
    char id[MESSAGE_ID_SIZE];
    if (held_needs_file(sql, message)) {
        custody_note(custody, message);
        return;
    }
    uint64_t bytes = vault_file_bytes(custody->vault, message);
    if (!vault_remove(custody->vault, message)) {
        log_error("quarantine: the file of %s cannot be removed: %s", message_id_print(message, id),
                  strerror(errno));
        return;
    }
    if (held_begin(custody->database) != BOOKS_DONE) return;
    if (held_forget_file(custody->database, message) == BOOKS_DONE)
        held_commit(custody->database);
    else
        held_rollback(custody->database);
    custody->facts.bytes -= bytes < custody->facts.bytes ? bytes : custody->facts.bytes;
}

static void files_drop(struct custody *custody, const struct held_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (i + 1 == rows->count || rows->items[i + 1].message != rows->items[i].message)
            custody_file_drop(custody, rows->items[i].message);
}

/* How many went. */
static size_t age(struct custody *custody, const struct held_rows *rows, struct text why)
{
    struct database *database = custody->database;
    size_t count = 0;
    if (!rows->count || held_begin(database) != BOOKS_DONE) return 0;
    enum books_outcome outcome = BOOKS_DONE;
    for (size_t i = 0; i < rows->count && outcome == BOOKS_DONE; i++) {
        bool is_changed;
        struct held_move move = { .message = rows->items[i].message,
                                  .number = rows->items[i].number,
                                  .from = HELD_KEPT,
                                  .to = HELD_AGED,
                                  .now_ms = loop_wall_ms(custody->loop),
                                  .by = why };
        outcome = held_move(database, &move, &is_changed);
        count += is_changed;
    }
    if (outcome != BOOKS_DONE)
        held_rollback(database);
    else
        outcome = held_commit(database);
    if (outcome != BOOKS_DONE) return 0;
    custody->facts.aged += count;
    custody->facts.recipients -= count;
    files_drop(custody, rows);
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

static size_t class_age(struct custody *custody, enum held_class class, uint64_t before_ms, uint64_t bytes,
                        struct text why)
{
    struct held_rows rows;
    arena_reset(custody->arena);
    if (held_oldest(database_sql(custody->database), custody->arena, class, before_ms, ROWS_A_TURN, &rows) !=
        BOOKS_DONE)
        return 0;
    rows_trim(&rows, bytes);
    return age(custody, &rows, why);
}

static bool old_go(struct custody *custody)
{
    uint64_t now = harvest_old_ms(custody->harvest);
    for (int class = 0; class < HELD_CLASSES; class ++) {
        uint64_t keep = custody->config->quarantine.keep_ms[class];
        if (!keep || keep > now) continue;
        if (class_age(custody, (enum held_class) class, now - keep, UINT64_MAX, TEXT("its time was over")))
            return true;
    }
    return false;
}

/* A little below the limit, so that the next message finds room, and one that did not find any. A turn takes
   no more from a class than one look gives. */
void custody_make_room(struct custody *custody)
{
    uint64_t most = custody->config->quarantine.most_bytes;
    uint64_t usual = most / 100 * FULL_PERCENT, target = usual;
    if (custody->wanted <= most && most - custody->wanted < usual) target = most - custody->wanted;
    for (size_t i = 0; i < sizeof expendable / sizeof *expendable && custody->facts.bytes > target; i++)
        class_age(custody, expendable[i], INT64_MAX, custody->facts.bytes - target, TEXT("room was wanted"));
    if (custody->facts.bytes <= target) custody->wanted = 0;
}

/* The hold was released or removed in the journal while nobody told us. */
static bool strays_go(struct custody *custody)
{
    struct held_rows rows;
    arena_reset(custody->arena);
    uint64_t now = loop_now_ms(custody->loop);
    if (now < custody->stray_ms) return false;
    custody->stray_ms = now + STRAYS_AGAIN_MS; /* all rows are looked at */
    if (held_strays(database_sql(custody->database), custody->arena, ROWS_A_TURN, &rows) != BOOKS_DONE)
        return false;
    if (!rows.count || held_begin(custody->database) != BOOKS_DONE) return false;
    enum books_outcome outcome = BOOKS_DONE;
    for (size_t i = 0; i < rows.count && outcome == BOOKS_DONE; i++)
        outcome = held_forget_row(custody->database, rows.items[i].message, rows.items[i].number);
    if (outcome != BOOKS_DONE)
        held_rollback(custody->database);
    else
        outcome = held_commit(custody->database);
    if (outcome != BOOKS_DONE) return false;
    custody->facts.recipients -= rows.count;
    files_drop(custody, &rows);
    custody->stray_ms = now;
    return true;
}

/* Files that nobody needs. Those without a row: regain.c. */
static void sweep(struct custody *custody)
{
    struct held_rows rows;
    arena_reset(custody->arena);
    if (held_empty(database_sql(custody->database), custody->arena, 0, &rows) == BOOKS_DONE)
        for (size_t i = 0; i < rows.count; i++) custody_file_drop(custody, rows.items[i].message);
    custody->was_swept = true;
}

bool custody_let_go(struct custody *custody)
{
    uint64_t now = loop_now_ms(custody->loop);
    if (!custody->was_swept) sweep(custody);
    if (custody->wanted || custody->facts.bytes > custody->config->quarantine.most_bytes)
        custody_make_room(custody);
    if (now < custody->aged_ms) return false;
    if (old_go(custody) || strays_go(custody)) return true;
    custody->aged_ms = now + AGED_AGAIN_MS;
    return false;
}
