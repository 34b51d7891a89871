/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows SQLite. Statements are prepared once; texts are bound as they lie in the ring. */
#include "ledger/database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"

enum { SCHEMA_VERSION = 1, PATH_SIZE = 4096, BUSY_MS = 50, CHECKPOINT_PAGES = 8192 };

static const char schema[] =
    "CREATE TABLE schema(version INTEGER NOT NULL);"
    "INSERT INTO schema VALUES(1);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, direction INTEGER NOT NULL,"
    "  client TEXT, helo TEXT, sender TEXT, size INTEGER, verdict TEXT, own INTEGER NOT NULL);"
    "CREATE TABLE recipient(message INTEGER NOT NULL, number INTEGER NOT NULL, address TEXT,"
    "  accepted_ms INTEGER, ending INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER, dsn TEXT, relay TEXT,"
    "  reply TEXT, PRIMARY KEY(message, number)) WITHOUT ROWID;"
    "CREATE TABLE refusal(time INTEGER NOT NULL, slot INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  client TEXT, helo TEXT, sender TEXT, recipient TEXT, reply TEXT,"
    "  PRIMARY KEY(time, slot, position)) WITHOUT ROWID;";

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    STORE_MESSAGE,
    STORE_RECIPIENT,
    STORE_ENDING,
    STORE_REFUSAL,
    STATEMENTS
};

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [STORE_MESSAGE] =
        "INSERT OR IGNORE INTO message(id, time, direction, client, helo, sender, size, verdict,"
        " own) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STORE_RECIPIENT] = "INSERT INTO recipient(message, number, address, accepted_ms) VALUES(?1, ?2, ?3, ?4)"
                        " ON CONFLICT DO UPDATE SET address = excluded.address,"
                        " accepted_ms = excluded.accepted_ms WHERE accepted_ms IS NULL",
    [STORE_ENDING] = "INSERT INTO recipient(message, number, ending, ended_ms, dsn, relay, reply)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET ending = excluded.ending,"
                     " ended_ms = excluded.ended_ms, dsn = excluded.dsn, relay = excluded.relay,"
                     " reply = excluded.reply WHERE ending = 0",
    [STORE_REFUSAL] = "INSERT OR IGNORE INTO refusal(time, slot, position, client, helo, sender, recipient,"
                      " reply) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
};

struct database {
    sqlite3 *sqlite;
    sqlite3_stmt *statements[STATEMENTS];
    char path[PATH_SIZE];
};

static enum database_outcome outcome_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return DATABASE_DONE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:
        return DATABASE_DAMAGED; /* ERROR: a table or column of ours is not there */
    case SQLITE_NOMEM:
        die("out of memory (database)");
    case SQLITE_MISUSE:
        bug("the database is misused");
    default:
        return DATABASE_LATER;
    }
}

static enum database_outcome failure_tell(const struct database *database, int result, const char *what)
{
    enum database_outcome outcome = outcome_of(result);
    if (outcome != DATABASE_DONE)
        log_error("ledger: %s: %s (%d)", what, sqlite3_errmsg(database->sqlite),
                  sqlite3_extended_errcode(database->sqlite));
    return outcome;
}

static enum database_outcome run(struct database *database, enum statement number)
{
    sqlite3_stmt *statement = database->statements[number];
    int result = sqlite3_step(statement);
    enum database_outcome outcome = failure_tell(database, result, statement_texts[number]);
    sqlite3_reset(statement);
    return outcome;
}

/* --- open and close --- */

static int text_number(void *context, int columns, char **values, char **names)
{
    *(int *)context = columns > 0 && values[0] ? atoi(values[0]) : 0;
    return 0;
}

/* Version of what is there, 0 for an empty file. */
static enum database_outcome version_read(struct database *database, int *out_version)
{
    int tables = 0;
    *out_version = 0;
    int result =
        sqlite3_exec(database->sqlite, "SELECT count(*) FROM sqlite_schema", text_number, &tables, NULL);
    if (result == SQLITE_OK && tables > 0)
        result =
            sqlite3_exec(database->sqlite, "SELECT max(version) FROM schema", text_number, out_version, NULL);
    if (result == SQLITE_OK && tables > 0 && *out_version == 0) return DATABASE_DAMAGED;
    return failure_tell(database, result, "reading the schema");
}

