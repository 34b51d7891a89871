/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables proposal and proposal_report. Called by ledger, and by the report for the count. */
#include "ledgerdb/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "ledgerdb/held.h"
#include "ledgerdb/search.h"

enum {
    SUBJECT_COMPARED = 80, /* bytes: a tag before it may have cost the copy its end */
    MESSAGES_LOOKED_AT = 50,
    DAY_MS = 24 * 60 * 60 * 1000
};

/* --- small questions --- */

static enum ledgerdb_outcome step_once(struct sql *sql, struct sql_statement *statement, uint64_t *out)
{
    *out = 0;
    if (!statement) return sql_failure(sql);
    enum ledgerdb_outcome outcome = sql_step(statement);
    if (outcome == LEDGERDB_ROW) {
        *out = sql_get(statement, 0);
        outcome = LEDGERDB_DONE;
    }
    sql_drop(statement);
    return outcome;
}

static enum ledgerdb_outcome number_at(struct sql *sql, const char *text, uint64_t bound, uint64_t *out)
{
    struct sql_statement *statement = sql_prepare(sql, text);
    if (statement) sql_bind(statement, 1, bound);
    return step_once(sql, statement, out);
}

static enum ledgerdb_outcome do_once(struct database *database, struct sql_statement *statement)
{
    struct sql *sql = database_sql(database);
    enum ledgerdb_outcome outcome = statement ? sql_do(statement) : sql_failure(sql);
    sql_tell(sql, outcome, "a report of a user");
    sql_drop(statement);
    return outcome;
}

static struct text mail_of(const struct proposal_report *report)
{
    return text_from((const char *)report->mail, PROPOSAL_MAIL_BYTES);
}

/* --- a report --- */

static enum ledgerdb_outcome known_find(struct sql *sql, const struct proposal_report *report,
                                        uint64_t *out_number, uint64_t *out_state)
{
    struct sql_statement *statement =
        sql_prepare(sql, "SELECT number, state FROM proposal WHERE mail = ?1 AND is_spam = ?2");
    *out_number = *out_state = 0;
    if (!statement) return sql_failure(sql);
    sql_bind_bytes(statement, 1, mail_of(report));
    sql_bind(statement, 2, report->is_spam);
    enum ledgerdb_outcome outcome = sql_step(statement);
    if (outcome == LEDGERDB_ROW) {
        *out_number = sql_get(statement, 0);
        *out_state = sql_get(statement, 1);
        outcome = LEDGERDB_DONE;
    }
    sql_drop(statement);
    return outcome;
}

static enum ledgerdb_outcome has_told(struct sql *sql, const struct proposal_report *report, uint64_t number,
                                      uint64_t *out)
{
    struct sql_statement *statement = sql_prepare(
        sql, "SELECT count(*) FROM proposal_report WHERE proposal = ?1 AND reporter = ?2 COLLATE NOCASE");
    if (statement) {
        sql_bind(statement, 1, number);
        sql_bind_text(statement, 2, report->reporter);
    }
    return step_once(sql, statement, out);
}

static enum ledgerdb_outcome told_lately(struct sql *sql, const struct proposal_report *report, uint64_t *out)
{
    struct sql_statement *statement = sql_prepare(
        sql, "SELECT count(*) FROM proposal_report WHERE time > ?1 AND reporter = ?2 COLLATE NOCASE");
    if (statement) {
        sql_bind(statement, 1, report->now_ms > DAY_MS ? report->now_ms - DAY_MS : 0);
        sql_bind_text(statement, 2, report->reporter);
    }
    return step_once(sql, statement, out);
}

/* *out: there is room for one more report, and for a proposal where it `is_new`. */
static enum ledgerdb_outcome room_look(struct sql *sql, const struct proposal_report *report, bool is_new,
                                       bool *out)
{
    uint64_t own = 0, all = 0, waiting = 0, bytes = 0;
    uint64_t since = report->now_ms > DAY_MS ? report->now_ms - DAY_MS : 0;
    enum ledgerdb_outcome outcome = told_lately(sql, report, &own);
    if (outcome == LEDGERDB_DONE)
        outcome = number_at(sql, "SELECT count(*) FROM proposal_report WHERE time > ?1", since, &all);
    if (outcome == LEDGERDB_DONE && is_new) outcome = proposal_count(sql, &waiting);
    if (outcome == LEDGERDB_DONE && is_new)
        outcome = number_at(sql, "SELECT ifnull(sum(length(lesson)), 0) FROM proposal WHERE state = ?1",
                            PROPOSAL_WAITS, &bytes);
    *out = own < PROPOSALS_A_REPORTER && all < PROPOSAL_REPORTS_A_DAY && waiting < PROPOSALS_MOST &&
           bytes + report->lesson.length <= PROPOSALS_BYTES_MOST;
    return outcome;
}

