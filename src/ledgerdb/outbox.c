/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A parcel grows in memory while a transaction goes on; full ones are written at once. */
#include "ledgerdb/outbox.h"

#include <stdlib.h>
#include <time.h>

#include "base/codec.h"
#include "ledgerdb/database_private.h"
#include "ledgerdb/mark.h"

struct outbox {
    struct sql *sql;
    struct sql_statement *add, *next;
    struct buffer records; /* of the parcel that is being filled */
    uint64_t events, series;
    enum ledgerdb_outcome failed; /* a full parcel could not be written: told at the commit */
};

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* A new series unless the one that stands was begun in this boot. */
static enum ledgerdb_outcome series_take(struct outbox *outbox, uint64_t boot)
{
    uint64_t series = 0, begun = 0;
    enum ledgerdb_outcome outcome = mark_get(outbox->sql, "outbox series", &series);
    if (outcome == LEDGERDB_DONE) outcome = mark_get(outbox->sql, "outbox boot", &begun);
    boot &= INT64_MAX;
    if (outcome == LEDGERDB_DONE && (series == 0 || begun != boot)) {
        series = ((boot ^ clock_ns()) & INT64_MAX) | 1;
        outcome = mark_set(outbox->sql, "outbox series", series);
        if (outcome == LEDGERDB_DONE) outcome = mark_set(outbox->sql, "outbox boot", boot);
    }
    outbox->series = series;
    return outcome;
}

enum ledgerdb_outcome outbox_begin(struct database *database, uint64_t boot)
{
    if (database->outbox) return LEDGERDB_DONE;
    struct outbox *outbox = memory_alloc(sizeof *outbox);
    outbox->sql = database->sql;
    outbox->add = sql_prepare(outbox->sql, "INSERT INTO outbox(time, events, records) VALUES(?1, ?2, ?3)");
    outbox->next = sql_prepare(outbox->sql, "SELECT parcel, time, events, records FROM outbox"
                                            " WHERE parcel > ?1 ORDER BY parcel LIMIT 1");
    enum ledgerdb_outcome outcome =
        outbox->add && outbox->next ? series_take(outbox, boot) : sql_failure(outbox->sql);
    sql_tell(database->sql, outcome, "the outbox");
    if (outcome == LEDGERDB_DONE)
        database->outbox = outbox;
    else
        outbox_free(outbox);
    return outcome;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox) return;
    sql_drop(outbox->add);
    sql_drop(outbox->next);
    buffer_free(&outbox->records);
    free(outbox);
}

bool outbox_is_on(const struct database *database)
{
    return database->outbox != NULL;
}

uint64_t outbox_series(const struct database *database)
{
    return database->outbox ? database->outbox->series : 0;
}

/* --- writing --- */

static void parcel_write(struct outbox *outbox)
{
    if (outbox->events == 0) return;
    sql_bind(outbox->add, 1, clock_ns() / 1000000);
    sql_bind(outbox->add, 2, outbox->events);
    sql_bind_text(outbox->add, 3, buffer_text(&outbox->records));
    enum ledgerdb_outcome outcome = sql_do(outbox->add);
    if (outbox->failed == LEDGERDB_DONE) outbox->failed = outcome;
    buffer_clear(&outbox->records);
    outbox->events = 0;
}

void outbox_add(struct database *database, struct text record)
{
    struct outbox *outbox = database->outbox;
    if (!outbox) return;
    if (buffer_length(&outbox->records) + 4 + record.length > OUTBOX_PARCEL_MOST) parcel_write(outbox);
    put_text(&outbox->records, record);
    outbox->events++;
}

enum ledgerdb_outcome outbox_write(struct outbox *outbox)
{
    if (!outbox) return LEDGERDB_DONE;
    parcel_write(outbox);
    enum ledgerdb_outcome outcome = outbox->failed;
    outbox->failed = LEDGERDB_DONE;
    return outcome;
}

