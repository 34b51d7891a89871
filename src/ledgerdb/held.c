/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rows of the quarantine's index. */
#include "ledgerdb/held.h"

#include <stdio.h>

#include "ipc/message_id.h"
#include "ledgerdb/database_private.h"

const char *held_state_name(enum held_state state)
{
    static const char *const names[HELD_STATES] = { "unknown",  "kept",    "releasing",
                                                    "released", "deleted", "aged" };
    return (unsigned)state < HELD_STATES ? names[state] : "unknown";
}

struct sql *database_sql(struct database *database)
{
    return database->sql;
}

/* --- transactions --- */

static enum ledgerdb_outcome sync_set(struct database *database, bool is_full)
{
    return sql_tell(database->sql,
                    sql_run(database->sql, is_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"),
                    "how it is synced");
}

enum ledgerdb_outcome held_begin(struct database *database)
{
    enum ledgerdb_outcome outcome = sync_set(database, true);
    if (outcome == LEDGERDB_DONE) outcome = database_begin(database);
    if (outcome != LEDGERDB_DONE) held_rollback(database);
    return outcome;
}

enum ledgerdb_outcome held_commit(struct database *database)
{
    enum ledgerdb_outcome outcome = database_commit(database);
    if (outcome != LEDGERDB_DONE)
        held_rollback(database);
    else
        sync_set(database, false);
    return outcome;
}

void held_rollback(struct database *database)
{
    database_rollback(database);
    sync_set(database, false);
}

static enum ledgerdb_outcome run(struct database *database, struct sql_statement *statement, const char *what)
{
    enum ledgerdb_outcome outcome = statement ? sql_do(statement) : sql_failure(database->sql);
    sql_tell(database->sql, outcome, what);
    sql_drop(statement);
    return outcome;
}

/* --- classes --- */

static enum held_class class_of(enum message_class class)
{
    switch (class) {
    case CLASS_VIRUS:
        return HELD_VIRUS;
    case CLASS_PHISHING:
        return HELD_PHISHING;
    case CLASS_SPAM:
    case CLASS_NEWSLETTER: /* users may have it by themselves */
        return HELD_SPAM;
    case CLASS_ENCRYPTED:
        return HELD_ENCRYPTED;
    case CLASS_POISON:
        return HELD_POISON;
    default:
        return HELD_POLICY;
    }
}

enum held_class held_class_by(uint8_t hold, enum message_class found)
{
    if (hold == HOLD_UNDELIVERABLE) return HELD_UNDELIVERABLE;
    if (hold == HOLD_POISON) return HELD_POISON;
    return hold == HOLD_QUARANTINE ? class_of(found) : HELD_POLICY;
}

/* --- storing --- */

static enum ledgerdb_outcome recipient_store(struct database *database, const struct held_offer *offer,
                                             uint32_t i, enum held_class class, uint64_t now_ms,
                                             unsigned *out_added)
{
    const struct held_recipient *held = &offer->recipients[i];
    const struct recipient *recipient = &offer->envelope.recipients[i];
    struct sql_statement *statement = sql_prepare(
        database->sql, "INSERT OR IGNORE INTO held_recipient(message, number, class, state, stored,"
                       " changed, edits, notify, address, orcpt, reason)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10)");
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, offer->id);
    sql_bind(statement, 2, held->number);
    sql_bind(statement, 3, class);
    sql_bind(statement, 4, HELD_KEPT);
    sql_bind(statement, 5, now_ms);
    sql_bind(statement, 6, held->edits);
    sql_bind(statement, 7, recipient->notify);
    if (recipient->address.length)
        sql_bind_text(statement, 8, recipient->address);
    else
        sql_bind_empty(statement, 8);
    sql_bind_text(statement, 9, recipient->orcpt);
    sql_bind_text(statement, 10, held->reason);
    enum ledgerdb_outcome outcome = run(database, statement, "a recipient in quarantine");
    if (outcome == LEDGERDB_DONE) *out_added += sql_changes(database->sql);
    return outcome;
}

enum ledgerdb_outcome held_store(struct database *database, const struct held_offer *offer,
                                 const enum held_class *classes, uint64_t bytes, uint64_t now_ms,
                                 unsigned *out_added)
{
    *out_added = 0;
    struct sql_statement *statement =
        sql_prepare(database->sql, "INSERT INTO held(message, stored, size, bytes, sender)"
                                   " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET bytes = ?4");
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, offer->id);
    sql_bind(statement, 2, now_ms);
    sql_bind(statement, 3, offer->length);
    sql_bind(statement, 4, bytes);
    sql_bind_text(statement, 5, offer->envelope.sender);
    enum ledgerdb_outcome outcome = run(database, statement, "a message in quarantine");
    for (uint32_t i = 0; i < offer->envelope.recipient_count && outcome == LEDGERDB_DONE; i++)
        outcome = recipient_store(database, offer, i, classes[i], now_ms, out_added);
    return outcome;
}