static enum ledgerdb_outcome proposal_add(struct database *database, const struct proposal_report *report,
                                          uint64_t *out_number)
{
    struct sql *sql = database_sql(database);
    struct sql_statement *statement =
        sql_prepare(sql, "INSERT INTO proposal(mail, is_spam, state, told, message, lesson)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6) RETURNING number");
    if (statement) {
        sql_bind_bytes(statement, 1, mail_of(report));
        sql_bind(statement, 2, report->is_spam);
        sql_bind(statement, 3, PROPOSAL_WAITS);
        sql_bind(statement, 4, report->now_ms);
        sql_bind_unless_0(statement, 5, report->message);
        sql_bind_bytes(statement, 6, report->lesson);
    }
    enum ledgerdb_outcome outcome = step_once(sql, statement, out_number);
    return sql_tell(sql, outcome, "a report of a user");
}

static enum ledgerdb_outcome reporter_add(struct database *database, const struct proposal_report *report,
                                          uint64_t number)
{
    struct sql_statement *statement =
        sql_prepare(database_sql(database),
                    "INSERT OR IGNORE INTO proposal_report(proposal, reporter, time) VALUES(?1, ?2, ?3)");
    if (statement) {
        sql_bind(statement, 1, number);
        sql_bind_text(statement, 2, report->reporter);
        sql_bind(statement, 3, report->now_ms);
    }
    return do_once(database, statement);
}

/* A message that was not found when the first copy came may be found by another copy. */
static enum ledgerdb_outcome message_set(struct database *database, const struct proposal_report *report,
                                         uint64_t number)
{
    if (!report->message) return LEDGERDB_DONE;
    struct sql_statement *statement =
        sql_prepare(database_sql(database),
                    "UPDATE proposal SET message = ?2 WHERE number = ?1 AND message IS NULL AND state = 1");
    if (statement) {
        sql_bind(statement, 1, number);
        sql_bind(statement, 2, report->message);
    }
    return do_once(database, statement);
}

enum ledgerdb_outcome proposal_tell(struct database *database, const struct proposal_report *report,
                                    enum proposal_outcome *out, uint64_t *out_number)
{
    struct sql *sql = database_sql(database);
    uint64_t state, told = 0;
    bool has_room = true;
    enum ledgerdb_outcome outcome = known_find(sql, report, out_number, &state);
    *out = !*out_number ? PROPOSAL_NEW : state == PROPOSAL_WAITS ? PROPOSAL_JOINED : PROPOSAL_DECIDED;
    if (outcome == LEDGERDB_DONE && *out_number) outcome = has_told(sql, report, *out_number, &told);
    if (outcome != LEDGERDB_DONE || told) return outcome;
    outcome = room_look(sql, report, *out == PROPOSAL_NEW, &has_room);
    if (!has_room) *out = PROPOSAL_TOO_MANY;
    if (outcome != LEDGERDB_DONE || !has_room) return outcome;
    if (*out == PROPOSAL_NEW) outcome = proposal_add(database, report, out_number);
    if (outcome == LEDGERDB_DONE) outcome = reporter_add(database, report, *out_number);
    return outcome == LEDGERDB_DONE ? message_set(database, report, *out_number) : outcome;
}

/* --- deciding --- */

enum ledgerdb_outcome proposal_decide(struct database *database, uint64_t number, enum proposal_state state)
{
    struct sql *sql = database_sql(database);
    struct sql_statement *statement =
        sql_prepare(sql, "UPDATE proposal SET state = ?2, lesson = NULL WHERE number = ?1 AND state = 1");
    struct sql_statement *other =
        sql_prepare(sql, "UPDATE proposal SET state = 3, lesson = NULL WHERE state = 1 AND number <> ?1"
                         " AND mail = (SELECT mail FROM proposal WHERE number = ?1)");
    _Static_assert(PROPOSAL_WAITS == 1 && PROPOSAL_DECLINED == 3, "the numbers stand in the texts above");
    if (statement) {
        sql_bind(statement, 1, number);
        sql_bind(statement, 2, state);
    }
    if (other) sql_bind(other, 1, number);
    enum ledgerdb_outcome outcome = do_once(database, statement);
    if (state != PROPOSAL_ACCEPTED || outcome != LEDGERDB_DONE) {
        sql_drop(other);
        return outcome;
    }
    return do_once(database, other);
}

