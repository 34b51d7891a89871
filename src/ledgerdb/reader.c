/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Questions to the ledger, each a short read of its own. */
#include "ledgerdb/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/settings.h"
#include "ipc/event.h"
#include "ledgerdb/migration.h"

struct ledgerdb_reader {
    struct sql *sql;
};

/* --- open and close --- */

static enum ledgerdb_outcome version_check(struct sql *sql, const char *path, struct buffer *why)
{
    int version;
    enum ledgerdb_outcome outcome = migration_version(sql, &version);
    if (outcome != LEDGERDB_DONE) {
        buffer_printf(why, "%s cannot be read: %s", path, sql_error(sql));
        return outcome;
    }
    if (version == migration_latest) return LEDGERDB_DONE;
    if (version < migration_latest)
        buffer_printf(why, "%s is of an older version: start the node once, which brings it up", path);
    else
        buffer_printf(why, "%s was made by a newer Sekimori (tables %d, this one knows %d)", path, version,
                      migration_latest);
    return version < migration_latest ? LEDGERDB_LATER : LEDGERDB_NEWER;
}

enum ledgerdb_outcome ledgerdb_open(const char *folder, struct ledgerdb_reader **out, struct buffer *why)
{
    char path[4096];
    struct stat facts;
    struct sql *sql = NULL;
    *out = NULL;
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    if (stat(path, &facts) != 0 || access(path, R_OK) != 0) {
        buffer_printf(why, "%s: %m", path);
        return LEDGERDB_MISSING;
    }
    enum ledgerdb_outcome outcome = sql_open(path, false, &sql, why);
    if (outcome == LEDGERDB_DONE) outcome = version_check(sql, path, why);
    if (outcome != LEDGERDB_DONE) {
        sql_close(sql);
        return outcome;
    }
    struct ledgerdb_reader *ledgerdb = memory_alloc(sizeof *ledgerdb);
    ledgerdb->sql = sql;
    *out = ledgerdb;
    return LEDGERDB_DONE;
}

void ledgerdb_close(struct ledgerdb_reader *ledgerdb)
{
    if (!ledgerdb) return;
    sql_close(ledgerdb->sql);
    free(ledgerdb);
}

struct sql *ledgerdb_sql(struct ledgerdb_reader *ledgerdb)
{
    return ledgerdb->sql;
}

/* --- sums --- */

/* The columns of the answer, in order. Those that are not asked for are constants. */
static const struct sum_column {
    unsigned by;
    const char *text, *constant;
} sum_columns[] = {
    { SUM_BY_DAY | SUM_BY_MONTH, "day", "0" },
    { SUM_BY_HOUR, "hour", "0" },
    { SUM_BY_NODE, "node", "0" },
    { SUM_BY_DIRECTION, "direction", "0" },
    { SUM_BY_DOMAIN, "domain", "''" },
    { SUM_BY_KIND, "kind", "0" },
    { SUM_BY_NAME, "name", "''" },
};
enum { SUM_COLUMNS = sizeof sum_columns / sizeof *sum_columns };

static void columns_text(unsigned by, struct buffer *out)
{
    for (int i = 0; i < SUM_COLUMNS; i++) {
        const struct sum_column *column = &sum_columns[i];
        bool is_month = i == 0 && by & SUM_BY_MONTH && !(by & SUM_BY_DAY);
        buffer_printf(out, "%s, ",
                      is_month          ? "day / 100 * 100"
                      : by & column->by ? column->text
                                        : column->constant);
    }
}

/* "1,4,6": what is asked for is grouped and ordered by; a constant would only make the keys longer. */
static void keys_text(unsigned by, struct buffer *out)
{
    const char *comma = "";
    for (int i = 0; i < SUM_COLUMNS; i++) {
        if (!(by & sum_columns[i].by)) continue;
        buffer_printf(out, "%s%d", comma, i + 1);
        comma = ",";
    }
    if (!*comma) buffer_add_char(out, '1');
}

static void sums_text(const struct sum_question *question, struct buffer *out)
{
    unsigned by = question->by;
    buffer_add_text(out, TEXT("SELECT "));
    columns_text(by, out);
    buffer_printf(out, "sum(messages), sum(recipients), sum(bytes) FROM %s WHERE kind IN ",
                  by & SUM_BY_HOUR ? "sum_hour" : "sum_day");
    sum_kinds_add(out, question->kinds);
    buffer_add_text(out, TEXT(" AND day BETWEEN ?1 AND ?2"));
    if (question->node >= 0)
        buffer_printf(out, " AND node = %d", question->node);
    else if (!(by & SUM_BY_NODE))
        buffer_printf(out,
                      " AND (kind IN (%d, %d, %d, %d) OR node NOT IN"
                      " (SELECT number FROM node WHERE role = %d AND NOT is_here))",
                      SUM_REFUSED, SUM_ABORTED, SUM_LOST, SUM_LOST_REFUSALS, ROLE_EDGE);
    if (question->direction >= 0) buffer_printf(out, " AND direction = %d", question->direction);
    if (question->domain.length) buffer_add_text(out, TEXT(" AND domain = ?3"));
    if (question->class.length) buffer_printf(out, " AND (kind <> %d OR name = ?4)", SUM_CLASS);
    buffer_add_text(out, TEXT(" GROUP BY "));
    keys_text(by, out);
    buffer_add_text(out, TEXT(" ORDER BY "));
    keys_text(by, out);
    buffer_add_char(out, '\0');
}

