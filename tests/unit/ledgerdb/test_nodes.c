/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Several nodes in one ledger: what waits to be told is whole and in order, whatever is rolled back; what
   others tell does not touch this node's own counts; what went from node to node is found from both ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/codec.h"
#include "ipc/message_id.h"
#include "ledgerdb/count.h"
#include "ledgerdb/day.h"
#include "ledgerdb/held.h"
#include "ledgerdb/nodes.h"
#include "ledgerdb/outbox.h"
#include "ledgerdb/purge.h"
#include "ledgerdb/search.h"
#include "scratch.h"

#define START_MS 1790000000000ull
enum { BOOT = 77, HERE = 1, EDGE = 2 };

struct fixture {
    char folder[SCRATCH_FOLDER_BYTES];
    struct database *database;
};

static void reopen(struct fixture *fixture)
{
    database_close(fixture->database);
    scratch_reopen(fixture->folder, &fixture->database);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    scratch_open(fixture->folder, &fixture->database);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    scratch_close(fixture->folder, fixture->database);
    free(fixture);
    return 0;
}

static void done(enum ledgerdb_outcome outcome)
{
    assert_int_equal(outcome, LEDGERDB_DONE);
}

static uint64_t id_of(unsigned node, unsigned number)
{
    return (START_MS + number) << 22 | (uint64_t)node << 8;
}

static void ended_put(unsigned node, unsigned number, struct buffer *out)
{
    struct event_ended event = { .id = id_of(node, number), .time_ms = START_MS, .ending = ENDING_DELIVERED };
    buffer_clear(out);
    event_ended_put(&event, out);
}

/* --- the outbox --- */

static void parcels_add(struct fixture *fixture, unsigned events, bool is_kept)
{
    struct buffer record = { 0 };
    done(database_begin(fixture->database));
    for (unsigned i = 0; i < events; i++) {
        ended_put(HERE, i, &record);
        outbox_add(fixture->database, buffer_text(&record));
    }
    if (is_kept)
        done(database_commit(fixture->database));
    else
        database_rollback(fixture->database);
    buffer_free(&record);
}

/* Events in all parcels behind `after`; numbers have no gap. */
static uint64_t events_behind(struct fixture *fixture, uint64_t after, uint64_t *out_last)
{
    uint64_t events = 0;
    struct outbox_parcel parcel;
    enum ledgerdb_outcome outcome;
    while ((outcome = outbox_next(fixture->database, after, &parcel)) == LEDGERDB_ROW) {
        assert_int_equal(parcel.number, after + 1);
        assert_in_range(parcel.records.length, 1, OUTBOX_PARCEL_MOST);
        struct reader reader = reader_of(parcel.records);
        uint64_t count = 0;
        for (; reader.rest.length; count++) assert_true(nodes_may_tell(HERE, get_text(&reader)));
        assert_false(reader.failed);
        assert_int_equal(count, parcel.events);
        events += count;
        after = parcel.number;
    }
    done(outcome);
    *out_last = after;
    return events;
}

static void nothing_is_copied_when_nobody_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct outbox_facts facts;
    struct outbox_parcel parcel;
    parcels_add(fixture, 3, true);
    done(outbox_look(fixture->database, &facts));
    assert_int_equal(facts.parcels, 0);
    done(outbox_next(fixture->database, 0, &parcel));
}

static void parcels_are_whole_and_in_order(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last;
    done(outbox_begin(fixture->database, BOOT));
    parcels_add(fixture, 3, true);
    parcels_add(fixture, 5000, false); /* several full parcels, and none of them stays */
    parcels_add(fixture, 5000, true);
    parcels_add(fixture, 1, true);
    assert_int_equal(events_behind(fixture, 0, &last), 5004);
    assert_true(last > 4);
    reopen(fixture);
    done(outbox_begin(fixture->database, BOOT));
    assert_int_equal(events_behind(fixture, last - 1, &last), 1);
}

static void told_ones_leave_and_numbers_go_on(void **state)
{
    struct fixture *fixture = *state;
    struct outbox_facts facts;
    uint64_t last;
    done(outbox_begin(fixture->database, BOOT));
    for (int i = 0; i < 3; i++) parcels_add(fixture, 2, true);
    done(database_begin(fixture->database));
    done(outbox_release(fixture->database, 3));
    done(database_commit(fixture->database));
    done(outbox_look(fixture->database, &facts));
    assert_int_equal(facts.parcels, 0);
    assert_int_equal(facts.oldest_ms, 0);
    reopen(fixture);
    done(outbox_begin(fixture->database, BOOT));
    parcels_add(fixture, 2, true);
    assert_int_equal(events_behind(fixture, 3, &last), 2);
    assert_int_equal(last, 4);
}

