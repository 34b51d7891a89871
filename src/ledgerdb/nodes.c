/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rarely asked, so statements are made when they are needed. */
#include "ledgerdb/nodes.h"

#include <stdio.h>

#include "ipc/message_id.h"
#include "ledgerdb/entries.h"

static enum ledgerdb_outcome run(struct database *database, const char *text, const uint64_t *numbers,
                                 int count, struct text name)
{
    struct sql_statement *statement = sql_prepare(database->sql, text);
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), text);
    for (int i = 0; i < count; i++) sql_bind(statement, i + 1, numbers[i]);
    if (name.length) sql_bind_text(statement, count + 1, name);
    enum ledgerdb_outcome outcome = sql_tell(database->sql, sql_do(statement), text);
    sql_drop(statement);
    return outcome;
}

enum ledgerdb_outcome nodes_set_here(struct database *database, uint16_t number, struct text name,
                                     enum role role)
{
    enum ledgerdb_outcome outcome = database_begin(database);
    if (outcome == LEDGERDB_DONE)
        outcome =
            run(database,
                "INSERT INTO node(number, role, name, is_here, series, parcel, told_ms, events, refused,"
                " given_up) VALUES(?1, ?2, ?3, 1, 0, 0, 0, 0, 0, 0)"
                " ON CONFLICT DO UPDATE SET name = excluded.name, role = excluded.role, is_here = 1",
                (const uint64_t[]){ number, role }, 2, name);
    if (outcome == LEDGERDB_DONE) outcome = database_commit(database);
    if (outcome != LEDGERDB_DONE) database_rollback(database);
    database_set_node(database, number);
    return outcome;
}

/* --- those that tell --- */

static enum ledgerdb_outcome standing_read(struct database *database, uint16_t number, struct text name,
                                           uint64_t series, uint64_t *out_parcel, const char **out_why)
{
    struct sql_statement *row =
        sql_prepare(database->sql, "SELECT name, is_here, series, parcel FROM node WHERE number = ?1");
    if (!row) return sql_tell(database->sql, sql_failure(database->sql), "the nodes");
    sql_bind(row, 1, number);
    enum ledgerdb_outcome outcome = sql_step(row);
    *out_parcel = 0;
    *out_why = NULL;
    if (outcome == LEDGERDB_ROW) {
        if (sql_get(row, 1))
            *out_why =
                "its number is that of the collecting node: give each node { number … } one of its own";
        else if (!text_equal_nocase(sql_get_text(row, 0), name))
            *out_why = "its number is that of another node: give each node { number … } one of its own";
        else if (sql_get(row, 2) == series)
            *out_parcel = sql_get(row, 3);
        outcome = LEDGERDB_DONE;
    }
    sql_drop(row);
    return outcome;
}

enum ledgerdb_outcome nodes_welcome(struct database *database, uint16_t number, struct text name,
                                    enum role role, uint64_t series, uint64_t *out_parcel,
                                    const char **out_why)
{
    enum ledgerdb_outcome outcome = database_begin(database);
    if (outcome == LEDGERDB_DONE)
        outcome = standing_read(database, number, name, series, out_parcel, out_why);
    if (outcome == LEDGERDB_DONE && !*out_why)
        outcome =
            run(database,
                "INSERT INTO node(number, series, parcel, role, name, is_here, told_ms, events, refused,"
                " given_up) VALUES(?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, 0) ON CONFLICT DO UPDATE SET"
                " series = excluded.series, parcel = excluded.parcel, role = excluded.role",
                (const uint64_t[]){ number, series, *out_parcel, role }, 4, name);
    if (outcome == LEDGERDB_DONE) outcome = database_commit(database);
    if (outcome != LEDGERDB_DONE) database_rollback(database);
    return outcome;
}

bool nodes_has_parcel(struct database *database, uint16_t number, uint64_t series, uint64_t parcel)
{
    char text[120];
    int64_t fits = 0;
    snprintf(text, sizeof text, "SELECT parcel < %lld FROM node WHERE number = %u AND series = %lld",
             (long long)parcel, number, (long long)series);
    return sql_number(database->sql, text, &fits) == LEDGERDB_DONE && !fits;
}

