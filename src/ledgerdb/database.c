/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Opening, transactions, and the size of the log. What is stored: entries.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "ledgerdb/database_private.h"
#include "ledgerdb/migration.h"

/* The log is emptied when it is over LOG_USUAL. Readers work in steps, so a short wait for them is enough. A
   reader that does not (another program's) stops storing at LOG_MOST: events then wait outside. */
enum { LOG_USUAL = 32 << 20, LOG_MOST = 256 << 20, READER_WAIT_MS = 400, BUSY_MS = 50 };

/* --- open and close --- */

static enum ledgerdb_outcome statements_prepare(struct database *database)
{
    for (int i = 0; i < STATEMENTS; i++) {
        database->statements[i] = sql_prepare(database->sql, statements_texts[i]);
        if (!database->statements[i])
            return sql_tell(database->sql, sql_failure(database->sql), statements_texts[i]);
    }
    database->pending = pending_new(database->sql);
    database->lists = list_history_new(database->sql);
    database->parts = part_history_new(database->sql);
    database->colleagues = colleagues_new(database->sql);
    return database->pending && database->lists && database->parts && database->colleagues
               ? LEDGERDB_DONE
               : sql_tell(database->sql, sql_failure(database->sql),
                          "the tables of sums, terms, lists, parts and colleagues");
}

static bool file_find(const struct database *database, struct stat *out)
{
    return stat(database->path, out) == 0;
}

/* What is written into a file without a name is gone with this process. */
static bool is_in_place(const struct database *database)
{
    struct stat facts;
    return file_find(database, &facts) && facts.st_dev == database->device && facts.st_ino == database->file;
}

static void file_remember(struct database *database)
{
    struct stat facts;
    if (!file_find(database, &facts)) return;
    database->device = facts.st_dev;
    database->file = facts.st_ino;
}

static enum ledgerdb_outcome open_once(const char *path, struct database **out)
{
    struct database *database = memory_alloc(sizeof *database);
    struct buffer why = { 0 };
    snprintf(database->path, sizeof database->path, "%s", path);
    database->arena = arena_new(0);
    *out = NULL;
    enum ledgerdb_outcome outcome = sql_open(path, true, &database->sql, &why);
    if (outcome != LEDGERDB_DONE) log_error("ledger: %.*s", TEXT_ARG(buffer_text(&why)));
    if (outcome == LEDGERDB_DONE) outcome = migration_run(database->sql, migration_latest);
    if (outcome == LEDGERDB_DONE) outcome = statements_prepare(database);
    if (outcome == LEDGERDB_DONE) {
        file_remember(database);
        *out = database;
    } else {
        database_close(database);
    }
    buffer_free(&why);
    return outcome;
}

static bool rename_suffix(const char *path, const char *suffix, time_t now)
{
    char from[4096 + 8], to[4096 + 48];
    snprintf(from, sizeof from, "%s%s", path, suffix);
    snprintf(to, sizeof to, "%s.damaged-%lld%s", path, (long long)now, suffix);
    return rename(from, to) == 0;
}

/* The log and its index go along: with them the damaged database may still be repaired by hand. */
static bool set_aside(const char *path)
{
    time_t now = time(NULL);
    bool is_moved = rename_suffix(path, "", now);
    rename_suffix(path, "-wal", now);
    rename_suffix(path, "-shm", now);
    if (is_moved)
        log_error("ALARM: %s is damaged: set aside as %s.damaged-%lld, a new one is begun", path, path,
                  (long long)now);
    else
        log_error("ALARM: %s is damaged and cannot be renamed: %m", path);
    return is_moved;
}

enum ledgerdb_outcome database_open(const char *folder, struct database **out, bool *out_damaged)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    *out_damaged = false;
    enum ledgerdb_outcome outcome = open_once(path, out);
    if (outcome != LEDGERDB_DAMAGED) return outcome;
    *out_damaged = true;
    return set_aside(path) ? open_once(path, out) : LEDGERDB_LATER;
}