static void old_ones_are_given_up_and_counted(void **state)
{
    struct fixture *fixture = *state;
    struct outbox_facts facts;
    done(outbox_begin(fixture->database, BOOT));
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < 3; i++) parcels_add(fixture, 2, true);
        done(outbox_look(fixture->database, &facts));
        assert_int_equal(facts.parcels, 3);
        assert_true(facts.oldest_ms > START_MS / 2);
        done(database_begin(fixture->database));
        done(outbox_give_up(fixture->database, facts.oldest_ms)); /* not older than itself */
        done(outbox_look(fixture->database, &facts));
        assert_int_equal(facts.given_up, 6 * (uint64_t)(round - 1));
        done(outbox_give_up(fixture->database, facts.oldest_ms + 3600000));
        done(outbox_give_up(fixture->database, facts.oldest_ms + 3600000));
        done(database_commit(fixture->database));
        done(outbox_look(fixture->database, &facts));
        assert_int_equal(facts.parcels, 0);
        assert_int_equal(facts.given_up, 6 * (uint64_t)round);
    }
}

static void what_cannot_be_asked_is_as_it_was_known(void **state)
{
    struct fixture *fixture = *state;
    struct outbox_facts facts;
    done(outbox_begin(fixture->database, BOOT));
    parcels_add(fixture, 2, true);
    done(outbox_look(fixture->database, &facts));
    uint64_t oldest_ms = facts.oldest_ms;
    done(sql_run(database_sql(fixture->database), "DROP TABLE outbox"));
    assert_int_equal(outbox_look(fixture->database, &facts) == LEDGERDB_DONE, false);
    assert_int_equal(facts.parcels, 1);
    assert_int_equal(facts.oldest_ms, oldest_ms);
}

static void a_series_is_of_one_boot(void **state)
{
    struct fixture *fixture = *state;
    done(outbox_begin(fixture->database, BOOT));
    uint64_t series = outbox_series(fixture->database);
    assert_in_range(series, 1, INT64_MAX);
    reopen(fixture);
    done(outbox_begin(fixture->database, BOOT));
    assert_int_equal(outbox_series(fixture->database), series);
    reopen(fixture);
    done(outbox_begin(fixture->database, BOOT + 1));
    assert_int_not_equal(outbox_series(fixture->database), series);
}

/* --- other nodes --- */

static void welcome(struct fixture *fixture, unsigned number, const char *name, uint64_t series,
                    uint64_t parcel, bool is_refused)
{
    uint64_t stands;
    const char *why;
    done(nodes_welcome(fixture->database, (uint16_t)number, text_of(name), ROLE_EDGE, series, &stands, &why));
    assert_int_equal(why != NULL, is_refused);
    assert_int_equal(stands, parcel);
}

static void a_number_is_one_nodes(void **state)
{
    struct fixture *fixture = *state;
    done(nodes_set_here(fixture->database, HERE, TEXT("wall1"), ROLE_WALL));
    welcome(fixture, HERE, "edge1", 5, 0, true);
    welcome(fixture, EDGE, "edge1", 5, 0, false);
    welcome(fixture, EDGE, "edge2", 5, 0, true);
    assert_false(nodes_has_parcel(fixture->database, EDGE, 5, 1));
    assert_true(nodes_has_parcel(fixture->database, EDGE, 6, 1)); /* not the series that stands */
    done(database_begin(fixture->database));
    done(nodes_advance(fixture->database, EDGE, 9, START_MS, 20, 1, 0));
    done(database_commit(fixture->database));
    assert_true(nodes_has_parcel(fixture->database, EDGE, 5, 9));
    assert_false(nodes_has_parcel(fixture->database, EDGE, 5, 10));
    welcome(fixture, EDGE, "edge1", 5, 9, false);
    welcome(fixture, EDGE, "edge1", 6, 0, false);
    welcome(fixture, EDGE, "edge1", 5, 0, false);
}

