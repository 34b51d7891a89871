/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each kind of row has one function, which removes a few and says how many. Terms leave the index with the
   text they were made of. One that stays finds a row that is not there, which is no harm; one that was never
   put in must not be taken out, since the index counts its terms. */
#include "ledgerdb/purge.h"

#include <stdio.h>
#include <time.h>

#include "ipc/ask_queue.h"
#include "ledgerdb/count.h"
#include "ledgerdb/database_private.h"
#include "ledgerdb/nodes.h"
#include "ledgerdb/partners.h"
#include "ledgerdb/terms.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct forgetting {
    struct database *database;
    struct sql *sql;
    const struct forget_limits *limits;
    unsigned most, done;
};

static uint64_t before(uint64_t now_ms, uint64_t keep_ms)
{
    return keep_ms && keep_ms < now_ms ? now_ms - keep_ms : 0;
}

struct forget_limits forget_limits_of(const struct config *config, uint64_t now_ms, uint64_t balance_since_ms)
{
    struct sum_clock clock = { 0 };
    struct forget_limits limits = { .messages_ms = before(now_ms, config->ledger.messages_ms),
                                    .subjects_ms = before(now_ms, config->ledger.subjects_ms),
                                    .steps_ms = before(now_ms, config->ledger.steps_ms),
                                    .refusals_ms = before(now_ms, config->ledger.refusals_ms),
                                    .audit_ms = before(now_ms, config->ledger.audit_ms),
                                    .balance_since_ms = balance_since_ms };
    limits.parts_ms = config->virus.parts_ms ? before(now_ms, config->virus.parts_ms) : now_ms + DAY_MS;
    uint64_t days_ms = before(now_ms, config->ledger.days_ms);
    sum_clock_set(&clock, days_ms);
    if (days_ms) limits.days = clock.day / 100 * 100 + 1;
    sum_clock_set(&clock, before(now_ms, PARTNERS_KEPT_MS));
    limits.partners = clock.day;
    limits.today = (uint32_t)(now_ms / DAY_MS);
    return limits;
}

/* Ids begin with their time. */
static uint64_t id_at(uint64_t time_ms)
{
    return time_ms << 22;
}

/* A statement to its end: with a number, and another number or a text behind it. */
static enum ledgerdb_outcome run(struct forgetting *forgetting, const char *text, uint64_t first,
                                 uint64_t second)
{
    struct sql_statement *statement = sql_prepare(forgetting->sql, text);
    if (!statement) return sql_failure(forgetting->sql);
    sql_bind(statement, 1, first);
    if (second) sql_bind(statement, 2, second);
    enum ledgerdb_outcome outcome = sql_do(statement);
    sql_drop(statement);
    return outcome;
}

static enum ledgerdb_outcome run_text(struct forgetting *forgetting, const char *text, uint64_t first,
                                      struct text second)
{
    struct sql_statement *statement = sql_prepare(forgetting->sql, text);
    if (!statement) return sql_failure(forgetting->sql);
    sql_bind(statement, 1, first);
    sql_bind_text(statement, 2, second);
    enum ledgerdb_outcome outcome = sql_do(statement);
    sql_drop(statement);
    return outcome;
}

static enum ledgerdb_outcome run_all(struct forgetting *forgetting, const char *const *texts, size_t count,
                                     uint64_t first)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    for (size_t i = 0; i < count && outcome == LEDGERDB_DONE; i++)
        outcome = run(forgetting, texts[i], first, 0);
    return outcome;
}

static enum ledgerdb_outcome terms_remove(struct forgetting *forgetting, const char *text, uint64_t id,
                                          const struct buffer *terms)
{
    if (!buffer_length(terms)) return LEDGERDB_DONE;
    return run_text(forgetting, text, id, buffer_text(terms));
}

static const char message_terms_text[] =
    "INSERT INTO find_message(find_message, rowid, terms) VALUES('delete', ?1, ?2)";
static const char refusal_terms_text[] =
    "INSERT INTO find_refusal(find_refusal, rowid, terms) VALUES('delete', ?1, ?2)";

