/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* First the ids, out of the index of terms; then search_rows.c reads those that are shown. */
#include "ledgerdb/search.h"

#include <stdlib.h>

#include "ledgerdb/search_rows.h"
#include "ledgerdb/terms.h"

enum { ID_SHIFT = 22 };
#define WINDOW_LEAST ((uint64_t)3600000 << ID_SHIFT) /* an hour of ids */

static const char *const names[STATUS_COUNT] = {
    "any",     "queued",  "held", "delivered", "returned",  "removed",  "deferred", "quarantined", "released",
    "expired", "deleted", "aged", "relayed",   "discarded", "rejected", "refused",  "greylisted",  "aborted"
};

const char *search_status_name(enum search_status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : "unknown";
}

bool search_status_from_name(struct text name, enum search_status *out)
{
    if (text_equal(name, TEXT("bounced"))) name = TEXT("returned");
    for (int i = STATUS_QUEUED; i < STATUS_COUNT; i++)
        if (text_equal(name, text_of(names[i]))) {
            *out = (enum search_status)i;
            return true;
        }
    return false;
}

/* --- ids --- */

struct ids {
    uint64_t *items;
    size_t count, room;
};

static void ids_add(struct arena *arena, struct ids *ids, uint64_t id)
{
    if (ids->count == ids->room) {
        ids->room = ids->room ? ids->room * 2 : 128;
        uint64_t *grown = arena_alloc_array(arena, ids->room, sizeof *grown);
        if (ids->count) memcpy(grown, ids->items, ids->count * sizeof *grown);
        ids->items = grown;
    }
    ids->items[ids->count++] = id;
}

static bool is_of_messages(enum search_status status)
{
    return status < STATUS_REJECTED;
}

static bool is_of_refusals(enum search_status status)
{
    return status == STATUS_ANY || status >= STATUS_DISCARDED;
}

static enum search_complaint terms_make(const struct search_question *question, struct buffer *out,
                                        bool *out_has_lone)
{
    if (question->address.length) terms_ask(out, TERM_SENDER, TERM_RECIPIENT, question->address);
    if (question->domain.length) terms_ask(out, TERM_SENDER_DOMAIN, TERM_RECIPIENT_DOMAIN, question->domain);
    if (question->virus.length) terms_ask(out, TERM_VIRUS, TERM_VIRUS, question->virus);
    if (question->class >= 0)
        terms_ask(out, TERM_CLASS, TERM_CLASS, text_of(class_name((enum message_class)question->class)));
    if (question->status == STATUS_GREYLISTED)
        terms_ask(out, TERM_CLASS, TERM_CLASS, text_of(class_name(CLASS_GREYLISTED)));
    else if (question->status >= STATUS_HELD)
        terms_ask(out, TERM_STATUS, TERM_STATUS, text_of(names[question->status]));
    if (question->client && !terms_ask_client(out, question->client)) return SEARCH_NETWORK_TOO_LARGE;
    if (question->subject.length && !terms_ask_words(out, question->subject, out_has_lone))
        return SEARCH_NO_WORDS;
    return SEARCH_GOOD;
}

/* A pattern of LIKE for what stands somewhere in a text: blanks and "*" are anything between. */
static struct text pattern_of(struct text part, struct arena *arena)
{
    struct buffer out = { 0 };
    buffer_add_char(&out, '%');
    for (size_t i = 0; i < part.length; i++) {
        char c = part.at[i];
        if (c == '%' || c == '_' || c == '\\') buffer_add_char(&out, '\\');
        buffer_add_char(&out, c == '*' || char_is_blank(c) ? '%' : c);
    }
    buffer_add_char(&out, '%');
    struct text pattern = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return pattern;
}

struct text search_bare_id(struct text id)
{
    id = text_trim(id);
    if (text_starts(id, TEXT("<"))) id = text_slice(id, 1, id.length);
    if (text_ends(id, TEXT(">"))) id = text_slice(id, 0, id.length - 1);
    return id;
}

