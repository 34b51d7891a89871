/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One id, all that the ledger has of it. Called by search.c, which finds the ids. */
#include "ledgerdb/search_rows.h"

#include "ipc/message_id.h"

#define JUDGED "class, score, virus, engine, signals, subject, message_id, author"
#define PROVEN                                                                                        \
    "p.id, p.spf, p.dkim, p.dmarc, p.arc, p.demand, p.excuse, p.fate, p.author_domain, p.spf_domain," \
    " p.dkim_domain, p.excuse_of"
enum { FIRST_OF_REST = 16, MESSAGE_PROVEN = FIRST_OF_REST + 1, REFUSAL_PROVEN = FIRST_OF_REST + 5 };

bool search_rows_open(struct search_rows *rows, struct sql *sql, struct arena *arena)
{
    *rows = (struct search_rows){ .sql = sql, .arena = arena };
    rows->message = sql_prepare(sql, "SELECT m.id, time, node, direction, client, helo, sender, size, " JUDGED
                                     ", own, " PROVEN " FROM message m LEFT JOIN proof p ON p.id = m.id"
                                     " WHERE m.id = ?1");
    rows->recipients = sql_prepare(
        sql, "SELECT number, address, action, observed, hold, accepted_ms, ending, ended_ms, dsn, relay,"
             " reply FROM recipient WHERE message = ?1 ORDER BY number");
    rows->steps = sql_prepare(sql, "SELECT time, kind, hold, due, dsn, relay, reply FROM step"
                                   " WHERE message = ?1 AND recipient = ?2 ORDER BY time");
    rows->refusal =
        sql_prepare(sql, "SELECT message, r.id >> 22, node, direction, client, helo, sender, size, " JUDGED
                         ", stage, code, recipient, reply, count, " PROVEN
                         " FROM refusal r LEFT JOIN proof p ON p.id = r.id WHERE r.id = ?1");
    rows->of_message = sql_prepare(sql, "SELECT id FROM refusal WHERE message = ?1 ORDER BY id");
    rows->came = sql_prepare(sql, "SELECT message FROM hop WHERE next = ?1 LIMIT 20");
    rows->went = sql_prepare(sql, "SELECT next FROM hop WHERE message = ?1 LIMIT 20");
    rows->name = sql_prepare(sql, "SELECT name FROM node WHERE number = ?1");
    rows->releases = sql_prepare(sql, "SELECT DISTINCT release FROM held_recipient WHERE message = ?1"
                                      " AND release IS NOT NULL AND state > 1 LIMIT 20");
    rows->originals =
        sql_prepare(sql, "SELECT DISTINCT message FROM held_recipient WHERE release = ?1 LIMIT 20");
    return rows->message && rows->recipients && rows->steps && rows->refusal && rows->of_message &&
           rows->came && rows->went && rows->name && rows->releases && rows->originals;
}

void search_rows_close(struct search_rows *rows)
{
    sql_drop(rows->message);
    sql_drop(rows->recipients);
    sql_drop(rows->steps);
    sql_drop(rows->refusal);
    sql_drop(rows->of_message);
    sql_drop(rows->came);
    sql_drop(rows->went);
    sql_drop(rows->name);
    sql_drop(rows->releases);
    sql_drop(rows->originals);
}

static struct text text_at(struct search_rows *rows, struct sql_statement *row, int column)
{
    return arena_text(rows->arena, sql_get_text(row, column));
}

static void head_read(struct search_rows *rows, struct sql_statement *row, struct search_hit *out)
{
    out->id = sql_get(row, 0);
    out->time_ms = sql_get(row, 1);
    out->node = (uint16_t)sql_get(row, 2);
    out->direction = (uint8_t)sql_get(row, 3);
    out->client = text_at(rows, row, 4);
    out->helo = text_at(rows, row, 5);
    out->sender = text_at(rows, row, 6);
    out->size = sql_get(row, 7);
    out->class = (enum message_class)sql_get(row, 8);
    out->is_judged = !sql_is_null(row, 9);
    out->score = sql_get_real(row, 9);
    out->virus = text_at(rows, row, 10);
    out->engine = text_at(rows, row, 11);
    out->signals = text_at(rows, row, 12);
    out->subject = text_at(rows, row, 13);
    out->message_id = text_at(rows, row, 14);
    out->author = text_at(rows, row, 15);
}