enum ledgerdb_outcome proposal_forget(struct database *database, uint64_t before_ms)
{
    struct sql *sql = database_sql(database);
    struct sql_statement *reports = sql_prepare(
        sql, "DELETE FROM proposal_report WHERE proposal IN (SELECT number FROM proposal WHERE told < ?1)");
    struct sql_statement *proposals = sql_prepare(sql, "DELETE FROM proposal WHERE told < ?1");
    if (reports) sql_bind(reports, 1, before_ms);
    if (proposals) sql_bind(proposals, 1, before_ms);
    enum ledgerdb_outcome outcome = do_once(database, reports);
    if (outcome == LEDGERDB_DONE) return do_once(database, proposals);
    sql_drop(proposals);
    return outcome;
}

/* --- the message that passed here --- */

/* Without blanks and brackets: programs write the name before it in many ways. */
static struct text author_address(struct text author)
{
    author = text_trim(author);
    size_t end = text_find_last_char(author, '>');
    size_t start = text_find_last_char(author, '<');
    if (end == author.length || start >= end) return author;
    return text_trim(text_slice(author, start + 1, end));
}

static bool is_alike(const struct proposal_copy *copy, struct text author, struct text subject)
{
    struct text known = text_trim(text_slice(text_trim(subject), 0, SUBJECT_COMPARED));
    return text_equal_nocase(author_address(copy->author), author_address(author)) &&
           (known.length == 0 || text_find(copy->subject, known) < copy->subject.length);
}

static bool copy_has(const struct proposal_copy *copy, struct text digest)
{
    for (uint32_t i = 0; i < copy->part_count; i++)
        if (digest.length == PART_DIGEST_BYTES &&
            memcmp(copy->parts[i].bytes, digest.at, PART_DIGEST_BYTES) == 0)
            return true;
    return false;
}

/* Every file of the copy is one of the message. A message of which the ledger knows no files, or as many as
   it keeps, says nothing of it. */
static enum ledgerdb_outcome parts_compare(struct sql *sql, uint64_t message,
                                           const struct proposal_copy *copy, bool *out_is_same)
{
    struct sql_statement *row = sql_prepare(sql, "SELECT digest FROM part WHERE message = ?1");
    enum ledgerdb_outcome outcome;
    uint32_t known = 0, found = 0;
    if (!row) return sql_failure(sql);
    sql_bind(row, 1, message);
    while ((outcome = sql_step(row)) == LEDGERDB_ROW) {
        known++;
        found += copy_has(copy, sql_get_text(row, 0));
    }
    sql_drop(row);
    *out_is_same = known == 0 || known >= PART_DIGESTS_MOST || found >= copy->part_count;
    return outcome;
}

enum ledgerdb_outcome proposal_message(struct sql *sql, const struct proposal_copy *copy, struct arena *arena,
                                       uint64_t *out)
{
    struct text id = search_bare_id(copy->message_id);
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    bool is_same = false;
    *out = 0;
    if (id.length == 0) return outcome;
    struct sql_statement *row =
        sql_prepare(sql, "SELECT id, author, subject FROM message WHERE message_id IN (?1, ?2) AND own = 0"
                         " ORDER BY id DESC LIMIT ?3");
    if (!row) return sql_failure(sql);
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, arena_printf(arena, "<%.*s>", TEXT_ARG(id)));
    sql_bind(row, 3, MESSAGES_LOOKED_AT);
    while (!is_same && (outcome = sql_step(row)) == LEDGERDB_ROW) {
        if (!is_alike(copy, sql_get_text(row, 1), sql_get_text(row, 2))) continue;
        *out = sql_get(row, 0);
        outcome = parts_compare(sql, *out, copy, &is_same);
        if (outcome != LEDGERDB_DONE) break;
    }
    sql_drop(row);
    if (!is_same) *out = 0;
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

/* --- reading --- */