static struct sum_row row_read(struct sql_statement *statement, struct arena *arena)
{
    return (struct sum_row){ .day = (uint32_t)sql_get(statement, 0),
                             .hour = (uint8_t)sql_get(statement, 1),
                             .node = (uint16_t)sql_get(statement, 2),
                             .direction = (uint8_t)sql_get(statement, 3),
                             .domain = arena_text(arena, sql_get_text(statement, 4)),
                             .kind = (enum sum_kind)sql_get(statement, 5),
                             .name = arena_text(arena, sql_get_text(statement, 6)),
                             .messages = sql_get(statement, 7),
                             .recipients = sql_get(statement, 8),
                             .bytes = sql_get(statement, 9) };
}

/* Rows of one size, gathered in the arena. */
static void *list_grow(struct arena *arena, void *old, size_t count, size_t *room, size_t size)
{
    if (count < *room) return old;
    *room = *room ? *room * 2 : 64;
    void *grown = arena_alloc_array(arena, *room, size);
    if (count) memcpy(grown, old, count * size);
    return grown;
}

enum ledgerdb_outcome ledgerdb_sums(struct ledgerdb_reader *ledgerdb, const struct sum_question *question,
                                    struct arena *arena, struct sum_row **out, size_t *out_count)
{
    struct buffer text = { 0 };
    size_t room = 0;
    *out = NULL;
    *out_count = 0;
    sums_text(question, &text);
    struct sql_statement *statement = sql_prepare(ledgerdb->sql, buffer_text(&text).at);
    buffer_free(&text);
    if (!statement) return sql_failure(ledgerdb->sql);
    /* A month's row stands for its first day. */
    sql_bind(statement, 1, question->from_day % 100 == 1 ? question->from_day - 1 : question->from_day);
    sql_bind(statement, 2, question->until_day ? question->until_day : UINT32_MAX);
    if (question->domain.length) sql_bind_text(statement, 3, question->domain);
    if (question->class.length) sql_bind_text(statement, 4, question->class);
    enum ledgerdb_outcome outcome;
    sql_time_limit(ledgerdb->sql, READER_STEP_MS);
    while ((outcome = sql_step(statement)) == LEDGERDB_ROW) {
        *out = list_grow(arena, *out, *out_count, &room, sizeof **out);
        (*out)[(*out_count)++] = row_read(statement, arena);
    }
    sql_drop(statement);
    return outcome;
}

/* --- incidents --- */

static const char sightings_text[] =
    "SELECT id >> 22 AS time, client, virus, 0 FROM message INDEXED BY message_virus"
    "  WHERE class = 1 AND id >= ?1 AND id < ?2"
    " UNION ALL SELECT id >> 22, client, virus, 1 FROM refusal INDEXED BY refusal_virus"
    "  WHERE class = 1 AND score IS NOT NULL AND id >= ?1 AND id < ?2 ORDER BY time LIMIT ?3";

enum ledgerdb_outcome ledgerdb_sightings(struct ledgerdb_reader *ledgerdb, uint64_t from_ms,
                                         uint64_t until_ms, size_t most, struct arena *arena,
                                         struct sighting **out, size_t *out_count, bool *out_is_cut)
{
    enum ledgerdb_outcome outcome;
    size_t room = 0;
    *out = NULL;
    *out_count = 0;
    *out_is_cut = false;
    struct sql_statement *statement = sql_prepare(ledgerdb->sql, sightings_text);
    if (!statement) return sql_failure(ledgerdb->sql);
    sql_bind(statement, 1, from_ms << 22);
    sql_bind(statement, 2, until_ms << 22);
    sql_bind(statement, 3, most + 1);
    sql_time_limit(ledgerdb->sql, READER_STEP_MS);
    while ((outcome = sql_step(statement)) == LEDGERDB_ROW) {
        if (*out_count == most) {
            *out_is_cut = true;
            outcome = LEDGERDB_DONE;
            break;
        }
        *out = list_grow(arena, *out, *out_count, &room, sizeof **out);
        (*out)[(*out_count)++] = (struct sighting){ .time_ms = sql_get(statement, 0),
                                                    .client = arena_text(arena, sql_get_text(statement, 1)),
                                                    .virus = arena_text(arena, sql_get_text(statement, 2)),
                                                    .is_refused = sql_get(statement, 3) != 0 };
    }
    sql_drop(statement);
    return outcome;
}