/* --- what becomes of it --- */

static enum ledgerdb_outcome step_tell(struct database *database, const struct held_move *move)
{
    static const enum step_kind kinds[HELD_STATES] = {
        [HELD_RELEASED] = STEP_RELEASED, [HELD_DELETED] = STEP_DELETED, [HELD_AGED] = STEP_AGED
    };
    char id[MESSAGE_ID_SIZE], text[400];
    if (!kinds[move->to]) return LEDGERDB_DONE;
    struct text by = text_slice(move->by, 0, 300);
    int length = move->to == HELD_RELEASED ? snprintf(text, sizeof text, "as %s, %.*s",
                                                      message_id_print(move->release, id), TEXT_ARG(by))
                                           : snprintf(text, sizeof text, "%.*s", TEXT_ARG(by));
    struct event_step step = { .id = move->message,
                               .time_ms = move->now_ms,
                               .recipient = move->number,
                               .kind = kinds[move->to],
                               .reply = text_from(text, (size_t)length) };
    return database_store_step(database, &step);
}

enum ledgerdb_outcome held_move(struct database *database, const struct held_move *move, bool *out_changed)
{
    struct sql_statement *statement = sql_prepare(
        database->sql, "UPDATE held_recipient SET state = ?4, changed = ?5, release = coalesce(?6, release),"
                       " by = coalesce(?7, by) WHERE message = ?1 AND number = ?2 AND state = ?3");
    *out_changed = false;
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, move->message);
    sql_bind(statement, 2, move->number);
    sql_bind(statement, 3, move->from);
    sql_bind(statement, 4, move->to);
    sql_bind(statement, 5, move->now_ms);
    sql_bind_unless_0(statement, 6, move->release);
    sql_bind_text(statement, 7, move->by);
    enum ledgerdb_outcome outcome = run(database, statement, "a recipient in quarantine");
    *out_changed = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    return *out_changed ? step_tell(database, move) : outcome;
}

enum ledgerdb_outcome held_forget_row(struct database *database, uint64_t message, uint32_t number)
{
    struct sql_statement *statement =
        sql_prepare(database->sql, "DELETE FROM held_recipient WHERE message = ?1 AND number = ?2");
    if (!statement) return sql_failure(database->sql);
    sql_bind(statement, 1, message);
    sql_bind(statement, 2, number);
    return run(database, statement, "a stray in quarantine");
}

enum ledgerdb_outcome held_forget_file(struct database *database, uint64_t message)
{
    struct sql_statement *statement =
        sql_prepare(database->sql, "UPDATE held SET bytes = 0 WHERE message = ?1");
    if (!statement) return sql_failure(database->sql);
    sql_bind(statement, 1, message);
    return run(database, statement, "a file in quarantine");
}

/* --- what is found later --- */

enum ledgerdb_outcome held_condemn(struct database *database, const struct event_found *event,
                                   bool *out_changed)
{
    struct sql_statement *statement =
        sql_prepare(database->sql, "UPDATE held_recipient SET class = ?2, changed = ?3 WHERE message = ?1"
                                   " AND state = 1 AND class NOT IN (0, 1, 5)");
    _Static_assert(HELD_VIRUS == 0 && HELD_PHISHING == 1 && HELD_POISON == 5 && HELD_KEPT == 1,
                   "the numbers stand in the text, too");
    *out_changed = false;
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, (uint64_t)class_of(event->class));
    sql_bind(statement, 3, event->time_ms);
    enum ledgerdb_outcome outcome = run(database, statement, "a recipient in quarantine");
    *out_changed = outcome == LEDGERDB_DONE && sql_changes(database->sql) > 0;
    return *out_changed ? database_store_found(database, event) : outcome;
}

/* --- reading --- */

#define COLUMNS                                                                                              \
    "SELECT q.message, q.number, q.class, q.state, q.stored, q.changed, q.release, q.by, q.edits, q.notify," \
    " q.address, q.orcpt, q.reason, h.size, h.bytes, h.sender, m.subject, m.virus, ifnull(r.ending, 0),"     \
    " m.class, m.score, m.author, m.signals"                                                                 \
    " FROM held_recipient q LEFT JOIN held h ON h.message = q.message LEFT JOIN message m ON m.id = "        \
    "q.message"                                                                                              \
    " LEFT JOIN recipient r ON r.message = q.message AND r.number = q.number "