enum { BIND_FROM = 5, BIND_TO, BIND_WHOLE_ID, BIND_BRACKETED_ID, BIND_PART_OF_ID, BIND_PART };

/* What no index of terms has: rows are compared, those of the table of ids with the name `m`. */
static struct text compared_text(const struct search_question *question, bool is_refusal, bool is_part,
                                 struct arena *arena)
{
    const char *from =
        question->from.length ? " AND (m.sender LIKE ?5 ESCAPE '\\' OR m.author LIKE ?5 ESCAPE '\\')" : "";
    const char *to = !question->to.length ? ""
                     : is_refusal         ? " AND m.recipient LIKE ?6 ESCAPE '\\'"
                                          : " AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
                                            " AND r.address LIKE ?6 ESCAPE '\\')";
    const char *id = !question->message_id.length ? ""
                     : is_part                    ? " AND m.message_id LIKE ?9 ESCAPE '\\'"
                                                  : " AND m.message_id IN (?7, ?8)";
    const char *part = question->part ? " AND m.id IN (SELECT message FROM part WHERE digest = ?10)" : "";
    return arena_printf(arena, "%s%s%s%s", from, to, id, part);
}

static struct text ids_text(const struct search_question *question, bool is_refusal, bool has_terms,
                            bool is_part, struct arena *arena)
{
    const char *table = is_refusal ? "refusal" : "message";
    struct text compared = compared_text(question, is_refusal, is_part, arena);
    const char *queued = question->status == STATUS_QUEUED
                             ? " AND rowid IN (SELECT message FROM recipient WHERE ending = 0 AND hold = 0"
                               " AND accepted_ms IS NOT NULL)"
                             : "";
    if (has_terms && compared.length)
        return arena_printf(
            arena,
            "SELECT rowid FROM find_%s WHERE find_%s MATCH ?4 AND rowid >= ?1 AND rowid < ?2%s"
            " AND EXISTS (SELECT 1 FROM %s m WHERE m.id = find_%s.rowid%.*s)"
            " ORDER BY rowid DESC LIMIT ?3",
            table, table, queued, table, table, TEXT_ARG(compared));
    if (has_terms)
        return arena_printf(
            arena,
            "SELECT rowid FROM find_%s WHERE find_%s MATCH ?4 AND rowid >= ?1 AND rowid < ?2%s"
            " ORDER BY rowid DESC LIMIT ?3",
            table, table, queued);
    return arena_printf(arena,
                        "SELECT id FROM %s m WHERE id >= ?1 AND id < ?2%s%.*s ORDER BY id DESC LIMIT ?3",
                        table, queued, TEXT_ARG(compared));
}

struct hunt {
    struct sql *sql;
    struct sql_statement *statement;
    struct text terms;
    const struct search_question *question;
    bool is_part; /* of the Message-ID */
    struct arena *arena;
    size_t most;
};

static void compared_bind(struct hunt *hunt)
{
    const struct search_question *question = hunt->question;
    struct text id = search_bare_id(question->message_id);
    if (question->from.length)
        sql_bind_text(hunt->statement, BIND_FROM, pattern_of(question->from, hunt->arena));
    if (question->to.length) sql_bind_text(hunt->statement, BIND_TO, pattern_of(question->to, hunt->arena));
    if (question->part)
        sql_bind_bytes(hunt->statement, BIND_PART,
                       text_from((const char *)question->part, PART_DIGEST_BYTES));
    if (!id.length) return;
    if (hunt->is_part) {
        sql_bind_text(hunt->statement, BIND_PART_OF_ID, pattern_of(id, hunt->arena));
        return;
    }
    sql_bind_text(hunt->statement, BIND_WHOLE_ID, id);
    sql_bind_text(hunt->statement, BIND_BRACKETED_ID, arena_printf(hunt->arena, "<%.*s>", TEXT_ARG(id)));
}