/* FTS5 counts each removal as that of a whole row, and takes a table with fewer than none for damaged: one
   without terms makes up for a removal that leaves some. */
static const char message_left_text[] = "INSERT INTO find_message(rowid, terms) VALUES(?1, '')";
static const char refusal_left_text[] = "INSERT INTO find_refusal(rowid, terms) VALUES(?1, '')";

/* --- messages --- */

static enum ledgerdb_outcome carry(struct forgetting *forgetting, const char *name)
{
    return run_text(forgetting,
                    "INSERT INTO carried(since, name, recipients) VALUES(?1, ?2, 1)"
                    " ON CONFLICT DO UPDATE SET recipients = recipients + 1",
                    forgetting->limits->balance_since_ms, text_of(name));
}

/* What count.c would have counted. */
static enum ledgerdb_outcome recipient_carry(struct forgetting *forgetting, struct sql_statement *row,
                                             uint64_t id, uint64_t origin)
{
    uint64_t since = forgetting->limits->balance_since_ms;
    enum ending ending = (enum ending)sql_get(row, 2);
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (ending == ENDING_RELAYED)
        return count_is_since(id, sql_get(row, 3), since) ? carry(forgetting, ending_name(ending))
                                                          : LEDGERDB_DONE;
    if (!sql_is_null(row, 1) && count_is_since(id, sql_get(row, 1), since))
        outcome = carry(forgetting, origin == 0 ? "accepted" : origin == 2 ? "again" : "own");
    if (outcome == LEDGERDB_DONE && count_is_since(id, sql_get(row, 3), since))
        outcome = carry(forgetting, ending_name(ending));
    return outcome;
}

static enum ledgerdb_outcome recipients_forget(struct forgetting *forgetting, uint64_t id, uint64_t origin,
                                               struct buffer *terms)
{
    enum ledgerdb_outcome outcome, carried = LEDGERDB_DONE;
    struct sql_statement *row = sql_prepare(
        forgetting->sql,
        "SELECT address, accepted_ms, ending, ended_ms, action FROM recipient WHERE message = ?1");
    bool is_abroad = nodes_is_abroad(forgetting->database, id);
    if (!row) return sql_failure(forgetting->sql);
    sql_bind(row, 1, id);
    while ((outcome = sql_step(row)) == LEDGERDB_ROW && carried == LEDGERDB_DONE) {
        if (!sql_is_null(row, 1)) terms_add_recipient(terms, sql_get_text(row, 0));
        terms_add(terms, TERM_STATUS, text_of(ending_name((enum ending)sql_get(row, 2))));
        if (sql_get(row, 4) == ACTION_QUARANTINE) terms_add(terms, TERM_STATUS, TEXT("held"));
        if (sql_get(row, 4) == ACTION_QUARANTINE) terms_add(terms, TERM_STATUS, TEXT("quarantined"));
        if (!is_abroad) carried = recipient_carry(forgetting, row, id, origin);
        forgetting->done++;
    }
    sql_drop(row);
    if (carried != LEDGERDB_DONE) return carried;
    return outcome == LEDGERDB_DONE ? run(forgetting, "DELETE FROM recipient WHERE message = ?1", id, 0)
                                    : outcome;
}

/* One for each step that is still there. */
static enum ledgerdb_outcome steps_terms(struct forgetting *forgetting, uint64_t id, struct buffer *terms)
{
    enum ledgerdb_outcome outcome;
    struct sql_statement *row = sql_prepare(forgetting->sql, "SELECT kind FROM step WHERE message = ?1");
    if (!row) return sql_failure(forgetting->sql);
    sql_bind(row, 1, id);
    while ((outcome = sql_step(row)) == LEDGERDB_ROW)
        terms_add(terms, TERM_STATUS, text_of(step_name((enum step_kind)sql_get(row, 0))));
    sql_drop(row);
    return outcome;
}