static struct held_row row_get(struct sql_statement *row, struct arena *arena)
{
    return (struct held_row){ .message = sql_get(row, 0),
                              .number = (uint32_t)sql_get(row, 1),
                              .class = (enum held_class)sql_get(row, 2),
                              .state = (enum held_state)sql_get(row, 3),
                              .stored_ms = sql_get(row, 4),
                              .changed_ms = sql_get(row, 5),
                              .release = sql_get(row, 6),
                              .by = arena_text(arena, sql_get_text(row, 7)),
                              .edits = (uint8_t)sql_get(row, 8),
                              .notify = (uint8_t)sql_get(row, 9),
                              .address = arena_text(arena, sql_get_text(row, 10)),
                              .orcpt = arena_text(arena, sql_get_text(row, 11)),
                              .reason = arena_text(arena, sql_get_text(row, 12)),
                              .size = sql_get(row, 13),
                              .bytes = sql_get(row, 14),
                              .sender = arena_text(arena, sql_get_text(row, 15)),
                              .subject = arena_text(arena, sql_get_text(row, 16)),
                              .virus = arena_text(arena, sql_get_text(row, 17)),
                              .is_arriving = sql_get(row, 18) != ENDING_QUARANTINED,
                              .found = (enum message_class)sql_get(row, 19),
                              .is_judged = !sql_is_null(row, 20),
                              .score = sql_get_real(row, 20),
                              .signals = arena_text(arena, sql_get_text(row, 22)),
                              .author = arena_text(arena, sql_get_text(row, 21)) };
}

struct gathering {
    struct arena *arena;
    struct held_rows rows;
    size_t capacity;
};

static void gather(struct gathering *gathering, struct held_row row)
{
    if (gathering->rows.count == gathering->capacity) {
        size_t capacity = gathering->capacity ? gathering->capacity * 2 : 32;
        struct held_row *items = arena_alloc_array(gathering->arena, capacity, sizeof *items);
        if (gathering->rows.count)
            memcpy(items, gathering->rows.items, gathering->rows.count * sizeof *items);
        gathering->rows.items = items;
        gathering->capacity = capacity;
    }
    gathering->rows.items[gathering->rows.count++] = row;
}