void database_close(struct database *database)
{
    if (!database) return;
    for (int i = 0; i < STATEMENTS; i++) sql_drop(database->statements[i]);
    pending_free(database->pending);
    list_history_free(database->lists);
    part_history_free(database->parts);
    colleagues_free(database->colleagues);
    outbox_free(database->outbox);
    sql_close(database->sql);
    arena_free(database->arena);
    buffer_free(&database->terms);
    free(database);
}

bool database_is_stale(const struct database *database)
{
    return sql_is_read_only(database->sql) || !is_in_place(database);
}

void database_set_config(struct database *database, const struct config *config)
{
    database->config = config;
}

void database_set_node(struct database *database, uint16_t node)
{
    database->node = node;
}

void database_set_today(struct database *database, uint32_t day)
{
    database->today = day;
}

enum ledgerdb_outcome database_known_lists(struct database *database, uint32_t until_day, struct arena *arena,
                                           struct list_pair **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome = list_history_known(database->sql, until_day, arena, out, out_count);
    return sql_tell(database->sql, outcome, "the mailing lists");
}

enum ledgerdb_outcome database_colleagues(struct database *database, struct arena *arena,
                                          struct colleague **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome = colleagues_read(database->sql, arena, out, out_count);
    return sql_tell(database->sql, outcome, "the names of our senders");
}

enum ledgerdb_outcome database_bar_colleague(struct database *database, struct text what, unsigned *out_rows)
{
    enum ledgerdb_outcome outcome = database_begin(database);
    if (outcome == LEDGERDB_DONE) outcome = colleagues_bar(database->sql, what, out_rows);
    sql_tell(database->sql, outcome, "barring a name of a sender");
    if (outcome == LEDGERDB_DONE) outcome = database_commit(database);
    if (outcome != LEDGERDB_DONE) database_rollback(database);
    return outcome;
}

void database_set_durable(struct database *database)
{
    sql_tell(database->sql, sql_run(database->sql, "PRAGMA synchronous=FULL"), "syncing each commit");
}

/* --- transactions --- */

static void log_empty(struct database *database)
{
    sql_wait_most(database->sql, READER_WAIT_MS);
    sql_checkpoint(database->sql);
    sql_wait_most(database->sql, BUSY_MS);
}

enum ledgerdb_outcome database_begin(struct database *database)
{
    if (!is_in_place(database)) {
        log_error("ALARM: %s was taken away while it was open", database->path);
        return LEDGERDB_LATER;
    }
    if (database_log_bytes(database) > LOG_MOST) {
        log_empty(database);
        if (database_log_bytes(database) > LOG_MOST) {
            if (!database->has_complained)
                log_error("ALARM: a program holds %s open and keeps its log from being emptied",
                          database->path);
            database->has_complained = true;
            return LEDGERDB_LATER;
        }
    }
    database->has_complained = false;
    list_history_begin(database->lists);
    return sql_tell(database->sql, sql_run(database->sql, "BEGIN IMMEDIATE"), "beginning");
}

enum ledgerdb_outcome database_commit(struct database *database)
{
    enum ledgerdb_outcome outcome =
        sql_tell(database->sql, pending_write(database->pending), "sums and terms");
    if (outcome == LEDGERDB_DONE)
        outcome = sql_tell(database->sql, outbox_write(database->outbox), "the outbox");
    if (outcome == LEDGERDB_DONE)
        outcome = sql_tell(database->sql, sql_run(database->sql, "COMMIT"), "committing");
    if (outcome == LEDGERDB_DONE) part_history_tell(database->parts);
    if (outcome == LEDGERDB_DONE && database_log_bytes(database) > LOG_USUAL) log_empty(database);
    return outcome;
}

void database_rollback(struct database *database)
{
    pending_drop(database->pending);
    outbox_drop(database->outbox);
    part_history_drop(database->parts);
    if (sql_in_transaction(database->sql)) sql_run(database->sql, "ROLLBACK");
}

/* --- size --- */

static uint64_t file_bytes(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

uint64_t database_log_bytes(const struct database *database)
{
    char path[4096 + 8];
    snprintf(path, sizeof path, "%s-wal", database->path);
    return file_bytes(path);
}

uint64_t database_bytes(const struct database *database)
{
    return file_bytes(database->path) + database_log_bytes(database);
}