/* Of a row whose columns from 1 on are client, sender, class, virus, subject, score. */
static void row_terms(struct sql_statement *row, struct buffer *terms)
{
    terms_add_client(terms, sql_get_text(row, 1));
    terms_add_sender(terms, sql_get_text(row, 2));
    if (sql_get(row, 3) || !sql_is_null(row, 6))
        terms_add(terms, TERM_CLASS, text_of(class_name((enum message_class)sql_get(row, 3))));
    if (!sql_is_null(row, 4)) terms_add(terms, TERM_VIRUS, sql_get_text(row, 4));
    terms_add_words(terms, sql_get_text(row, 5));
}

static enum ledgerdb_outcome message_forget(struct forgetting *forgetting, struct sql_statement *row,
                                            struct buffer *terms)
{
    static const char *const texts[] = {
        "DELETE FROM step WHERE message = ?1",
        "DELETE FROM hop WHERE message = ?1",
        "DELETE FROM held_recipient WHERE message = ?1",
        "DELETE FROM held WHERE message = ?1",
        "DELETE FROM proof WHERE id = ?1",
        "DELETE FROM part WHERE message = ?1",
        "DELETE FROM message WHERE id = ?1",
    };
    uint64_t id = sql_get(row, 0);
    buffer_clear(terms);
    row_terms(row, terms);
    enum ledgerdb_outcome outcome = steps_terms(forgetting, id, terms);
    if (outcome == LEDGERDB_DONE) outcome = recipients_forget(forgetting, id, sql_get(row, 7), terms);
    if (outcome == LEDGERDB_DONE) outcome = run_all(forgetting, texts, sizeof texts / sizeof *texts, id);
    if (outcome == LEDGERDB_DONE) outcome = terms_remove(forgetting, message_terms_text, id, terms);
    forgetting->done++;
    return outcome;
}

static enum ledgerdb_outcome rows_walk(struct forgetting *forgetting, const char *text, uint64_t limit_ms,
                                       enum ledgerdb_outcome (*forget)(struct forgetting *,
                                                                       struct sql_statement *,
                                                                       struct buffer *))
{
    struct buffer terms = { 0 };
    enum ledgerdb_outcome outcome = LEDGERDB_DONE, forgotten = LEDGERDB_DONE;
    struct sql_statement *row = sql_prepare(forgetting->sql, text);
    if (!row) return sql_failure(forgetting->sql);
    sql_bind(row, 1, id_at(limit_ms));
    sql_bind(row, 2, forgetting->most);
    while (forgotten == LEDGERDB_DONE && forgetting->done < forgetting->most &&
           (outcome = sql_step(row)) == LEDGERDB_ROW)
        forgotten = forget(forgetting, row, &terms);
    sql_drop(row);
    buffer_free(&terms);
    if (forgotten != LEDGERDB_DONE) return forgotten;
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

static enum ledgerdb_outcome messages_forget(struct forgetting *forgetting)
{
    if (!forgetting->limits->messages_ms) return LEDGERDB_DONE;
    return rows_walk(
        forgetting,
        "SELECT id, client, sender, class, virus, subject, score, own FROM message AS m WHERE id < ?1"
        " AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = m.id AND ending = 0)"
        " AND NOT EXISTS (SELECT 1 FROM held_recipient WHERE message = m.id AND state < 3)"
        " ORDER BY id LIMIT ?2",
        forgetting->limits->messages_ms, message_forget);
}

/* --- subjects --- */

/* The mark: rows up to there have none any more. */
static const struct subject_place {
    const char *rows, *terms, *left, *clear, *mark;
} places[] = {
    { "SELECT id, subject, 0 FROM message WHERE id < ?1"
      " AND id > ifnull((SELECT value FROM mark WHERE name = 'subjects'), 0) ORDER BY id LIMIT ?2",
      message_terms_text, message_left_text,
      "UPDATE message SET subject = NULL, author = NULL, message_id = NULL WHERE id = ?1", "subjects" },
    { "SELECT id, subject, 1 FROM refusal WHERE id < ?1"
      " AND id > ifnull((SELECT value FROM mark WHERE name = 'refusal subjects'), 0) ORDER BY id LIMIT ?2",
      refusal_terms_text, refusal_left_text,
      "UPDATE refusal SET subject = NULL, author = NULL, message_id = NULL WHERE id = ?1",
      "refusal subjects" },
};

static enum ledgerdb_outcome subject_forget(struct forgetting *forgetting, struct sql_statement *row,
                                            struct buffer *terms)
{
    uint64_t id = sql_get(row, 0);
    const struct subject_place *place = &places[sql_get(row, 2)];
    buffer_clear(terms);
    terms_add_words(terms, sql_get_text(row, 1));
    enum ledgerdb_outcome outcome = run(forgetting, place->left, id, 0);
    if (outcome == LEDGERDB_DONE) outcome = terms_remove(forgetting, place->terms, id, terms);
    if (outcome == LEDGERDB_DONE) outcome = run(forgetting, place->clear, id, 0);
    if (outcome == LEDGERDB_DONE)
        outcome = run_text(forgetting,
                           "INSERT INTO mark(value, name) VALUES(?1, ?2)"
                           " ON CONFLICT DO UPDATE SET value = excluded.value",
                           id, text_of(place->mark));
    forgetting->done++;
    return outcome;
}

static enum ledgerdb_outcome subjects_forget(struct forgetting *forgetting)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (!forgetting->limits->subjects_ms) return LEDGERDB_DONE;
    for (size_t i = 0; i < sizeof places / sizeof *places && outcome == LEDGERDB_DONE; i++)
        if (forgetting->done < forgetting->most)
            outcome = rows_walk(forgetting, places[i].rows, forgetting->limits->subjects_ms, subject_forget);
    return outcome;
}