/* With `most`, a message begun is read to its end. `is_short`: only message ids are read. */
static enum ledgerdb_outcome rows_read(struct sql *sql, struct arena *arena, const char *text,
                                       const uint64_t *values, int value_count, size_t most, bool is_short,
                                       struct held_rows *out)
{
    struct gathering gathering = { .arena = arena };
    enum ledgerdb_outcome outcome;
    struct sql_statement *row = sql_prepare(sql, text);
    *out = (struct held_rows){ 0 };
    if (!row) return sql_failure(sql);
    for (int i = 0; i < value_count; i++) sql_bind(row, i + 1, values[i]);
    while ((outcome = sql_step(row)) == LEDGERDB_ROW) {
        const struct held_rows *rows = &gathering.rows;
        if (most && rows->count >= most && rows->items[rows->count - 1].message != sql_get(row, 0)) break;
        gather(&gathering, is_short ? (struct held_row){ .message = sql_get(row, 0) } : row_get(row, arena));
    }
    sql_drop(row);
    *out = gathering.rows;
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome held_of_message(struct sql *sql, struct arena *arena, uint64_t message,
                                      struct held_rows *out)
{
    return rows_read(sql, arena, COLUMNS "WHERE q.message = ?1 ORDER BY q.number", &message, 1, 0, false,
                     out);
}

enum ledgerdb_outcome held_of_release(struct sql *sql, struct arena *arena, uint64_t release,
                                      struct held_rows *out)
{
    return rows_read(sql, arena, COLUMNS "WHERE q.release = ?1 ORDER BY q.message, q.number", &release, 1, 0,
                     false, out);
}

enum ledgerdb_outcome held_page(struct sql *sql, struct arena *arena, int class, uint64_t after, size_t most,
                                struct held_rows *out)
{
    uint64_t values[] = { after, (uint64_t)(class < 0 ? 0 : class) };
    if (class < 0)
        return rows_read(sql, arena,
                         COLUMNS "WHERE q.message > ?1 AND q.state < 3 ORDER BY q.message, q.number", values,
                         1, most, false, out);
    return rows_read(sql, arena,
                     COLUMNS
                     "WHERE q.message > ?1 AND q.class = ?2 AND q.state < 3 ORDER BY q.message, q.number",
                     values, 2, most, false, out);
}

/* The columns of row_get; the third is the hold. Holds, steps (held, expired) and endings by number. */
#define QUEUED_STEP "FROM step WHERE message = r.message AND recipient = r.number AND kind IN (2, 3)"
static const char queued_text[] =
    "SELECT r.message, r.number, r.hold, 1, ifnull((SELECT max(time) " QUEUED_STEP "), r.accepted_ms), 0, 0,"
    " NULL, 0, 0, r.address, NULL, (SELECT reply " QUEUED_STEP " ORDER BY time DESC LIMIT 1), m.size, 0,"
    " m.sender, m.subject, m.virus, 5, m.class, m.score, m.author"
    " FROM recipient r JOIN message m ON m.id = r.message"
    " WHERE r.ending = 0 AND r.hold IN (1, 2, 3) AND r.message > ?1 ORDER BY r.message, r.number";

enum ledgerdb_outcome held_queued_page(struct sql *sql, struct arena *arena, uint64_t after, size_t most,
                                       struct held_rows *out)
{
    enum ledgerdb_outcome outcome = rows_read(sql, arena, queued_text, &after, 1, most, false, out);
    for (size_t i = 0; i < out->count; i++) {
        struct held_row *row = &out->items[i];
        row->class = held_class_by((uint8_t)row->class, row->found);
        row->is_queued = true;
    }
    return outcome;
}

enum ledgerdb_outcome held_oldest(struct sql *sql, struct arena *arena, enum held_class class,
                                  uint64_t before_ms, size_t most, struct held_rows *out)
{
    uint64_t before_id =
        before_ms > INT64_MAX >> 22 ? INT64_MAX : before_ms << 22; /* an id begins with its ms */
    uint64_t values[] = { (uint64_t) class, before_id };
    return rows_read(sql, arena,
                     COLUMNS "WHERE q.class = ?1 AND q.message < ?2 AND q.state < 3 AND q.state = 1"
                             " AND r.ending = 5 ORDER BY q.message",
                     values, 2, most, false, out);
}

enum ledgerdb_outcome held_next(struct sql *sql, enum held_class class, uint64_t after, uint64_t *out)
{
    struct sql_statement *row =
        sql_prepare(sql, "SELECT message FROM held_recipient WHERE class = ?1 AND message > ?2 AND state < 3"
                         " AND state = 1 ORDER BY message LIMIT 1");
    *out = 0;
    if (!row) return sql_failure(sql);
    sql_bind(row, 1, (uint64_t) class);
    sql_bind(row, 2, after);
    enum ledgerdb_outcome outcome = sql_step(row);
    if (outcome == LEDGERDB_ROW) *out = sql_get(row, 0);
    sql_drop(row);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome held_strays(struct sql *sql, struct arena *arena, size_t most, struct held_rows *out)
{
    return rows_read(sql, arena, COLUMNS "WHERE q.state < 3 AND r.ending NOT IN (0, 5) ORDER BY q.message",
                     NULL, 0, most, false, out);
}

enum ledgerdb_outcome held_under_way(struct sql *sql, struct arena *arena, struct held_rows *out)
{
    return rows_read(sql, arena,
                     "SELECT DISTINCT release FROM held_recipient WHERE release IS NOT NULL AND state = 2",
                     NULL, 0, 0, true, out);
}

enum ledgerdb_outcome held_empty(struct sql *sql, struct arena *arena, size_t most, struct held_rows *out)
{
    return rows_read(sql, arena,
                     "SELECT message FROM held h WHERE bytes > 0 AND NOT EXISTS"
                     " (SELECT 1 FROM held_recipient WHERE message = h.message AND state < 3)",
                     NULL, 0, most, true, out);
}

static enum ledgerdb_outcome number(struct sql *sql, const char *text, uint64_t *out)
{
    int64_t value = 0;
    enum ledgerdb_outcome outcome = sql_number(sql, text, &value);
    *out = (uint64_t)value;
    return outcome;
}

enum ledgerdb_outcome held_bytes(struct sql *sql, uint64_t *out)
{
    return number(sql, "SELECT ifnull(sum(bytes), 0) FROM held", out);
}

enum ledgerdb_outcome held_count(struct sql *sql, uint64_t *out)
{
    return number(sql, "SELECT count(*) FROM held_recipient WHERE state < 3", out);
}

enum ledgerdb_outcome held_last_release(struct sql *sql, uint64_t *out)
{
    return number(sql, "SELECT ifnull(max(release), 0) FROM held_recipient WHERE release IS NOT NULL", out);
}

static bool is_there(struct sql *sql, const char *text, uint64_t message)
{
    struct sql_statement *row = sql_prepare(sql, text);
    if (!row) return false;
    sql_bind(row, 1, message);
    bool is_found = sql_step(row) == LEDGERDB_ROW;
    sql_drop(row);
    return is_found;
}

bool held_has_file(struct sql *sql, uint64_t message)
{
    return is_there(sql, "SELECT 1 FROM held WHERE message = ?1 AND bytes > 0", message);
}

bool held_needs_file(struct sql *sql, uint64_t message)
{
    return is_there(sql, "SELECT 1 FROM held_recipient WHERE message = ?1 AND state < 3", message);
}

bool held_was_accepted(struct sql *sql, uint64_t message)
{
    return is_there(sql, "SELECT 1 FROM message WHERE id = ?1", message);
}