static enum database_outcome schema_make(struct database *database)
{
    char text[sizeof schema + 32];
    snprintf(text, sizeof text, "BEGIN;%sCOMMIT;", schema);
    return failure_tell(database, sqlite3_exec(database->sqlite, text, NULL, NULL, NULL),
                        "making the tables");
}

static enum database_outcome schema_check(struct database *database)
{
    int version;
    enum database_outcome outcome = version_read(database, &version);
    if (outcome != DATABASE_DONE) return outcome;
    if (version == 0) return schema_make(database);
    if (version <= SCHEMA_VERSION) return DATABASE_DONE;
    log_error("%s: has version %d, this program knows up to %d", database->path, version, SCHEMA_VERSION);
    return DATABASE_NEWER;
}

static enum database_outcome settings_make(struct database *database)
{
    char text[256];
    snprintf(text, sizeof text,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
             " PRAGMA wal_autocheckpoint=%d; PRAGMA cache_size=-8192; PRAGMA journal_size_limit=67108864",
             CHECKPOINT_PAGES);
    sqlite3_busy_timeout(database->sqlite, BUSY_MS);
    return failure_tell(database, sqlite3_exec(database->sqlite, text, NULL, NULL, NULL), "settings");
}

static enum database_outcome statements_prepare(struct database *database)
{
    for (int i = 0; i < STATEMENTS; i++) {
        int result = sqlite3_prepare_v3(database->sqlite, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &database->statements[i], NULL);
        if (result != SQLITE_OK) return failure_tell(database, result, statement_texts[i]);
    }
    return DATABASE_DONE;
}

static enum database_outcome open_once(const char *path, struct database **out)
{
    struct database *database = memory_alloc(sizeof *database);
    snprintf(database->path, sizeof database->path, "%s", path);
    *out = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(path, &database->sqlite, flags, NULL);
    enum database_outcome outcome = failure_tell(database, result, path);
    if (outcome == DATABASE_DONE) outcome = settings_make(database);
    if (outcome == DATABASE_DONE) outcome = schema_check(database);
    if (outcome == DATABASE_DONE) outcome = statements_prepare(database);
    if (outcome == DATABASE_DONE)
        *out = database;
    else
        database_close(database);
    return outcome;
}

static bool rename_suffix(const char *path, const char *suffix, time_t now)
{
    char from[PATH_SIZE + 8], to[PATH_SIZE + 48];
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

enum database_outcome database_open(const char *folder, struct database **out, bool *out_damaged)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    *out_damaged = false;
    enum database_outcome outcome = open_once(path, out);
    if (outcome != DATABASE_DAMAGED) return outcome;
    *out_damaged = true;
    return set_aside(path) ? open_once(path, out) : DATABASE_LATER;
}

void database_close(struct database *database)
{
    if (!database) return;
    for (int i = 0; i < STATEMENTS; i++) sqlite3_finalize(database->statements[i]);
    sqlite3_close(database->sqlite);
    free(database);
}

/* --- storing --- */

enum database_outcome database_begin(struct database *database)
{
    return run(database, BEGIN);
}

enum database_outcome database_commit(struct database *database)
{
    return run(database, COMMIT);
}

void database_rollback(struct database *database)
{
    if (!sqlite3_get_autocommit(database->sqlite)) run(database, ROLLBACK);
}