/* --- the rest --- */

static enum ledgerdb_outcome refusal_forget(struct forgetting *forgetting, struct sql_statement *row,
                                            struct buffer *terms)
{
    uint64_t id = sql_get(row, 0);
    buffer_clear(terms);
    row_terms(row, terms);
    if (!sql_is_null(row, 7)) terms_add_recipient(terms, sql_get_text(row, 7));
    terms_add(terms, TERM_STATUS, text_of(terms_refused_status((uint16_t)sql_get(row, 8))));
    enum ledgerdb_outcome outcome = terms_remove(forgetting, refusal_terms_text, id, terms);
    if (outcome == LEDGERDB_DONE) outcome = run(forgetting, "DELETE FROM refusal WHERE id = ?1", id, 0);
    if (outcome == LEDGERDB_DONE) outcome = run(forgetting, "DELETE FROM proof WHERE id = ?1", id, 0);
    forgetting->done++;
    return outcome;
}

static enum ledgerdb_outcome refusals_forget(struct forgetting *forgetting)
{
    if (!forgetting->limits->refusals_ms) return LEDGERDB_DONE;
    return rows_walk(
        forgetting,
        "SELECT id, client, sender, class, virus, subject, score, recipient, code FROM refusal WHERE id < ?1"
        " ORDER BY id LIMIT ?2",
        forgetting->limits->refusals_ms, refusal_forget);
}

static enum ledgerdb_outcome plain_forget(struct forgetting *forgetting, const char *text, uint64_t limit_ms)
{
    if (!limit_ms) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome = run(forgetting, text, id_at(limit_ms), forgetting->most);
    if (outcome == LEDGERDB_DONE) forgetting->done += sql_changes(forgetting->sql);
    return outcome;
}

static enum ledgerdb_outcome steps_forget(struct forgetting *forgetting)
{
    return plain_forget(forgetting,
                        "DELETE FROM step WHERE message IN"
                        " (SELECT message FROM step WHERE message < ?1 ORDER BY message LIMIT ?2)",
                        forgetting->limits->steps_ms);
}

static enum ledgerdb_outcome audit_forget(struct forgetting *forgetting)
{
    return plain_forget(
        forgetting, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < ?1 ORDER BY id LIMIT ?2)",
        forgetting->limits->audit_ms);
}

/* A whole day at once: it has no more rows than there are names. */
static enum ledgerdb_outcome partners_forget(struct forgetting *forgetting)
{
    if (!forgetting->limits->partners) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        run(forgetting, "DELETE FROM partner WHERE day = (SELECT min(day) FROM partner WHERE day < ?1)",
            forgetting->limits->partners, 0);
    if (outcome == LEDGERDB_DONE) forgetting->done += sql_changes(forgetting->sql);
    return outcome;
}