#define COLUMNS                                                                     \
    "p.number, p.mail, p.is_spam, p.state, p.told, p.message, m.author, m.subject," \
    " (SELECT count(*) FROM proposal_report r WHERE r.proposal = p.number),"        \
    " (SELECT reporter FROM proposal_report r WHERE r.proposal = p.number ORDER BY time, reporter LIMIT 1)"
#define TABLES " FROM proposal p LEFT JOIN message m ON m.id = p.message"

static void row_take(struct sql_statement *row, struct arena *arena, struct proposal *out)
{
    struct text mail = sql_get_text(row, 1);
    *out = (struct proposal){ .number = sql_get(row, 0),
                              .is_spam = sql_get(row, 2),
                              .state = (enum proposal_state)sql_get(row, 3),
                              .told_ms = sql_get(row, 4),
                              .message = sql_get(row, 5),
                              .reporters = (uint32_t)sql_get(row, 8) };
    if (mail.length == PROPOSAL_MAIL_BYTES) memcpy(out->mail, mail.at, PROPOSAL_MAIL_BYTES);
    out->author = arena_text(arena, sql_get_text(row, 6));
    out->subject = arena_text(arena, sql_get_text(row, 7));
    out->reporter = arena_text(arena, sql_get_text(row, 9));
}

enum ledgerdb_outcome proposal_list(struct sql *sql, struct arena *arena, struct proposal **out,
                                    size_t *out_count)
{
    struct sql_statement *row =
        sql_prepare(sql, "SELECT " COLUMNS TABLES " WHERE p.state = 1 ORDER BY p.number LIMIT ?1");
    enum ledgerdb_outcome outcome;
    *out = arena_alloc_array(arena, PROPOSALS_MOST, sizeof **out);
    *out_count = 0;
    if (!row) return sql_failure(sql);
    sql_bind(row, 1, PROPOSALS_MOST);
    while ((outcome = sql_step(row)) == LEDGERDB_ROW) row_take(row, arena, &(*out)[(*out_count)++]);
    sql_drop(row);
    return outcome;
}

enum ledgerdb_outcome proposal_read(struct sql *sql, uint64_t number, struct arena *arena,
                                    struct proposal *out)
{
    struct sql_statement *row =
        sql_prepare(sql, "SELECT " COLUMNS ", p.lesson" TABLES " WHERE p.number = ?1");
    if (!row) return sql_failure(sql);
    sql_bind(row, 1, number);
    enum ledgerdb_outcome outcome = sql_step(row);
    if (outcome == LEDGERDB_ROW) {
        row_take(row, arena, out);
        out->lesson = arena_text(arena, sql_get_text(row, 10));
    }
    sql_drop(row);
    if (outcome == LEDGERDB_DONE) return LEDGERDB_MISSING;
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

enum ledgerdb_outcome proposal_exists(struct sql *sql, const uint8_t mail[PROPOSAL_MAIL_BYTES], bool *out)
{
    uint64_t count;
    struct sql_statement *statement = sql_prepare(sql, "SELECT count(*) FROM proposal WHERE mail = ?1");
    if (statement) sql_bind_bytes(statement, 1, text_from((const char *)mail, PROPOSAL_MAIL_BYTES));
    enum ledgerdb_outcome outcome = step_once(sql, statement, &count);
    *out = count > 0;
    return outcome;
}

enum ledgerdb_outcome proposal_automatic(struct sql *sql, uint64_t since_ms, uint64_t out[2])
{
    enum ledgerdb_outcome outcome =
        number_at(sql,
                  "SELECT count(*) FROM audit WHERE id >= ?1 AND act = 'learn' AND user = 'automatic'"
                  " AND about LIKE 'automatic: ham;%'",
                  since_ms << 22 /* an id begins with its ms */, &out[0]);
    if (outcome != LEDGERDB_DONE) return outcome;
    return number_at(sql,
                     "SELECT count(*) FROM audit WHERE id >= ?1 AND act = 'learn' AND user = 'automatic'"
                     " AND about LIKE 'automatic: spam;%'",
                     since_ms << 22 /* an id begins with its ms */, &out[1]);
}

enum ledgerdb_outcome proposal_count(struct sql *sql, uint64_t *out)
{
    return number_at(sql, "SELECT count(*) FROM proposal WHERE state = ?1", PROPOSAL_WAITS, out);
}