/* Numbers that no version of ours has written are as none. */
static unsigned number_at(struct sql_statement *row, int column, unsigned count)
{
    uint64_t number = sql_get(row, column);
    return number < count ? (unsigned)number : 0;
}

/* The columns of PROVEN, from `column` on. */
static void proof_read(struct search_rows *rows, struct sql_statement *row, int column, struct proof *out)
{
    *out = (struct proof){ .is_made = !sql_is_null(row, column) };
    if (!out->is_made) return;
    out->spf = (enum proof_result)number_at(row, column + 1, PROOF_RESULT_COUNT);
    out->dkim = (enum proof_result)number_at(row, column + 2, PROOF_RESULT_COUNT);
    out->dmarc = (enum proof_result)number_at(row, column + 3, PROOF_RESULT_COUNT);
    out->arc = (enum proof_result)number_at(row, column + 4, PROOF_RESULT_COUNT);
    out->demand = (enum proof_demand)number_at(row, column + 5, PROOF_DEMAND_COUNT);
    out->excuse = (enum proof_excuse)number_at(row, column + 6, PROOF_EXCUSE_COUNT);
    out->fate = (enum proof_fate)number_at(row, column + 7, FATE_COUNT);
    out->author = text_at(rows, row, column + 8);
    out->spf_domain = text_at(rows, row, column + 9);
    out->dkim_domain = text_at(rows, row, column + 10);
    out->excuse_of = text_at(rows, row, column + 11);
}

static enum ledgerdb_outcome steps_read(struct search_rows *rows, uint64_t id,
                                        struct search_recipient *recipient)
{
    enum ledgerdb_outcome outcome;
    size_t room = 0;
    sql_bind(rows->steps, 1, id);
    sql_bind(rows->steps, 2, recipient->number);
    while ((outcome = sql_step(rows->steps)) == LEDGERDB_ROW) {
        if (recipient->step_count == room) {
            room = room ? room * 2 : 8;
            struct search_step *grown = arena_alloc_array(rows->arena, room, sizeof *grown);
            if (recipient->step_count) memcpy(grown, recipient->steps, recipient->step_count * sizeof *grown);
            recipient->steps = grown;
        }
        recipient->steps[recipient->step_count++] =
            (struct search_step){ .time_ms = sql_get(rows->steps, 0),
                                  .kind = (enum step_kind)sql_get(rows->steps, 1),
                                  .hold = (uint8_t)sql_get(rows->steps, 2),
                                  .due_ms = sql_get(rows->steps, 3),
                                  .dsn = text_at(rows, rows->steps, 4),
                                  .relay = text_at(rows, rows->steps, 5),
                                  .reply = text_at(rows, rows->steps, 6) };
    }
    sql_reset(rows->steps);
    return outcome;
}

static void recipient_read(struct search_rows *rows, struct search_recipient *out)
{
    struct sql_statement *row = rows->recipients;
    *out = (struct search_recipient){ .number = (uint32_t)sql_get(row, 0),
                                      .address = text_at(rows, row, 1),
                                      .action = (uint8_t)sql_get(row, 2),
                                      .observed = (uint8_t)sql_get(row, 3),
                                      .hold = (uint8_t)sql_get(row, 4),
                                      .accepted_ms = sql_get(row, 5),
                                      .ending = (enum ending)sql_get(row, 6),
                                      .ended_ms = sql_get(row, 7),
                                      .dsn = text_at(rows, row, 8),
                                      .relay = text_at(rows, row, 9),
                                      .reply = text_at(rows, row, 10) };
}

static enum ledgerdb_outcome recipients_read(struct search_rows *rows, struct search_hit *hit)
{
    enum ledgerdb_outcome outcome, stepped = LEDGERDB_DONE;
    size_t room = 0;
    sql_bind(rows->recipients, 1, hit->id);
    while (stepped == LEDGERDB_DONE && (outcome = sql_step(rows->recipients)) == LEDGERDB_ROW) {
        if (hit->recipient_count == room) {
            room = room ? room * 2 : 4;
            struct search_recipient *grown = arena_alloc_array(rows->arena, room, sizeof *grown);
            if (hit->recipient_count) memcpy(grown, hit->recipients, hit->recipient_count * sizeof *grown);
            hit->recipients = grown;
        }
        recipient_read(rows, &hit->recipients[hit->recipient_count]);
        stepped = steps_read(rows, hit->id, &hit->recipients[hit->recipient_count++]);
    }
    sql_reset(rows->recipients);
    return stepped == LEDGERDB_DONE ? outcome : stepped;
}