static enum ledgerdb_outcome parts_forget(struct forgetting *forgetting)
{
    unsigned rows = 0;
    if (!forgetting->limits->parts_ms) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        part_history_forget(forgetting->sql, id_at(forgetting->limits->parts_ms), forgetting->most, &rows);
    forgetting->done += rows;
    return outcome;
}

static enum ledgerdb_outcome colleagues_go(struct forgetting *forgetting)
{
    unsigned rows = 0;
    if (!forgetting->limits->today) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        colleagues_forget(forgetting->sql, forgetting->limits->today, forgetting->most, &rows);
    forgetting->done += rows;
    return outcome;
}

static enum ledgerdb_outcome lists_forget(struct forgetting *forgetting)
{
    unsigned rows = 0;
    if (!forgetting->limits->today) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        list_history_forget(forgetting->sql, forgetting->limits->today, forgetting->most, &rows);
    forgetting->done += rows;
    return outcome;
}

/* `text` has one %s: a list of all kinds, without which the tables would be read from end to end. */
static struct text all_kinds(struct forgetting *forgetting, const char *text)
{
    struct buffer kinds = { 0 };
    sum_kinds_add(&kinds, 0);
    buffer_add_char(&kinds, '\0');
    struct text all = arena_printf(forgetting->database->arena, text, buffer_text(&kinds).at);
    buffer_free(&kinds);
    return all;
}

/* A day's sums go into its month's. */
static enum ledgerdb_outcome day_fold(struct forgetting *forgetting)
{
    static const char *const texts[] = {
        "INSERT INTO sum_day SELECT kind, day / 100 * 100, node, direction, domain, name, messages,"
        " recipients, bytes FROM sum_day WHERE kind IN %s AND day = ?1" SUMS_ADDED,
        "INSERT INTO sum_hour SELECT kind, day / 100 * 100, hour, node, direction, domain, name, messages,"
        " recipients, bytes FROM sum_hour WHERE kind IN %s AND day = ?1" SUMS_ADDED,
        "DELETE FROM sum_day WHERE kind IN %s AND day = ?1",
        "DELETE FROM sum_hour WHERE kind IN %s AND day = ?1",
    };
    int64_t day = 0;
    if (!forgetting->limits->days) return LEDGERDB_DONE;
    arena_reset(forgetting->database->arena);
    struct text first = arena_printf(forgetting->database->arena, "%s%u",
                                     all_kinds(forgetting, "SELECT min(day) FROM sum_day WHERE kind IN %s"
                                                           " AND day %% 100 <> 0 AND day < ")
                                         .at,
                                     forgetting->limits->days);
    enum ledgerdb_outcome outcome = sql_number(forgetting->sql, first.at, &day);
    if (day == 0) return outcome;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && outcome == LEDGERDB_DONE; i++) {
        outcome = run(forgetting, all_kinds(forgetting, texts[i]).at, (uint64_t)day, 0);
        if (outcome == LEDGERDB_DONE) forgetting->done += sql_changes(forgetting->sql);
    }
    return outcome;
}

enum ledgerdb_outcome forget_some(struct database *database, const struct forget_limits *limits,
                                  unsigned most, unsigned *out_rows)
{
    static enum ledgerdb_outcome (*const kinds[])(struct forgetting *) = {
        messages_forget, subjects_forget, refusals_forget, steps_forget, audit_forget,
        partners_forget, lists_forget,    colleagues_go,   parts_forget, day_fold
    };
    struct forgetting forgetting = {
        .database = database, .sql = database->sql, .limits = limits, .most = most
    };
    enum ledgerdb_outcome outcome = database_begin(database);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (outcome == LEDGERDB_DONE && forgetting.done < most) outcome = kinds[i](&forgetting);
    sql_tell(database->sql, outcome, "forgetting");
    if (outcome == LEDGERDB_DONE) outcome = database_commit(database);
    if (outcome != LEDGERDB_DONE) database_rollback(database);
    *out_rows = outcome == LEDGERDB_DONE ? forgetting.done : 0;
    return outcome;
}
