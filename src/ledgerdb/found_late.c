/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What new signatures find in mail that was accepted before. */
#include <stdio.h>

#include "ledgerdb/entries.h"

enum { FOUND_SLOT = 126 /* of audit rows: no ring has it */ };

static enum ledgerdb_outcome found_record(struct database *database, const struct event_found *event)
{
    char about[400];
    int length = snprintf(about, sizeof about, "%.*s in %.*s, by %.*s with new signatures",
                          TEXT_ARG(event->virus), TEXT_ARG(event->part), TEXT_ARG(event->engine));
    if (length >= (int)sizeof about) length = sizeof about - 1;
    struct event_audit record = { .time_ms = event->time_ms,
                                  .id = event->id,
                                  .uid = UINT32_MAX,
                                  .user = TEXT("-"),
                                  .process = text_of(event->is_queued ? "queue" : "quarantine"),
                                  .act = TEXT("found"),
                                  .about = text_from(about, (size_t)length) };
    return database_store_audit(database, &record, FOUND_SLOT, (event->id & 32767) << 3);
}

/* What it was before can still be searched for: a term that stays finds a row, and taken out is what the row
   says now. */
enum ledgerdb_outcome database_store_found(struct database *database, const struct event_found *event)
{
    struct event_judgement judgement = { .is_judged = true,
                                         .class = event->class,
                                         .virus = event->virus,
                                         .part_count = event->part_count,
                                         .parts = event->parts };
    struct sql_statement *statement = database->statements[FIND_LATE];
    arena_reset(database->arena);
    sql_bind(statement, 1, event->id);
    sql_bind(statement, 2, (uint64_t)event->class);
    sql_bind_text(statement, 3, event->virus);
    enum ledgerdb_outcome outcome = entries_run(database, FIND_LATE);
    if (outcome != LEDGERDB_DONE || sql_changes(database->sql) == 0) return outcome;
    buffer_clear(&database->terms);
    entries_judgement_terms(database, &judgement);
    pending_add_terms(database->pending, false, event->id, buffer_text(&database->terms));
    outcome = found_record(database, event);
    if (outcome != LEDGERDB_DONE) return outcome;
    /* Whoever received it until now. */
    return entries_store_parts(database, event->time_ms << 22, event->time_ms, &judgement, false);
}