/* What this ledger will never have of that node counts as lost on the day on which that is known. */
static enum ledgerdb_outcome losses_count(struct database *database, uint16_t number, uint64_t now_ms,
                                          uint64_t refused, uint64_t given_up)
{
    char text[80];
    int64_t before = 0;
    snprintf(text, sizeof text, "SELECT given_up FROM node WHERE number = %u", number);
    enum ledgerdb_outcome outcome = sql_number(database->sql, text, &before);
    uint64_t lost = refused + (given_up > (uint64_t)before ? given_up - (uint64_t)before : 0);
    struct pending_sum sum = { .time_ms = now_ms, .node = number, .recipients = lost, .is_whole_day = true };
    if (outcome == LEDGERDB_DONE && lost) entries_add(database, sum, SUM_LOST, TEXT_NONE);
    return outcome;
}

enum ledgerdb_outcome nodes_advance(struct database *database, uint16_t number, uint64_t parcel,
                                    uint64_t now_ms, uint64_t events, uint64_t refused, uint64_t given_up)
{
    enum ledgerdb_outcome outcome = losses_count(database, number, now_ms, refused, given_up);
    if (outcome != LEDGERDB_DONE) return outcome;
    return run(database,
               "UPDATE node SET parcel = ?2, told_ms = ?3, events = events + ?4, refused = refused + ?5,"
               " given_up = ?6 WHERE number = ?1",
               (const uint64_t[]){ number, parcel, now_ms, events, refused, given_up }, 6, TEXT_NONE);
}

enum ledgerdb_outcome nodes_heard(struct database *database, uint16_t number, uint64_t now_ms)
{
    return run(database,
               "INSERT INTO mark(name, value) VALUES('node ' || ?1 || ' heard', ?2)"
               " ON CONFLICT DO UPDATE SET value = excluded.value",
               (const uint64_t[]){ number, now_ms }, 2, TEXT_NONE);
}

/* --- whose --- */

/* What a record of another node claims: ids that must be its own, and a time. */
struct claim {
    uint64_t id, other_id, time_ms;
};

static bool claim_read(struct arena *arena, struct text record, struct claim *out)
{
    union {
        struct event_accepted accepted;
        struct event_ended ended;
        struct event_refused refused;
        struct event_step step;
        struct event_relayed relayed;
        struct event_audit audit;
        struct event_missed missed;
        struct event_lost lost;
        struct event_found found;
    } is;
    uint32_t first;
    switch (event_kind_of(record)) {
    case EVENT_ACCEPTED:
        if (!event_accepted_get(arena, record, &is.accepted, &first)) return false;
        *out = (struct claim){ is.accepted.id, is.accepted.id, is.accepted.time_ms };
        return true;
    case EVENT_ENDED:
        if (!event_ended_get(record, &is.ended)) return false;
        *out = (struct claim){ is.ended.id, is.ended.id, is.ended.time_ms };
        return true;
    case EVENT_STEP:
        if (!event_step_get(record, &is.step)) return false;
        *out = (struct claim){ is.step.id, is.step.id, is.step.time_ms };
        return true;
    case EVENT_RELAYED:
        if (!event_relayed_get(arena, record, &is.relayed, &first)) return false;
        *out = (struct claim){ is.relayed.id, is.relayed.id, is.relayed.time_ms };
        return true;
    case EVENT_REFUSED:
        if (!event_refused_get(arena, record, &is.refused)) return false;
        *out = (struct claim){ is.refused.serial, is.refused.id ? is.refused.id : is.refused.serial,
                               is.refused.time_ms };
        return true;
    case EVENT_AUDIT:
        if (!event_audit_get(record, &is.audit)) return false;
        *out = (struct claim){ is.audit.serial, is.audit.serial, is.audit.time_ms };
        return true;
    case EVENT_MISSED: /* known by the message's digest, wherever it is told */
        if (!event_missed_get(arena, record, &is.missed)) return false;
        *out = (struct claim){ 0, 0, is.missed.time_ms };
        return true;
    case EVENT_LOST: /* of no message */
        if (!event_lost_get(record, &is.lost)) return false;
        *out = (struct claim){ 0, 0, is.lost.time_ms };
        return true;
    case EVENT_FOUND:
        if (!event_found_get(arena, record, &is.found)) return false;
        *out = (struct claim){ is.found.id, is.found.id, is.found.time_ms };
        return true;
    default:
        return false;
    }
}