static enum ledgerdb_outcome window_read(struct hunt *hunt, uint64_t from, uint64_t until, struct ids *ids)
{
    enum ledgerdb_outcome outcome;
    sql_bind(hunt->statement, 1, from);
    sql_bind(hunt->statement, 2, until);
    sql_bind(hunt->statement, 3, hunt->most - ids->count);
    if (hunt->terms.length) sql_bind_text(hunt->statement, 4, hunt->terms);
    compared_bind(hunt);
    sql_time_limit(hunt->sql, READER_STEP_MS);
    while ((outcome = sql_step(hunt->statement)) == LEDGERDB_ROW)
        ids_add(hunt->arena, ids, sql_get(hunt->statement, 0));
    sql_reset(hunt->statement);
    return outcome;
}

/* The newest first, all at once if the time of a step is enough, else in ever smaller pieces. */
static enum ledgerdb_outcome ids_find(struct hunt *hunt, uint64_t from, uint64_t until, struct ids *ids)
{
    uint64_t width = until > from ? until - from : 0;
    while (until > from && ids->count < hunt->most) {
        size_t had = ids->count;
        uint64_t start = until - from > width ? until - width : from;
        enum ledgerdb_outcome outcome = window_read(hunt, start, until, ids);
        if (outcome == LEDGERDB_DONE)
            until = start;
        else if (outcome == LEDGERDB_LATER && ids->count > had)
            until = ids->items[ids->count - 1];
        else if (outcome == LEDGERDB_LATER && width > WINDOW_LEAST)
            width /= 2;
        else
            return outcome;
    }
    return LEDGERDB_DONE;
}

static enum ledgerdb_outcome ids_hunt(struct hunt *hunt, bool is_refusal, struct ids *ids)
{
    const struct search_question *question = hunt->question;
    struct text text = ids_text(question, is_refusal, hunt->terms.length > 0, hunt->is_part, hunt->arena);
    uint64_t until = question->until_ms && question->until_ms < INT64_MAX >> ID_SHIFT
                         ? question->until_ms << ID_SHIFT
                         : INT64_MAX;
    hunt->statement = sql_prepare(hunt->sql, text.at);
    if (!hunt->statement) return sql_failure(hunt->sql);
    enum ledgerdb_outcome outcome = ids_find(hunt, question->from_ms << ID_SHIFT, until, ids);
    sql_drop(hunt->statement);
    return outcome;
}

static enum ledgerdb_outcome table_find(struct ledgerdb_reader *ledgerdb,
                                        const struct search_question *question, bool is_refusal,
                                        struct text terms, bool is_part, struct arena *arena, struct ids *ids)
{
    struct hunt hunt = { .sql = ledgerdb_sql(ledgerdb),
                         .terms = terms,
                         .question = question,
                         .is_part = is_part,
                         .arena = arena,
                         .most = question->most + 1 };
    return ids_hunt(&hunt, is_refusal, ids);
}

static enum ledgerdb_outcome tables_find(struct ledgerdb_reader *ledgerdb,
                                         const struct search_question *question, struct text terms,
                                         bool is_part, struct arena *arena, struct ids *messages,
                                         struct ids *refusals)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    if (is_of_messages(question->status))
        outcome = table_find(ledgerdb, question, false, terms, is_part, arena, messages);
    if (outcome == LEDGERDB_DONE && is_of_refusals(question->status) && !question->part)
        outcome = table_find(ledgerdb, question, true, terms, is_part, arena, refusals);
    return outcome;
}

/* --- together --- */

static bool is_from_client(const struct search_question *question, const struct search_hit *hit)
{
    struct address client;
    return !question->client ||
           (address_parse(hit->client, &client) && network_has(question->client, &client));
}

