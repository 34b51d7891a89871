/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows SQLite. */
#include "ledgerdb/sql.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/beat.h"
#include "base/die.h"
#include "base/log.h"

enum {
    BUSY_MS = 50,
    PROGRESS_STEPS = 4000, /* of SQLite's machine between two looks at the clock: well under a millisecond */
    WRITER_CACHE_KIB = 32 * 1024,
    CHECKPOINT_PAGES = 4096,
    SPARE_STATEMENTS = 32
};

struct sql {
    sqlite3 *handle;
    struct timespec deadline;
    bool has_deadline;
    int failure;                           /* the last result that was not good */
    enum ledgerdb_outcome meaning;         /* of that one */
    sqlite3_stmt *spare[SPARE_STATEMENTS]; /* dropped, for whoever prepares the same text; NULL: none */
    unsigned next_spare;                   /* where the next one goes */
};

struct sql_statement {
    sqlite3_stmt *handle;
    struct sql *sql;
};

/* SQLITE_ERROR is much: a library without a module, a statement that was out of place. */
static bool lacks_tables(const struct sql *sql)
{
    static const char *const words[] = { "no such table", "no such column", "table " };
    struct text error = text_of(sqlite3_errmsg(sql->handle));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_starts(error, text_of(words[i]))) return true;
    return false;
}

static enum ledgerdb_outcome failed(struct sql *sql, int result, enum ledgerdb_outcome meaning)
{
    sql->failure = result;
    return sql->meaning = meaning;
}

static enum ledgerdb_outcome outcome_of(struct sql *sql, int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return LEDGERDB_DONE;
    case SQLITE_ROW:
        return LEDGERDB_ROW;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return failed(sql, result, LEDGERDB_DAMAGED);
    case SQLITE_ERROR:
        return failed(sql, result, lacks_tables(sql) ? LEDGERDB_DAMAGED : LEDGERDB_LATER);
    case SQLITE_NOMEM:
        die("out of memory (database)");
    case SQLITE_MISUSE:
        bug("the database is misused");
    default:
        return failed(sql, result, LEDGERDB_LATER);
    }
}

/* --- open and close --- */

static enum ledgerdb_outcome settings_make(struct sql *sql, bool is_writer)
{
    char text[320];
    sqlite3_busy_timeout(sql->handle, BUSY_MS);
    sql_time_limit(sql, 0);
    if (!is_writer)
        return sql_run(sql, "PRAGMA temp_store=MEMORY; PRAGMA query_only=1; PRAGMA cache_size=-32768");
    snprintf(text, sizeof text,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
             " PRAGMA wal_autocheckpoint=%d; PRAGMA cache_size=-%d; PRAGMA journal_size_limit=67108864",
             CHECKPOINT_PAGES, WRITER_CACHE_KIB);
    return sql_run(sql, text);
}

/* Processes that open a database have one thread: no locks, and no account of SQLite's own memory. Once
   SQLite has begun it takes neither, which a second database does not need. */