void outbox_drop(struct outbox *outbox)
{
    if (!outbox) return;
    buffer_clear(&outbox->records);
    outbox->events = 0;
    outbox->failed = LEDGERDB_DONE;
}

/* --- reading --- */

enum ledgerdb_outcome outbox_next(struct database *database, uint64_t after, struct outbox_parcel *out)
{
    struct outbox *outbox = database->outbox;
    if (!outbox) return LEDGERDB_DONE;
    sql_reset(outbox->next);
    sql_bind(outbox->next, 1, after < INT64_MAX ? after : INT64_MAX);
    enum ledgerdb_outcome outcome = sql_step(outbox->next);
    if (outcome == LEDGERDB_ROW)
        *out = (struct outbox_parcel){ sql_get(outbox->next, 0), sql_get(outbox->next, 1),
                                       sql_get(outbox->next, 2), sql_get_text(outbox->next, 3) };
    else
        sql_reset(outbox->next);
    return outcome;
}

static enum ledgerdb_outcome run(struct outbox *outbox, const char *text, uint64_t number)
{
    struct sql_statement *statement = sql_prepare(outbox->sql, text);
    if (!statement) return sql_failure(outbox->sql);
    sql_reset(outbox->next);
    sql_bind(statement, 1, number < INT64_MAX ? number : INT64_MAX);
    enum ledgerdb_outcome outcome = sql_do(statement);
    sql_drop(statement);
    return outcome;
}

enum ledgerdb_outcome outbox_release(struct database *database, uint64_t number)
{
    if (!database->outbox) return LEDGERDB_DONE;
    return sql_tell(database->sql, run(database->outbox, "DELETE FROM outbox WHERE parcel <= ?1", number),
                    "what was told");
}

/* Some at a time: the first thousand are looked at. */
#define TOO_OLD                                             \
    " FROM outbox WHERE parcel <= (SELECT max(parcel) FROM" \
    " (SELECT parcel, time FROM outbox ORDER BY parcel LIMIT 1000) WHERE time < ?1)"

enum ledgerdb_outcome outbox_give_up(struct database *database, uint64_t time_ms)
{
    if (!database->outbox) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome =
        run(database->outbox,
            "INSERT INTO mark(name, value) SELECT 'outbox given up', ifnull(sum(events), 0)" TOO_OLD
            " ON CONFLICT DO UPDATE SET value = value + excluded.value",
            time_ms);
    if (outcome == LEDGERDB_DONE) outcome = run(database->outbox, "DELETE" TOO_OLD, time_ms);
    return sql_tell(database->sql, outcome, "giving up what was not told");
}

static enum ledgerdb_outcome facts_ask(struct sql *sql, struct outbox_facts *out)
{
    int64_t parcels = 0, oldest = 0;
    uint64_t given_up = 0;
    enum ledgerdb_outcome outcome = sql_number(
        sql, "SELECT ifnull((SELECT max(parcel) FROM outbox) - (SELECT min(parcel) FROM outbox) + 1, 0)",
        &parcels);
    if (outcome == LEDGERDB_DONE)
        outcome = sql_number(sql, "SELECT time FROM outbox ORDER BY parcel LIMIT 1", &oldest);
    if (outcome == LEDGERDB_DONE) outcome = mark_get(sql, "outbox given up", &given_up);
    if (outcome == LEDGERDB_DONE)
        *out = (struct outbox_facts){ (uint64_t)parcels, (uint64_t)oldest, given_up };
    return outcome;
}

enum ledgerdb_outcome outbox_look(struct database *database, struct outbox_facts *out)
{
    return facts_ask(database->sql, out);
}

enum ledgerdb_outcome outbox_read(struct ledgerdb_reader *ledgerdb, struct outbox_facts *out)
{
    struct sql *sql = ledgerdb_sql(ledgerdb);
    sql_time_limit(sql, READER_STEP_MS);
    enum ledgerdb_outcome outcome = facts_ask(sql, out);
    sql_time_limit(sql, 0);
    return outcome;
}