static enum ledgerdb_outcome hits_read(struct search_rows *rows, const struct search_question *question,
                                       const struct ids *messages, const struct ids *refusals,
                                       struct search_result *out)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    size_t m = 0, r = 0;
    out->hits = arena_alloc_array(rows->arena, question->most, sizeof *out->hits);
    while (outcome == LEDGERDB_DONE && (m < messages->count || r < refusals->count)) {
        bool is_found, is_refusal = m == messages->count ||
                                    (r < refusals->count && refusals->items[r] > messages->items[m]);
        struct search_hit hit;
        outcome = is_refusal ? search_rows_refusal(rows, refusals->items[r++], &hit, &is_found)
                             : search_rows_message(rows, messages->items[m++], &hit, &is_found);
        if (outcome != LEDGERDB_DONE || !is_found || !is_from_client(question, &hit)) continue;
        if (out->count == question->most) {
            out->is_cut = true;
            break;
        }
        out->hits[out->count++] = hit;
    }
    return outcome;
}

static bool ids_have(const struct ids *ids, uint64_t id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->items[i] == id) return true;
    return false;
}

static int newest_first(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* Where the message was before and after, what it was released as or of, and from there on. */
static enum ledgerdb_outcome way_find(struct search_rows *rows, struct ids *messages)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    struct sql_statement *const ways[] = { rows->came, rows->went, rows->releases, rows->originals };
    enum { WAYS = sizeof ways / sizeof *ways };
    for (size_t i = 0; i < messages->count && messages->count < SEARCH_HOPS_MOST && outcome == LEDGERDB_DONE;
         i++)
        for (int way = 0; way < WAYS && outcome == LEDGERDB_DONE; way++) {
            struct search_hop *hops;
            size_t count;
            outcome = search_rows_hops(rows, ways[way], messages->items[i], &hops, &count);
            for (size_t n = 0; n < count; n++)
                if (!ids_have(messages, hops[n].id)) ids_add(rows->arena, messages, hops[n].id);
        }
    qsort(messages->items, messages->count, sizeof *messages->items, newest_first);
    return outcome;
}

static enum ledgerdb_outcome one_find(struct search_rows *rows, uint64_t id, struct ids *messages,
                                      struct ids *refusals)
{
    enum ledgerdb_outcome outcome;
    ids_add(rows->arena, messages, id);
    ids_add(rows->arena, refusals, id); /* one that had no message */
    sql_bind(rows->of_message, 1, id);
    while ((outcome = sql_step(rows->of_message)) == LEDGERDB_ROW)
        ids_add(rows->arena, refusals, sql_get(rows->of_message, 0));
    return outcome == LEDGERDB_DONE ? way_find(rows, messages) : outcome;
}

enum ledgerdb_outcome search_run(struct ledgerdb_reader *ledgerdb, const struct search_question *question,
                                 struct arena *arena, struct search_result *out)
{
    struct ids messages = { 0 }, refusals = { 0 };
    struct buffer terms = { 0 };
    struct search_rows rows;
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    *out = (struct search_result){ 0 };
    out->complaint = terms_make(question, &terms, &out->has_lone_character);
    if (out->complaint != SEARCH_GOOD) {
        buffer_free(&terms);
        return LEDGERDB_DONE;
    }
    if (!search_rows_open(&rows, ledgerdb_sql(ledgerdb), arena))
        outcome = sql_failure(ledgerdb_sql(ledgerdb));
    if (outcome == LEDGERDB_DONE && question->id) {
        outcome = one_find(&rows, question->id, &messages, &refusals);
    } else if (outcome == LEDGERDB_DONE) {
        outcome = tables_find(ledgerdb, question, buffer_text(&terms), false, arena, &messages, &refusals);
        bool is_none = messages.count == 0 && refusals.count == 0;
        if (outcome == LEDGERDB_DONE && is_none && question->message_id.length)
            outcome = tables_find(ledgerdb, question, buffer_text(&terms), true, arena, &messages, &refusals);
    }
    if (outcome == LEDGERDB_DONE) outcome = hits_read(&rows, question, &messages, &refusals, out);
    search_rows_close(&rows);
    buffer_free(&terms);
    return outcome;
}
