/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables part and part_found. Rows of `part` are numbered as they come, so that the oldest are found without
   counting. Called by accepted.c, refused.c, purge.c and the report. */
#include "ledgerdb/part_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { LOOKED_SLOTS = 64, LOOK_AGAIN_MS = 3600 * 1000, COUNT_MOST = 10000, FOUND_STEP = 100 };

/* Not found infected themselves, and delivered, taken by the next node, or on their way. ?1: the digest, ?2:
   the message that was found. */
#define RECEIVED                                                                                      \
    " FROM part p JOIN message m ON m.id = p.message JOIN recipient r ON r.message = p.message"       \
    " WHERE p.digest = ?1 AND p.message < ?2 AND m.class NOT IN (1, 2) AND r.accepted_ms IS NOT NULL" \
    " AND (r.ending IN (1, 16) OR (r.ending = 0 AND r.hold = 0))"
_Static_assert(CLASS_VIRUS == 1 && CLASS_PHISHING == 2 && ENDING_DELIVERED == 1 && ENDING_RELAYED == 16,
               "the numbers stand in the text above, too");

enum part_statement { STORE, MAKE_ROOM, IS_KNOWN, COUNT, KNOW, FORGET_FOUND, PART_STATEMENTS };

static const char *const texts[PART_STATEMENTS] = {
    [STORE] = "INSERT OR IGNORE INTO part(digest, message) VALUES(?1, ?2)",
    [MAKE_ROOM] = "DELETE FROM part WHERE row <= (SELECT max(row) FROM part) - ?1",
    [IS_KNOWN] = "SELECT 1 FROM part_found WHERE digest = ?1",
    [COUNT] = "SELECT count(DISTINCT id), count(*) FROM (SELECT m.id AS id" RECEIVED " LIMIT ?3)",
    [KNOW] = "INSERT OR IGNORE INTO part_found(digest, found, name, message) VALUES(?1, ?2, ?3, ?4)",
    [FORGET_FOUND] = "DELETE FROM part_found WHERE digest IN (SELECT digest FROM part_found"
                     " ORDER BY found DESC LIMIT -1 OFFSET ?1)",
};

/* One that was looked up lately, in the slot of its digest. */
struct looked {
    uint8_t digest[PART_DIGEST_BYTES];
    uint64_t time_ms; /* 0: the slot is free */
};

struct part_notice {
    char digest[PART_DIGEST_HEX_SIZE], virus[100];
    unsigned messages, recipients;
};

struct part_history {
    struct sql *sql;
    struct sql_statement *statements[PART_STATEMENTS];
    struct looked looked[LOOKED_SLOTS];
    struct part_notice notices[PART_HISTORY_LINES]; /* of the transaction under way */
    unsigned notice_count;
};

struct part_history *part_history_new(struct sql *sql)
{
    struct part_history *history = memory_alloc(sizeof *history);
    bool is_good = true;
    history->sql = sql;
    for (int i = 0; i < PART_STATEMENTS; i++) {
        history->statements[i] = sql_prepare(sql, texts[i]);
        is_good = is_good && history->statements[i];
    }
    if (is_good) return history;
    part_history_free(history);
    return NULL;
}

void part_history_free(struct part_history *history)
{
    if (!history) return;
    for (int i = 0; i < PART_STATEMENTS; i++) sql_drop(history->statements[i]);
    free(history);
}

static struct text digest_text(const uint8_t digest[PART_DIGEST_BYTES])
{
    return text_from((const char *)digest, PART_DIGEST_BYTES);
}

static enum ledgerdb_outcome row_store(struct part_history *history, uint64_t message,
                                       const struct part_digest *part)
{
    struct sql_statement *statement = history->statements[STORE];
    sql_bind_bytes(statement, 1, digest_text(part->bytes));
    sql_bind(statement, 2, message);
    return sql_do(statement);
}

enum ledgerdb_outcome part_history_store(struct part_history *history, uint64_t message,
                                         const struct event_judgement *judgement)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (judgement->part_count == 0) return LEDGERDB_DONE;
    for (uint32_t i = 0; i < judgement->part_count && outcome == LEDGERDB_DONE; i++)
        outcome = row_store(history, message, &judgement->parts[i]);
    if (outcome != LEDGERDB_DONE) return sql_tell(history->sql, outcome, "storing parts");
    sql_bind(history->statements[MAKE_ROOM], 1, PART_HISTORY_MOST);
    return sql_tell(history->sql, sql_do(history->statements[MAKE_ROOM]), "making room for parts");
}

/* --- what is found --- */