/* Later times do not fit the calendar that sums are kept by. */
static const uint64_t LATEST_MS = UINT64_C(4102444800000); /* 2100 */

bool nodes_may_tell(uint16_t number, struct text record)
{
    struct claim claim;
    struct arena *arena = arena_new(0);
    bool is_good = claim_read(arena, record, &claim) && claim.time_ms < LATEST_MS;
    arena_free(arena);
    bool has_id = event_kind_of(record) != EVENT_MISSED && event_kind_of(record) != EVENT_LOST;
    if (!is_good || !has_id) return is_good;
    return message_id_node(claim.id) == number && message_id_node(claim.other_id) == number &&
           claim.id <= INT64_MAX && claim.other_id <= INT64_MAX;
}

bool nodes_is_abroad(struct database *database, uint64_t id)
{
    char text[96];
    int64_t is = 0;
    snprintf(text, sizeof text, "SELECT 1 FROM node WHERE number = %u AND NOT is_here", message_id_node(id));
    return sql_number(database->sql, text, &is) == LEDGERDB_DONE && is;
}

/* --- for readers --- */

enum ledgerdb_outcome nodes_read(struct ledgerdb_reader *ledgerdb, struct arena *arena, struct node_row **out,
                                 size_t *out_count)
{
    enum { NODES_MOST = 256 };
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct sql_statement *row =
        sql_prepare(sql, "SELECT number, is_here, name, told_ms, parcel, events, refused, given_up,"
                         " max(told_ms, ifnull((SELECT value FROM mark"
                         " WHERE mark.name = 'node ' || node.number || ' heard'), 0))"
                         " FROM node ORDER BY number");
    enum ledgerdb_outcome outcome = row ? LEDGERDB_ROW : sql_failure(sql);
    *out = arena_alloc_array(arena, NODES_MOST, sizeof **out);
    *out_count = 0;
    sql_time_limit(sql, READER_STEP_MS);
    while (outcome == LEDGERDB_ROW && *out_count < NODES_MOST && (outcome = sql_step(row)) == LEDGERDB_ROW)
        (*out)[(*out_count)++] = (struct node_row){ .number = (uint16_t)sql_get(row, 0),
                                                    .is_here = sql_get(row, 1) != 0,
                                                    .name = arena_text(arena, sql_get_text(row, 2)),
                                                    .told_ms = sql_get(row, 3),
                                                    .parcel = sql_get(row, 4),
                                                    .events = sql_get(row, 5),
                                                    .refused = sql_get(row, 6),
                                                    .given_up = sql_get(row, 7),
                                                    .heard_ms = sql_get(row, 8) };
    sql_drop(row);
    sql_time_limit(sql, 0);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome nodes_missing(struct ledgerdb_reader *ledgerdb, uint64_t from_ms, uint64_t until_ms,
                                    uint64_t *out_messages)
{
    enum { HOUR_MS = 3600000, ID_SHIFT = 22 };
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct sql_statement *row =
        sql_prepare(sql, "SELECT count(*) FROM hop WHERE message >= ?1 AND message < ?2"
                         " AND next >> 8 & 255 IN (SELECT number FROM node)"
                         " AND NOT EXISTS (SELECT 1 FROM message WHERE id = hop.next)");
    enum ledgerdb_outcome outcome = row ? LEDGERDB_ROW : sql_failure(sql);
    *out_messages = 0;
    for (uint64_t at = from_ms; at < until_ms && outcome == LEDGERDB_ROW; at += HOUR_MS) {
        uint64_t end = at + HOUR_MS < until_ms ? at + HOUR_MS : until_ms;
        sql_bind(row, 1, at << ID_SHIFT);
        sql_bind(row, 2, end << ID_SHIFT);
        sql_time_limit(sql, 10 * READER_STEP_MS);
        if ((outcome = sql_step(row)) == LEDGERDB_ROW) *out_messages += sql_get(row, 0);
        sql_reset(row);
    }
    sql_drop(row);
    sql_time_limit(sql, 0);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}
