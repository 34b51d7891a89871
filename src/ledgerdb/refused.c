/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What did not come in; who looked at what; what leaked through. */
#include "ledgerdb/entries.h"
#include "ledgerdb/mark.h"
#include "ledgerdb/terms.h"

/* Sorts by time like the ids of messages. Events of one ring and one millisecond are never 256 KiB apart. */
static uint64_t place_id(uint64_t time_ms, uint16_t slot, uint64_t position)
{
    return time_ms << 22 | (uint64_t)(slot & 127) << 15 | (position >> 3 & 32767);
}

static void refused_count(struct database *database, const struct event_refused *event)
{
    struct pending_sum sum = entries_sum(database, (struct entries_about){ .time_ms = event->time_ms,
                                                                           .direction = event->direction,
                                                                           .sender = event->sender,
                                                                           .recipient = event->recipient });
    bool is_content = event->stage == STAGE_CONTENT;
    uint32_t recipients = event->count ? event->count : 1;
    sum.recipients = event->recipient.length > 0 ? recipients : 0;
    sum.messages = event->count > 1 ? event->messages : event->is_message;
    sum.bytes = event->is_message ? event->size : 0;
    if (event->code == 0)
        entries_add(database, sum, SUM_ABORTED, TEXT_NONE);
    else if (event->code < 300)
        entries_add(database, sum, SUM_DISCARDED, text_of(class_name(event->judgement.class)));
    else if (is_content)
        entries_add(database, sum, SUM_REFUSED_AFTER, text_of(class_name(event->judgement.class)));
    else
        entries_add(database, sum, SUM_REFUSED, text_of(stage_name(event->stage)));
    enum action action = event->code < 300    ? ACTION_DISCARD
                         : event->code >= 500 ? ACTION_REJECT
                                              : ACTION_DEFER;
    entries_add_judgement(database, &event->judgement, sum);
    entries_add_signals(database, &event->judgement, entries_fate(action), sum);
    entries_add_cause(database, event->cause, event->code, sum);
    if (event->code) entries_add_action(database, &event->judgement, action, ACTION_ACCEPT, sum);
}

static void refused_index(struct database *database, const struct event_refused *event, struct text client,
                          uint64_t id)
{
    buffer_clear(&database->terms);
    terms_add_client(&database->terms, client);
    terms_add_sender(&database->terms, event->sender);
    if (event->recipient.length) terms_add_recipient(&database->terms, event->recipient);
    terms_add(&database->terms, TERM_STATUS, text_of(terms_refused_status(event->code)));
    entries_judgement_terms(database, &event->judgement);
    pending_add_terms(database->pending, true, id, buffer_text(&database->terms));
}

enum ledgerdb_outcome database_store_refused(struct database *database, const struct event_refused *event,
                                             uint16_t slot, uint64_t position)
{
    arena_reset(database->arena);
    struct sql_statement *statement = database->statements[STORE_REFUSAL];
    struct text client = entries_client(database, &event->client);
    uint64_t id = event->serial ? event->serial : place_id(event->time_ms, slot, position);
    sql_bind(statement, 1, id);
    sql_bind(statement, 2, database->node);
    sql_bind(statement, 3, event->direction);
    sql_bind(statement, 4, event->stage);
    sql_bind(statement, 5, event->code);
    sql_bind_unless_0(statement, 6, event->id);
    sql_bind(statement, 7, event->number);
    sql_bind_text(statement, 8, client);
    sql_bind_text(statement, 9, event->helo);
    sql_bind_text(statement, 10, event->sender);
    sql_bind_text(statement, 11, event->recipient);
    sql_bind_text(statement, 12, event->reply);
    sql_bind(statement, 13, event->size);
    entries_bind_judgement(database, statement, 14, &event->judgement, event->is_message);
    sql_bind(statement, 22, event->count ? event->count : 1);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_REFUSAL);
    if (outcome != LEDGERDB_DONE || sql_changes(database->sql) == 0) return outcome;
    refused_count(database, event);
    refused_index(database, event, client, id);
    outcome = entries_store_parts(database, id, event->time_ms, &event->judgement, false);
    if (outcome != LEDGERDB_DONE) return outcome;
    return entries_store_proof(database, id, &event->judgement.proof);
}

