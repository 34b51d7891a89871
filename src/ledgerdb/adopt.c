/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Through the same stores as events, so that sums and terms are written as they would have been. */
#include "ledgerdb/adopt.h"

#include "ledgerdb/database_private.h"

static enum adopt_standing standing_of(struct sql_statement *row)
{
    if (!sql_is_null(row, 1)) return ADOPT_KNOWN;
    if (sql_is_null(row, 0)) return ADOPT_UNKNOWN;
    switch ((enum ending)sql_get(row, 0)) {
    case ENDING_NONE:
        return ADOPT_LIVE;
    case ENDING_QUARANTINED:
        return ADOPT_QUARANTINED;
    default:
        return ADOPT_ENDED;
    }
}

enum ledgerdb_outcome adopt_look(struct database *database, uint64_t message, uint32_t number,
                                 enum adopt_standing *out)
{
    struct sql_statement *row =
        sql_prepare(database->sql, "SELECT (SELECT ending FROM recipient WHERE message = ?1 AND number = ?2),"
                                   " (SELECT state FROM held_recipient WHERE message = ?1 AND number = ?2)");
    if (!row) return sql_tell(database->sql, sql_failure(database->sql), "a recipient");
    sql_bind(row, 1, message);
    sql_bind(row, 2, number);
    enum ledgerdb_outcome outcome = sql_step(row);
    if (outcome == LEDGERDB_ROW) *out = standing_of(row);
    sql_drop(row);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

static struct text text_at(struct sql_statement *row, int column, struct arena *arena)
{
    return arena_text(arena, sql_get_text(row, column));
}

enum ledgerdb_outcome adopt_recall(struct database *database, struct arena *arena, uint64_t message,
                                   struct event_accepted *out)
{
    struct sql_statement *row = sql_prepare(
        database->sql, "SELECT time, size, direction, own, client, helo, sender, class, score, virus, engine,"
                       " subject, message_id, author FROM message WHERE id = ?1");
    *out = (struct event_accepted){ .id = message };
    if (!row) return sql_tell(database->sql, sql_failure(database->sql), "a message");
    sql_bind(row, 1, message);
    enum ledgerdb_outcome outcome = sql_step(row);
    if (outcome == LEDGERDB_ROW) {
        out->time_ms = sql_get(row, 0);
        out->size = sql_get(row, 1);
        out->direction = (uint8_t)sql_get(row, 2);
        out->is_own = (uint8_t)sql_get(row, 3);
        address_parse(sql_get_text(row, 4), &out->client);
        out->helo = text_at(row, 5, arena);
        out->sender = text_at(row, 6, arena);
        out->judgement = (struct event_judgement){ .is_judged = !sql_is_null(row, 8),
                                                   .class = (enum message_class)sql_get(row, 7),
                                                   .score = sql_get_real(row, 8),
                                                   .virus = text_at(row, 9, arena),
                                                   .engine = text_at(row, 10, arena),
                                                   .subject = text_at(row, 11, arena),
                                                   .message_id = text_at(row, 12, arena),
                                                   .author = text_at(row, 13, arena) };
    }
    sql_drop(row);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome == LEDGERDB_DONE ? LEDGERDB_MISSING : outcome;
}

static enum ledgerdb_outcome run(struct database *database, struct sql_statement *statement)
{
    enum ledgerdb_outcome outcome = statement ? sql_do(statement) : sql_failure(database->sql);
    sql_tell(database->sql, outcome, "the index of the quarantine");
    sql_drop(statement);
    return outcome;
}

enum ledgerdb_outcome adopt_message(struct database *database, const struct event_accepted *message,
                                    const struct held_row *file)
{
    struct event_accepted alone = *message;
    alone.recipient_count = 0;
    enum ledgerdb_outcome outcome = database_store_accepted(database, &alone, 0);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct sql_statement *statement =
        sql_prepare(database->sql, "INSERT OR IGNORE INTO held(message, stored, size, bytes, sender)"
                                   " VALUES(?1, ?2, ?3, ?4, ?5)");
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, file->message);
    sql_bind(statement, 2, file->stored_ms);
    sql_bind(statement, 3, file->size);
    sql_bind(statement, 4, file->bytes);
    sql_bind_text(statement, 5, file->sender);
    return run(database, statement);
}

static enum ledgerdb_outcome row_store(struct database *database, const struct held_row *row)
{
    struct sql_statement *statement = sql_prepare(
        database->sql,
        "INSERT OR IGNORE INTO held_recipient(message, number, class, state, stored, changed, release, by,"
        " edits, notify, address, orcpt, reason)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    if (!statement) return sql_tell(database->sql, sql_failure(database->sql), "the index of the quarantine");
    sql_bind(statement, 1, row->message);
    sql_bind(statement, 2, row->number);
    sql_bind(statement, 3, row->class);
    sql_bind(statement, 4, row->state);
    sql_bind(statement, 5, row->stored_ms);
    sql_bind(statement, 6, row->changed_ms);
    sql_bind_unless_0(statement, 7, row->release);
    sql_bind_text(statement, 8, row->by);
    sql_bind(statement, 9, row->edits);
    sql_bind(statement, 10, row->notify);
    if (row->address.length)
        sql_bind_text(statement, 11, row->address);
    else
        sql_bind_empty(statement, 11);
    sql_bind_text(statement, 12, row->orcpt);
    sql_bind_text(statement, 13, row->reason);
    return run(database, statement);
}

enum ledgerdb_outcome adopt_recipient(struct database *database, const struct event_accepted *message,
                                      const struct held_row *row)
{
    struct event_accepted one = *message;
    bool is_verdict = row->class != HELD_UNDELIVERABLE && row->class != HELD_POISON;
    struct event_recipient recipient = { .address = row->address,
                                         .action = is_verdict ? ACTION_QUARANTINE : ACTION_ACCEPT,
                                         .hold = is_verdict ? HOLD_QUARANTINE : HOLD_NONE };
    struct event_ended end = { .id = row->message,
                               .time_ms = row->stored_ms,
                               .recipient = row->number,
                               .ending = ENDING_QUARANTINED,
                               .reply = TEXT("in quarantine") };
    one.recipient_count = 1;
    one.recipients = &recipient;
    enum ledgerdb_outcome outcome = database_store_accepted(database, &one, row->number);
    if (outcome == LEDGERDB_DONE) outcome = database_store_ended(database, &end);
    return outcome == LEDGERDB_DONE ? row_store(database, row) : outcome;
}