static void take(struct fixture *fixture, unsigned node, unsigned number)
{
    struct event_recipient recipient = { .address = TEXT("user@example.jp") };
    struct event_accepted event = { .id = id_of(node, number),
                                    .time_ms = START_MS + number,
                                    .size = 100,
                                    .sender = TEXT("a@far.example"),
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    database_set_node(fixture->database, (uint16_t)node);
    done(database_store_accepted(fixture->database, &event, 0));
}

/* Two recipients, handed to node HERE, where the message is number `there`. */
static void relay(struct fixture *fixture, unsigned node, unsigned number, unsigned there)
{
    const struct text recipients[] = { TEXT("user@example.jp"), TEXT("other@example.jp") };
    char reply[64], id[MESSAGE_ID_SIZE];
    snprintf(reply, sizeof reply, "2.0.0 kept as %s", message_id_print(id_of(HERE, there), id));
    struct event_relayed event = { .id = id_of(node, number),
                                   .time_ms = START_MS + number,
                                   .size = 100,
                                   .sender = TEXT("a@far.example"),
                                   .dsn = TEXT("2.0.0"),
                                   .relay = TEXT("[192.0.2.1]:25"),
                                   .reply = text_of(reply),
                                   .recipient_count = 2,
                                   .recipients = recipients };
    database_set_node(fixture->database, (uint16_t)node);
    done(database_store_relayed(fixture->database, &event, 0));
}

static void told_by_two(struct fixture *fixture)
{
    done(nodes_set_here(fixture->database, HERE, TEXT("wall1"), ROLE_WALL));
    welcome(fixture, EDGE, "edge1", 5, 0, false);
    for (int round = 0; round < 2; round++) { /* telling twice changes nothing */
        done(database_begin(fixture->database));
        take(fixture, HERE, 1);
        take(fixture, EDGE, 2);
        take(fixture, EDGE, 3);
        relay(fixture, EDGE, 0, 1);
        relay(fixture, EDGE, 4, 9); /* nobody has told of that one at HERE */
        relay(fixture, HERE, 7, 8);
        database_set_node(fixture->database, HERE);
        done(database_commit(fixture->database));
    }
}

static struct count_sums sums_of(struct fixture *fixture, uint64_t since_ms)
{
    struct count_sums sums;
    enum ledgerdb_outcome outcome;
    struct count *count = count_begin(fixture->database, since_ms);
    assert_non_null(count);
    while (!count_step(count, 2, &sums, &outcome)) continue;
    done(outcome);
    count_end(count);
    return sums;
}

static void balance_is_of_this_node(void **state)
{
    struct fixture *fixture = *state;
    told_by_two(fixture);
    struct count_sums sums = sums_of(fixture, 0);
    assert_int_equal(sums.accepted, 1);
    assert_int_equal(sums.live, 1);
    assert_int_equal(sums.relayed, 2);
    assert_int_equal(sums.unmatched, 0);
    assert_int_equal(sums_of(fixture, START_MS + 8).relayed, 0);
    struct forget_limits limits = { .messages_ms = START_MS + 86400000, .balance_since_ms = 5 };
    unsigned rows;
    for (int i = 0; i < 20; i++) done(forget_some(fixture->database, &limits, 2, &rows));
    sums = sums_of(fixture, 5); /* the relayed ones are forgotten now, of both nodes */
    assert_int_equal(sums.accepted, 1);
    assert_int_equal(sums.relayed, 2);
}

static struct ledgerdb_reader *reader(struct fixture *fixture)
{
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    done(ledgerdb_open(fixture->folder, &ledgerdb, &why));
    return ledgerdb;
}

static void days_are_of_each_node(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int node;
        uint64_t accepted, relayed;
    } rows[] = { { HERE, 1, 2 }, { EDGE, 2, 4 }, { 3, 0, 0 }, { -1, 3, 6 } };
    told_by_two(fixture);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct sum_clock clock = { 0 };
    sum_clock_set(&clock, START_MS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct day_balance day;
        done(day_count_node(ledgerdb, clock.day, rows[i].node, &day));
        assert_int_equal(day.accepted, rows[i].accepted);
        assert_int_equal(day.relayed, rows[i].relayed);
        assert_int_equal(day.sums[SUM_RELAYED], rows[i].relayed);
        assert_true(day.is_balanced);
    }
    uint64_t missing;
    done(nodes_missing(ledgerdb, START_MS, START_MS + 3600000, &missing));
    assert_int_equal(missing, 2); /* EDGE's 4 and HERE's 7 */
    done(nodes_missing(ledgerdb, START_MS - 3600000, START_MS, &missing));
    assert_int_equal(missing, 0);
    ledgerdb_close(ledgerdb);
}