/* --- other nodes --- */

static struct text node_name(struct search_rows *rows, uint16_t number)
{
    struct text name = TEXT_NONE;
    sql_bind(rows->name, 1, number);
    if (sql_step(rows->name) == LEDGERDB_ROW) name = text_at(rows, rows->name, 0);
    sql_reset(rows->name);
    return name;
}

enum ledgerdb_outcome search_rows_hops(struct search_rows *rows, struct sql_statement *statement, uint64_t id,
                                       struct search_hop **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome;
    uint64_t ids[SEARCH_HOPS_MOST];
    size_t count = 0;
    sql_bind(statement, 1, id);
    while ((outcome = sql_step(statement)) == LEDGERDB_ROW && count < SEARCH_HOPS_MOST)
        ids[count++] = sql_get(statement, 0);
    sql_reset(statement);
    *out = arena_alloc_array(rows->arena, count, sizeof **out);
    *out_count = count;
    for (size_t i = 0; i < count; i++) {
        uint16_t node = message_id_node(ids[i]);
        (*out)[i] = (struct search_hop){ ids[i], node, node_name(rows, node) };
    }
    return outcome == LEDGERDB_ROW ? LEDGERDB_DONE : outcome;
}

static enum ledgerdb_outcome way_read(struct search_rows *rows, struct search_hit *hit)
{
    hit->node_name = node_name(rows, hit->node);
    if (!hit->id) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        search_rows_hops(rows, rows->releases, hit->id, &hit->releases, &hit->release_count);
    if (outcome == LEDGERDB_DONE)
        outcome = search_rows_hops(rows, rows->originals, hit->id, &hit->originals, &hit->original_count);
    if (!hit->node || outcome != LEDGERDB_DONE) return outcome;
    outcome = search_rows_hops(rows, rows->came, hit->id, &hit->came, &hit->came_count);
    if (outcome == LEDGERDB_DONE)
        outcome = search_rows_hops(rows, rows->went, hit->id, &hit->went, &hit->went_count);
    return outcome;
}

/* *out_found false: the row went between the two questions, or the index knows more than the table. */
enum ledgerdb_outcome search_rows_message(struct search_rows *rows, uint64_t id, struct search_hit *out,
                                          bool *out_found)
{
    *out = (struct search_hit){ 0 };
    sql_bind(rows->message, 1, id);
    sql_time_limit(rows->sql, READER_STEP_MS);
    enum ledgerdb_outcome outcome = sql_step(rows->message);
    *out_found = outcome == LEDGERDB_ROW;
    if (*out_found) {
        head_read(rows, rows->message, out);
        out->origin = (uint8_t)sql_get(rows->message, FIRST_OF_REST);
        proof_read(rows, rows->message, MESSAGE_PROVEN, &out->proof);
        outcome = recipients_read(rows, out);
        if (outcome == LEDGERDB_DONE) outcome = way_read(rows, out);
    }
    sql_reset(rows->message);
    return outcome;
}

enum ledgerdb_outcome search_rows_refusal(struct search_rows *rows, uint64_t id, struct search_hit *out,
                                          bool *out_found)
{
    *out = (struct search_hit){ .is_refusal = true };
    sql_bind(rows->refusal, 1, id);
    sql_time_limit(rows->sql, READER_STEP_MS);
    enum ledgerdb_outcome outcome = sql_step(rows->refusal);
    *out_found = outcome == LEDGERDB_ROW;
    if (*out_found) {
        head_read(rows, rows->refusal, out);
        if (!out->id) out->id = id;
        out->stage = (enum event_stage)sql_get(rows->refusal, 16);
        out->code = (uint16_t)sql_get(rows->refusal, 17);
        out->recipient = text_at(rows, rows->refusal, 18);
        out->reply = text_at(rows, rows->refusal, 19);
        out->count = (uint32_t)sql_get(rows->refusal, 20);
        proof_read(rows, rows->refusal, REFUSAL_PROVEN, &out->proof);
        outcome = way_read(rows, out);
    }
    sql_reset(rows->refusal);
    return outcome;
}
