/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What became of it later: endings, deferrals, holds and releases. */
#include "ipc/ask_queue.h"
#include "ledgerdb/entries.h"
#include "ledgerdb/terms.h"

/* The sum of a recipient whose acceptance was told. *out_found: it was. Texts live until the next event. */
static enum ledgerdb_outcome sum_find(struct database *database, uint64_t id, uint32_t number,
                                      struct pending_sum *out, bool *out_found)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    const struct pending_sum *known = pending_recall(database->pending, id, number);
    *out_found = known != NULL;
    if (known) *out = *known;
    if (known) return outcome;
    struct sql_statement *found = database->statements[FIND_MESSAGE];
    sql_bind(found, 1, id);
    sql_bind(found, 2, number);
    *out_found = entries_run_returning(database, FIND_MESSAGE, &outcome);
    if (!*out_found) return outcome;
    *out = entries_sum(database, (struct entries_about){ .size = sql_get(found, 1),
                                                         .number = number,
                                                         .direction = (uint8_t)sql_get(found, 0),
                                                         .sender = sql_get_text(found, 2),
                                                         .recipient = sql_get_text(found, 3) });
    out->domain = arena_text(database->arena, out->domain);
    sql_reset(found);
    return LEDGERDB_DONE;
}

/* Sums of something that happened to a recipient, if anybody has told of its acceptance. */
static enum ledgerdb_outcome later_count(struct database *database, uint64_t id, uint32_t number,
                                         uint64_t time_ms, enum sum_kind kind, struct text name)
{
    struct pending_sum sum;
    bool is_found;
    enum ledgerdb_outcome outcome = sum_find(database, id, number, &sum, &is_found);
    sum.time_ms = time_ms;
    if (is_found) entries_add(database, sum, kind, name);
    return outcome;
}

static void status_term(struct database *database, uint64_t id, const char *status)
{
    buffer_clear(&database->terms);
    terms_add(&database->terms, TERM_STATUS, text_of(status));
    pending_add_terms(database->pending, false, id, buffer_text(&database->terms));
}

static enum ledgerdb_outcome ending_run(struct database *database, enum statement number,
                                        const struct event_ended *event)
{
    struct sql_statement *statement = database->statements[number];
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, (uint64_t)event->ending);
    sql_bind(statement, 4, event->time_ms);
    sql_bind_text(statement, 5, event->dsn);
    sql_bind_text(statement, 6, event->relay);
    sql_bind_text(statement, 7, event->reply);
    return entries_run(database, number);
}

enum ledgerdb_outcome database_store_ended(struct database *database, const struct event_ended *event)
{
    arena_reset(database->arena);
    enum ledgerdb_outcome outcome = ending_run(database, END_RECIPIENT, event);
    bool is_new = sql_changes(database->sql) > 0;
    if (outcome == LEDGERDB_DONE && is_new)
        outcome = later_count(database, event->id, event->recipient, event->time_ms,
                              entries_ending_sum(event->ending), TEXT_NONE);
    if (outcome == LEDGERDB_DONE && !is_new) {
        outcome = ending_run(database, STORE_ENDING, event);
        is_new = sql_changes(database->sql) > 0;
    }
    if (outcome == LEDGERDB_DONE && is_new) status_term(database, event->id, ending_name(event->ending));
    if (outcome == LEDGERDB_DONE && is_new && event->ending == ENDING_DELIVERED)
        outcome = entries_store_hop(database, event->id, event->reply);
    return outcome;
}

static enum ledgerdb_outcome hold_store(struct database *database, const struct event_step *event)
{
    struct sql_statement *statement = database->statements[HOLD_RECIPIENT];
    bool is_hold = event->kind == STEP_HELD || event->kind == STEP_EXPIRED;
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, is_hold ? event->hold : HOLD_NONE);
    enum ledgerdb_outcome outcome = entries_run(database, HOLD_RECIPIENT);
    if (outcome == LEDGERDB_DONE && is_hold)
        outcome = later_count(database, event->id, event->recipient, event->time_ms, SUM_HELD,
                              text_of(hold_reason_name(event->hold)));
    static const enum sum_kind kinds[STEP_KIND_COUNT] = { [STEP_EXPIRED] = SUM_EXPIRED_HELD,
                                                          [STEP_RELEASED] = SUM_RELEASED,
                                                          [STEP_DELETED] = SUM_DELETED,
                                                          [STEP_AGED] = SUM_AGED };
    if (outcome == LEDGERDB_DONE && kinds[event->kind])
        outcome =
            later_count(database, event->id, event->recipient, event->time_ms, kinds[event->kind], TEXT_NONE);
    if (is_hold) status_term(database, event->id, "held");
    if (is_hold && event->hold == HOLD_QUARANTINE) status_term(database, event->id, "quarantined");
    return outcome;
}

enum ledgerdb_outcome database_store_step(struct database *database, const struct event_step *event)
{
    struct sql_statement *statement = database->statements[STORE_STEP];
    arena_reset(database->arena);
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, event->recipient);
    sql_bind(statement, 3, event->time_ms);
    sql_bind(statement, 4, (uint64_t)event->kind);
    sql_bind(statement, 5, event->hold);
    sql_bind_unless_0(statement, 6, event->due_ms);
    sql_bind_text(statement, 7, event->dsn);
    sql_bind_text(statement, 8, event->relay);
    sql_bind_text(statement, 9, event->reply);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_STEP);
    if (outcome != LEDGERDB_DONE || sql_changes(database->sql) == 0) return outcome;
    status_term(database, event->id, step_name(event->kind));
    if (event->kind != STEP_DEFERRED) return hold_store(database, event);
    return later_count(database, event->id, event->recipient, event->time_ms, SUM_DEFERRED, TEXT_NONE);
}