static void the_way_is_found_from_both_ends(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = arena_new(0);
    const uint64_t ends[] = { id_of(HERE, 1), id_of(EDGE, 0) };
    told_by_two(fixture);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    for (int i = 0; i < 2; i++) {
        struct search_result result;
        struct search_question question = { .id = ends[i], .class = -1, .most = 5 };
        done(search_run(ledgerdb, &question, arena, &result));
        assert_int_equal(result.count, 2);
        const struct search_hit *wall = &result.hits[0], *edge = &result.hits[1];
        assert_true(text_equal(wall->node_name, TEXT("wall1")) && text_equal(edge->node_name, TEXT("edge1")));
        assert_int_equal(edge->went_count, 1);
        assert_int_equal(edge->went[0].id, id_of(HERE, 1));
        assert_int_equal(edge->came_count, 0);
        assert_int_equal(wall->came_count, 1);
        assert_true(text_equal(wall->came[0].node_name, TEXT("edge1")));
        assert_int_equal(edge->recipients[1].ending, ENDING_RELAYED);
    }
    ledgerdb_close(ledgerdb);
    arena_free(arena);
}

static void of_all_nodes_each_message_counts_once(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int node;
        enum sum_kind kind;
        uint64_t recipients;
    } rows[] = { { -1, SUM_ACCEPTED, 1 },  { EDGE, SUM_ACCEPTED, 2 }, { -1, SUM_RELAYED, 2 },
                 { EDGE, SUM_RELAYED, 4 }, { -1, SUM_REFUSED, 1 },    { EDGE, SUM_REFUSED, 1 } };
    struct event_refused refused = { .serial = id_of(EDGE, 20),
                                     .time_ms = START_MS,
                                     .code = 550,
                                     .stage = STAGE_RCPT,
                                     .recipient = TEXT("nobody@example.jp") };
    struct arena *arena = arena_new(0);
    told_by_two(fixture);
    database_set_node(fixture->database, EDGE);
    for (int round = 0; round < 2; round++) { /* its serial says that it is the same */
        done(database_begin(fixture->database));
        done(database_store_refused(fixture->database, &refused, 0, (uint64_t)round * 4096));
        done(database_commit(fixture->database));
    }
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sum_row *found;
        size_t count;
        struct sum_question question = { .node = rows[i].node,
                                         .direction = -1,
                                         .kinds = sum_bit(rows[i].kind) };
        done(ledgerdb_sums(ledgerdb, &question, arena, &found, &count));
        assert_int_equal(count, 1);
        if (found[0].recipients != rows[i].recipients)
            fail_msg("row %zu: %llu", i, (unsigned long long)found[0].recipients);
    }
    ledgerdb_close(ledgerdb);
    arena_free(arena);
}

/* --- older tables --- */

static void tables_of_version_3_go_on(void **state)
{
    struct fixture *fixture = *state;
    char text[300];
    database_close(fixture->database);
    fixture->database = NULL;
    struct sql *sql = scratch_of_version(fixture->folder, 3);
    snprintf(
        text, sizeof text,
        "INSERT INTO message(id, time, direction, size, own) VALUES(%llu, %llu, 0, 9, 0);"
        "INSERT INTO recipient(message, number, address, accepted_ms) VALUES(%llu, 0, 'a@example.jp', %llu)",
        (unsigned long long)id_of(0, 1), START_MS, (unsigned long long)id_of(0, 1), START_MS);
    done(sql_run(sql, text));
    sql_close(sql);
    reopen(fixture);
    told_by_two(fixture);
    assert_int_equal(sums_of(fixture, 0).accepted,
                     2); /* what this node told before it had a number is its own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_copied_when_nobody_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parcels_are_whole_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(told_ones_leave_and_numbers_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_ones_are_given_up_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_asked_is_as_it_was_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_series_is_of_one_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_number_is_one_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(balance_is_of_this_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_are_of_each_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_way_is_found_from_both_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_all_nodes_each_message_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables_of_version_3_go_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