/* True: it is to be looked up, and counts as looked up from now on. */
static bool is_new(struct part_history *history, const uint8_t digest[PART_DIGEST_BYTES], uint64_t time_ms)
{
    struct looked *slot = &history->looked[digest[0] % LOOKED_SLOTS];
    bool is_same = slot->time_ms && memcmp(slot->digest, digest, PART_DIGEST_BYTES) == 0;
    bool is_lately = time_ms < slot->time_ms + LOOK_AGAIN_MS && slot->time_ms < time_ms + LOOK_AGAIN_MS;
    if (is_same && is_lately) return false;
    memcpy(slot->digest, digest, PART_DIGEST_BYTES);
    slot->time_ms = time_ms;
    return true;
}

static void notice_add(struct part_history *history, const uint8_t digest[PART_DIGEST_BYTES],
                       struct text virus, uint64_t messages, uint64_t recipients)
{
    if (history->notice_count == PART_HISTORY_LINES) return;
    struct part_notice *notice = &history->notices[history->notice_count++];
    size_t length = virus.length < sizeof notice->virus - 1 ? virus.length : sizeof notice->virus - 1;
    part_digest_print(digest, notice->digest);
    if (length) memcpy(notice->virus, virus.at, length);
    notice->virus[length] = '\0';
    notice->messages = (unsigned)messages;
    notice->recipients = (unsigned)recipients;
}

static enum ledgerdb_outcome know(struct part_history *history, const uint8_t digest[PART_DIGEST_BYTES],
                                  uint64_t message, uint64_t time_ms, struct text virus)
{
    struct sql_statement *statement = history->statements[KNOW];
    sql_bind_bytes(statement, 1, digest_text(digest));
    sql_bind(statement, 2, time_ms);
    sql_bind_text(statement, 3, virus);
    sql_bind(statement, 4, message);
    enum ledgerdb_outcome outcome = sql_do(statement);
    if (outcome != LEDGERDB_DONE) return outcome;
    sql_bind(history->statements[FORGET_FOUND], 1, PART_HISTORY_FOUND_MOST);
    return sql_do(history->statements[FORGET_FOUND]);
}

static enum ledgerdb_outcome receivers_count(struct part_history *history,
                                             const uint8_t digest[PART_DIGEST_BYTES], uint64_t message,
                                             uint64_t *out_messages, uint64_t *out_recipients)
{
    struct sql_statement *statement = history->statements[COUNT];
    sql_bind_bytes(statement, 1, digest_text(digest));
    sql_bind(statement, 2, message);
    sql_bind(statement, 3, COUNT_MOST);
    enum ledgerdb_outcome outcome = sql_step(statement);
    *out_messages = outcome == LEDGERDB_ROW ? sql_get(statement, 0) : 0;
    *out_recipients = outcome == LEDGERDB_ROW ? sql_get(statement, 1) : 0;
    sql_reset(statement);
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

static enum ledgerdb_outcome digest_find(struct part_history *history,
                                         const uint8_t digest[PART_DIGEST_BYTES], uint64_t message,
                                         uint64_t time_ms, struct text virus)
{
    struct sql_statement *known = history->statements[IS_KNOWN];
    uint64_t messages, recipients;
    sql_bind_bytes(known, 1, digest_text(digest));
    enum ledgerdb_outcome outcome = sql_step(known);
    sql_reset(known);
    if (outcome != LEDGERDB_DONE) return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
    outcome = receivers_count(history, digest, message, &messages, &recipients);
    if (outcome != LEDGERDB_DONE || recipients == 0) return outcome;
    notice_add(history, digest, virus, messages, recipients);
    return know(history, digest, message, time_ms, virus);
}

enum ledgerdb_outcome part_history_find(struct part_history *history, uint64_t message, uint64_t time_ms,
                                        const struct event_judgement *judgement)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (judgement->class != CLASS_VIRUS && judgement->class != CLASS_PHISHING) return LEDGERDB_DONE;
    for (uint32_t i = 0; i < judgement->part_count && outcome == LEDGERDB_DONE; i++) {
        const struct part_digest *part = &judgement->parts[i];
        if (part->is_infected && is_new(history, part->bytes, time_ms))
            outcome = digest_find(history, part->bytes, message, time_ms, judgement->virus);
    }
    return sql_tell(history->sql, outcome, "looking for whoever received a part");
}

void part_history_tell(struct part_history *history)
{
    for (unsigned i = 0; i < history->notice_count; i++) {
        const struct part_notice *notice = &history->notices[i];
        log_error(
            "ALARM: a file in which %s is found now was delivered before that was known: %u messages to %u"
            " recipients; sekimori trace --part %s names them",
            notice->virus[0] ? notice->virus : "a virus", notice->messages, notice->recipients,
            notice->digest);
    }
    history->notice_count = 0;
}

void part_history_drop(struct part_history *history)
{
    history->notice_count = 0;
    memset(history->looked, 0, sizeof history->looked);
}

/* --- retention --- */