static void library_set(void)
{
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum ledgerdb_outcome sql_open(const char *path, bool is_writer, struct sql **out, struct buffer *why)
{
    struct sql *sql = memory_alloc(sizeof *sql);
    int mode = is_writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    library_set();
    int result = sqlite3_open_v2(path, &sql->handle, mode | SQLITE_OPEN_NOMUTEX, NULL);
    enum ledgerdb_outcome outcome = outcome_of(sql, result);
    if (outcome == LEDGERDB_DONE) outcome = settings_make(sql, is_writer);
    *out = outcome == LEDGERDB_DONE ? sql : NULL;
    if (outcome == LEDGERDB_DONE) return outcome;
    buffer_printf(why, "%s: %s", path, sql_error(sql));
    sql_close(sql);
    return outcome;
}

void sql_close(struct sql *sql)
{
    if (!sql) return;
    for (int i = 0; i < SPARE_STATEMENTS; i++) sqlite3_finalize(sql->spare[i]);
    sqlite3_close_v2(sql->handle);
    free(sql);
}

bool sql_is_read_only(const struct sql *sql)
{
    return sqlite3_db_readonly(sql->handle, "main") == 1;
}

const char *sql_error(const struct sql *sql)
{
    bool is_past = sqlite3_errcode(sql->handle) == SQLITE_OK && sql->failure; /* a call after it went well */
    return is_past ? sqlite3_errstr(sql->failure) : sqlite3_errmsg(sql->handle);
}

enum ledgerdb_outcome sql_failure(const struct sql *sql)
{
    return sql->failure ? sql->meaning : LEDGERDB_LATER;
}

enum ledgerdb_outcome sql_tell(const struct sql *sql, enum ledgerdb_outcome outcome, const char *what)
{
    if (outcome != LEDGERDB_DONE) log_error("ledger: %s: %s", what, sql_error(sql));
    return outcome;
}

/* --- statements --- */

enum ledgerdb_outcome sql_run(struct sql *sql, const char *text)
{
    return outcome_of(sql, sqlite3_exec(sql->handle, text, NULL, NULL, NULL));
}

enum ledgerdb_outcome sql_number(struct sql *sql, const char *text, int64_t *out)
{
    struct sql_statement *statement = sql_prepare(sql, text);
    *out = 0;
    if (!statement) return outcome_of(sql, sqlite3_errcode(sql->handle));
    enum ledgerdb_outcome outcome = sql_step(statement);
    if (outcome == LEDGERDB_ROW) *out = (int64_t)sql_get(statement, 0);
    sql_drop(statement);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

/* To parse a text and to plan it costs more than most of the questions themselves. */
static sqlite3_stmt *spare_take(struct sql *sql, const char *text)
{
    for (int i = 0; i < SPARE_STATEMENTS; i++) {
        sqlite3_stmt *handle = sql->spare[i];
        if (!handle || strcmp(sqlite3_sql(handle), text) != 0) continue;
        sql->spare[i] = NULL;
        return handle;
    }
    return NULL;
}

/* A place that is free, so that what is often asked drives out nothing; else the next one's. */
static sqlite3_stmt **spare_place(struct sql *sql)
{
    for (int i = 0; i < SPARE_STATEMENTS; i++)
        if (!sql->spare[i]) return &sql->spare[i];
    return &sql->spare[sql->next_spare++ % SPARE_STATEMENTS];
}

static void spare_put(struct sql *sql, sqlite3_stmt *handle)
{
    sqlite3_stmt **place = spare_place(sql);
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
    sqlite3_finalize(*place);
    *place = handle;
}

struct sql_statement *sql_prepare(struct sql *sql, const char *text)
{
    sqlite3_stmt *handle = spare_take(sql, text);
    int result = SQLITE_OK;
    if (!handle) result = sqlite3_prepare_v3(sql->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
    if (outcome_of(sql, result) != LEDGERDB_DONE) return NULL;
    struct sql_statement *statement = memory_alloc(sizeof *statement);
    *statement = (struct sql_statement){ handle, sql };
    return statement;
}

void sql_drop(struct sql_statement *statement)
{
    if (!statement) return;
    spare_put(statement->sql, statement->handle);
    free(statement);
}

void sql_bind(struct sql_statement *statement, int column, uint64_t number)
{
    sqlite3_bind_int64(statement->handle, column, (sqlite3_int64)number);
}

void sql_bind_text(struct sql_statement *statement, int column, struct text text)
{
    if (text.length == 0)
        sqlite3_bind_null(statement->handle, column);
    else
        sqlite3_bind_text(statement->handle, column, text.at, (int)text.length, SQLITE_STATIC);
}

void sql_bind_bytes(struct sql_statement *statement, int column, struct text bytes)
{
    sqlite3_bind_blob(statement->handle, column, bytes.length ? bytes.at : "", (int)bytes.length,
                      SQLITE_STATIC);
}

void sql_bind_empty(struct sql_statement *statement, int column)
{
    sqlite3_bind_text(statement->handle, column, "", 0, SQLITE_STATIC);
}

void sql_bind_real(struct sql_statement *statement, int column, double number)
{
    sqlite3_bind_double(statement->handle, column, number);
}

void sql_bind_null(struct sql_statement *statement, int column)
{
    sqlite3_bind_null(statement->handle, column);
}

void sql_bind_unless_0(struct sql_statement *statement, int column, uint64_t value)
{
    if (value)
        sql_bind(statement, column, value);
    else
        sql_bind_null(statement, column);
}

enum ledgerdb_outcome sql_step(struct sql_statement *statement)
{
    return outcome_of(statement->sql, sqlite3_step(statement->handle));
}

enum ledgerdb_outcome sql_do(struct sql_statement *statement)
{
    enum ledgerdb_outcome outcome;
    while ((outcome = sql_step(statement)) == LEDGERDB_ROW) continue;
    sqlite3_reset(statement->handle);
    return outcome;
}

void sql_reset(struct sql_statement *statement)
{
    sqlite3_reset(statement->handle);
}

uint64_t sql_get(struct sql_statement *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement->handle, column);
}

double sql_get_real(struct sql_statement *statement, int column)
{
    return sqlite3_column_double(statement->handle, column);
}

struct text sql_get_text(struct sql_statement *statement, int column)
{
    const char *at = (const char *)sqlite3_column_text(statement->handle, column);
    return text_from(at, at ? (size_t)sqlite3_column_bytes(statement->handle, column) : 0);
}

bool sql_is_null(struct sql_statement *statement, int column)
{
    return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

unsigned sql_changes(const struct sql *sql)
{
    return (unsigned)sqlite3_changes(sql->handle);
}

bool sql_in_transaction(const struct sql *sql)
{
    return !sqlite3_get_autocommit(sql->handle);
}

/* --- time and the log --- */

void sql_wait_most(struct sql *sql, int ms)
{
    sqlite3_busy_timeout(sql->handle, ms);
}

static int is_over(void *context)
{
    const struct sql *sql = context;
    struct timespec now;
    beat();
    if (!sql->has_deadline) return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > sql->deadline.tv_sec ||
           (now.tv_sec == sql->deadline.tv_sec && now.tv_nsec > sql->deadline.tv_nsec);
}

void sql_time_limit(struct sql *sql, unsigned ms)
{
    sql->has_deadline = ms > 0;
    clock_gettime(CLOCK_MONOTONIC, &sql->deadline);
    sql->deadline.tv_sec += ms / 1000;
    sql->deadline.tv_nsec += (long)(ms % 1000) * 1000000;
    if (sql->deadline.tv_nsec >= 1000000000) {
        sql->deadline.tv_sec++;
        sql->deadline.tv_nsec -= 1000000000;
    }
    sqlite3_progress_handler(sql->handle, PROGRESS_STEPS, is_over, sql);
}

bool sql_checkpoint(struct sql *sql)
{
    return sqlite3_wal_checkpoint_v2(sql->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK;
}