static void bind_text(sqlite3_stmt *statement, int column, struct text text)
{
    sqlite3_bind_text(statement, column, text.at ? text.at : "", (int)text.length, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int column, uint64_t number)
{
    sqlite3_bind_int64(statement, column, (sqlite3_int64)number);
}

static enum database_outcome message_store(struct database *database, const struct event_accepted *event)
{
    char client[ADDRESS_TEXT_SIZE] = "";
    sqlite3_stmt *statement = database->statements[STORE_MESSAGE];
    if (!address_is_zero(&event->client)) address_print(&event->client, client);
    bind_number(statement, 1, event->id);
    bind_number(statement, 2, event->time_ms);
    bind_number(statement, 3, event->direction);
    bind_text(statement, 4, text_of(client));
    bind_text(statement, 5, event->helo);
    bind_text(statement, 6, event->sender);
    bind_number(statement, 7, event->size);
    bind_text(statement, 8, event->verdict);
    bind_number(statement, 9, event->is_own);
    return run(database, STORE_MESSAGE);
}

enum database_outcome database_store_accepted(struct database *database, const struct event_accepted *event,
                                              uint32_t first)
{
    enum database_outcome outcome = message_store(database, event);
    sqlite3_stmt *statement = database->statements[STORE_RECIPIENT];
    for (uint32_t i = 0; i < event->recipient_count && outcome == DATABASE_DONE; i++) {
        bind_number(statement, 1, event->id);
        bind_number(statement, 2, first + i);
        bind_text(statement, 3, event->recipients[i]);
        bind_number(statement, 4, event->time_ms);
        outcome = run(database, STORE_RECIPIENT);
    }
    return outcome;
}

enum database_outcome database_store_ended(struct database *database, const struct event_ended *event)
{
    sqlite3_stmt *statement = database->statements[STORE_ENDING];
    bind_number(statement, 1, event->id);
    bind_number(statement, 2, event->recipient);
    bind_number(statement, 3, event->ending);
    bind_number(statement, 4, event->time_ms);
    bind_text(statement, 5, event->dsn);
    bind_text(statement, 6, event->relay);
    bind_text(statement, 7, event->reply);
    return run(database, STORE_ENDING);
}

enum database_outcome database_store_refused(struct database *database, const struct event_refused *event,
                                             uint16_t slot, uint64_t position)
{
    char client[ADDRESS_TEXT_SIZE];
    sqlite3_stmt *statement = database->statements[STORE_REFUSAL];
    bind_number(statement, 1, event->time_ms);
    bind_number(statement, 2, slot);
    bind_number(statement, 3, position);
    bind_text(statement, 4, text_of(address_print(&event->client, client)));
    bind_text(statement, 5, event->helo);
    bind_text(statement, 6, event->sender);
    bind_text(statement, 7, event->recipient);
    bind_text(statement, 8, event->reply);
    return run(database, STORE_REFUSAL);
}

uint64_t database_bytes(const struct database *database)
{
    char path[PATH_SIZE + 8];
    struct stat facts;
    uint64_t bytes = stat(database->path, &facts) == 0 ? (uint64_t)facts.st_size : 0;
    snprintf(path, sizeof path, "%s-wal", database->path);
    return bytes + (stat(path, &facts) == 0 ? (uint64_t)facts.st_size : 0);
}

/* --- counting --- */

struct database_count {
    sqlite3 *sqlite;
    sqlite3_stmt *rows;
    uint64_t since_ms;
    struct database_sums sums;
};

struct database_count *database_count_begin(const struct database *database, uint64_t since_ms)
{
    static const char text[] = "SELECT r.accepted_ms, r.ending, r.ended_ms, m.own FROM recipient r"
                               " LEFT JOIN message m ON m.id = r.message";
    struct database_count *count = memory_alloc(sizeof *count);
    count->since_ms = since_ms;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(database->path, &count->sqlite, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(count->sqlite, BUSY_MS) == SQLITE_OK &&
        sqlite3_prepare_v2(count->sqlite, text, -1, &count->rows, NULL) == SQLITE_OK)
        return count;
    log_error("ledger: counting: %s", sqlite3_errmsg(count->sqlite));
    database_count_end(count);
    return NULL;
}

static void row_count(struct database_count *count)
{
    uint64_t accepted_ms = (uint64_t)sqlite3_column_int64(count->rows, 0);
    unsigned ending = (unsigned)sqlite3_column_int(count->rows, 1);
    uint64_t ended_ms = (uint64_t)sqlite3_column_int64(count->rows, 2);
    bool is_accepted = sqlite3_column_type(count->rows, 0) != SQLITE_NULL;
    bool is_recent = is_accepted && accepted_ms >= count->since_ms;
    if (is_recent && sqlite3_column_int(count->rows, 3)) count->sums.own++;
    if (is_recent && !sqlite3_column_int(count->rows, 3)) count->sums.accepted++;
    if (is_recent && ending == ENDING_NONE) count->sums.live++;
    if (ending != ENDING_NONE && ending < ENDING_COUNT && ended_ms >= count->since_ms) {
        count->sums.ended[ending]++;
        count->sums.unmatched += !is_accepted;
    }
}

bool database_count_step(struct database_count *count, unsigned rows, struct database_sums *out,
                         enum database_outcome *out_outcome)
{
    for (unsigned i = 0; i < rows; i++) {
        int result = sqlite3_step(count->rows);
        if (result == SQLITE_ROW) {
            row_count(count);
            continue;
        }
        *out_outcome = outcome_of(result);
        *out = count->sums;
        return true;
    }
    return false;
}

void database_count_end(struct database_count *count)
{
    sqlite3_finalize(count->rows);
    sqlite3_close(count->sqlite);
    free(count);
}