enum ledgerdb_outcome part_history_forget(struct sql *sql, uint64_t before, unsigned most, unsigned *out_rows)
{
    static const char *const forget[] = {
        "DELETE FROM part WHERE row IN (SELECT row FROM part WHERE message < ?1 ORDER BY message LIMIT ?2)",
        "DELETE FROM part_found WHERE digest IN"
        " (SELECT digest FROM part_found WHERE message < ?1 ORDER BY found LIMIT ?2)",
    };
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    *out_rows = 0;
    for (size_t i = 0; i < sizeof forget / sizeof *forget && outcome == LEDGERDB_DONE; i++) {
        struct sql_statement *statement = sql_prepare(sql, forget[i]);
        if (!statement) return sql_failure(sql);
        sql_bind(statement, 1, before);
        sql_bind(statement, 2, most);
        outcome = sql_do(statement);
        if (outcome == LEDGERDB_DONE) *out_rows += sql_changes(sql);
        sql_drop(statement);
    }
    return outcome;
}

/* --- who received it --- */

struct hearing {
    struct arena *arena;
    struct part_receiver *receivers;
    size_t count, most;
    bool is_cut;
};

static enum ledgerdb_outcome receivers_of(struct hearing *hearing, struct sql *sql,
                                          struct sql_statement *rows, const struct part_receiver *about)
{
    enum ledgerdb_outcome outcome;
    sql_bind_bytes(rows, 1, digest_text(about->digest));
    sql_bind(rows, 2, about->message);
    sql_bind(rows, 3, hearing->most - hearing->count + 1);
    sql_time_limit(sql, READER_STEP_MS);
    while ((outcome = sql_step(rows)) == LEDGERDB_ROW) {
        if (hearing->count == hearing->most) {
            hearing->is_cut = true;
            continue;
        }
        struct part_receiver *receiver = &hearing->receivers[hearing->count++];
        *receiver = *about;
        receiver->message = sql_get(rows, 0);
        receiver->address = arena_text(hearing->arena, sql_get_text(rows, 1));
        receiver->ended_ms = sql_get(rows, 2);
    }
    sql_reset(rows);
    return outcome;
}

/* What was found in that time, with the id of the message in which; at most FOUND_STEP. */
static enum ledgerdb_outcome found_read(struct sql *sql, uint64_t from_ms, uint64_t until_ms,
                                        struct arena *arena, struct part_receiver *out, size_t *out_count)
{
    enum ledgerdb_outcome outcome;
    struct sql_statement *found = sql_prepare(
        sql, "SELECT digest, found, name, message FROM part_found WHERE found >= ?1 AND found < ?2"
             " ORDER BY found LIMIT ?3");
    *out_count = 0;
    if (!found) return sql_failure(sql);
    sql_bind(found, 1, from_ms);
    sql_bind(found, 2, until_ms);
    sql_bind(found, 3, FOUND_STEP);
    sql_time_limit(sql, READER_STEP_MS);
    while ((outcome = sql_step(found)) == LEDGERDB_ROW) {
        struct part_receiver *about = &out[*out_count];
        struct text digest = sql_get_text(found, 0);
        if (digest.length != PART_DIGEST_BYTES) continue;
        *about = (struct part_receiver){ .found_ms = sql_get(found, 1),
                                         .virus = arena_text(arena, sql_get_text(found, 2)),
                                         .message = sql_get(found, 3) };
        memcpy(about->digest, digest.at, PART_DIGEST_BYTES);
        ++*out_count;
    }
    sql_drop(found);
    return outcome;
}

enum ledgerdb_outcome part_history_receivers(struct ledgerdb_reader *ledgerdb, uint64_t from_ms,
                                             uint64_t until_ms, size_t most, struct arena *arena,
                                             struct part_receiver **out, size_t *out_count, bool *out_is_cut)
{
    struct sql *sql = ledgerdb_sql(ledgerdb);
    struct part_receiver *found = arena_alloc_array(arena, FOUND_STEP, sizeof *found);
    struct hearing hearing = { arena, arena_alloc_array(arena, most, sizeof **out), 0, most, false };
    size_t count;
    enum ledgerdb_outcome outcome = found_read(sql, from_ms, until_ms, arena, found, &count);
    struct sql_statement *rows = sql_prepare(
        sql, "SELECT p.message, r.address, ifnull(r.ended_ms, 0)" RECEIVED " ORDER BY p.message LIMIT ?3");
    if (!rows) outcome = sql_failure(sql);
    for (size_t i = 0; i < count && outcome == LEDGERDB_DONE && !hearing.is_cut; i++)
        outcome = receivers_of(&hearing, sql, rows, &found[i]);
    sql_drop(rows);
    *out = hearing.receivers;
    *out_count = hearing.count;
    *out_is_cut = hearing.is_cut || count == FOUND_STEP;
    return outcome;
}