enum ledgerdb_outcome database_store_audit(struct database *database, const struct event_audit *event,
                                           uint16_t slot, uint64_t position)
{
    struct sql_statement *statement = database->statements[STORE_AUDIT];
    sql_bind(statement, 1, event->serial ? event->serial : place_id(event->time_ms, slot, position));
    sql_bind(statement, 2, database->node);
    sql_bind(statement, 3, event->uid);
    sql_bind_text(statement, 4, event->user);
    sql_bind_text(statement, 5, event->process);
    sql_bind_text(statement, 6, event->act);
    sql_bind(statement, 7, event->id);
    sql_bind_text(statement, 8, event->about);
    return entries_run(database, STORE_AUDIT);
}

/* Who else received what somebody told us is a virus. */
static enum ledgerdb_outcome missed_find(struct database *database, const struct event_missed *event)
{
    if (event->part_count == 0) return LEDGERDB_DONE;
    arena_reset(database->arena);
    struct event_judgement judgement = { .class = CLASS_VIRUS,
                                         .virus = arena_printf(database->arena, "reported as %.*s",
                                                               TEXT_ARG(event->kind)),
                                         .part_count = event->part_count,
                                         .parts = event->parts };
    uint64_t until_ms = event->time_ms + 1000; /* it is told to the second */
    return entries_store_parts(database, until_ms << 22, event->time_ms, &judgement, false);
}

enum ledgerdb_outcome database_store_missed(struct database *database, const struct event_missed *event)
{
    struct sql_statement *statement = database->statements[STORE_MISSED];
    sql_bind(statement, 1, event->digest);
    sql_bind(statement, 2, event->time_ms);
    sql_bind_text(statement, 3, event->kind);
    enum ledgerdb_outcome outcome = entries_run(database, STORE_MISSED);
    if (outcome != LEDGERDB_DONE || sql_changes(database->sql) == 0) return outcome;
    struct pending_sum sum = { .time_ms = event->time_ms, .node = database->node, .messages = 1 };
    entries_add(database, sum, SUM_MISSED, event->kind);
    return missed_find(database, event);
}

/* Each is told once: by this node with its mark in the same transaction, by another with its parcel. */
enum ledgerdb_outcome database_store_lost(struct database *database, const struct event_lost *event)
{
    struct pending_sum sum = {
        .time_ms = event->time_ms, .node = database->node, .recipients = event->events, .is_whole_day = true
    };
    if (event->events) entries_add(database, sum, SUM_LOST, TEXT_NONE);
    sum.recipients = event->refusals;
    if (event->refusals) entries_add(database, sum, SUM_LOST_REFUSALS, TEXT_NONE);
    return LEDGERDB_DONE;
}

static const char *const losses_marks[] = { "losses", "losses of refusals" };

enum ledgerdb_outcome database_losses_told(struct database *database, struct losses *out)
{
    enum ledgerdb_outcome outcome = mark_get(database->sql, losses_marks[0], &out->events);
    if (outcome == LEDGERDB_DONE) outcome = mark_get(database->sql, losses_marks[1], &out->refusals);
    return sql_tell(database->sql, outcome, "reading what was lost");
}

enum ledgerdb_outcome database_tell_losses(struct database *database, struct losses losses)
{
    enum ledgerdb_outcome outcome = mark_set(database->sql, losses_marks[0], losses.events);
    if (outcome == LEDGERDB_DONE) outcome = mark_set(database->sql, losses_marks[1], losses.refusals);
    return sql_tell(database->sql, outcome, "keeping what was lost");
}
