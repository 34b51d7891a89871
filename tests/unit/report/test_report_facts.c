/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts about other nodes, and of what master judges: when they are bad, and their words in both languages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/event.h"
#include "ledgerdb/nodes.h"
#include "ledgerdb/outbox.h"
#include "report/facts.h"

#define MINUTE_MS UINT64_C(60000)
#define NOW_MS (UINT64_C(1790000000) * 1000)

struct fixture {
    char folder[64];
    struct database *database;
    struct config config;
};

static int set_up(void **state)
{
    bool is_damaged;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/facts-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(database_open(fixture->folder, &fixture->database, &is_damaged), LEDGERDB_DONE);
    fixture->config.ledger.behind_ms = 30 * MINUTE_MS;
    fixture->config.ledger.unsent_ms = 31 * 24 * 60 * MINUTE_MS;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    database_close(fixture->database);
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

/* One fact as it is at `now_ms`, in both languages. */
static void expect(struct fixture *fixture, const struct health_page *page, enum fact_kind kind,
                   uint64_t now_ms, enum fact_state state, const char *english, const char *japanese)
{
    struct buffer why = { 0 };
    struct ledgerdb_reader *ledgerdb;
    assert_int_equal(ledgerdb_open(fixture->folder, &ledgerdb, &why), LEDGERDB_DONE);
    for (int language = LANGUAGE_EN; language <= LANGUAGE_JA; language++) {
        struct arena *arena = arena_new(0);
        struct fact facts[FACT_COUNT];
        int64_t difference = 0;
        struct facts_source source = { .config = &fixture->config,
                                       .ledgerdb = ledgerdb,
                                       .health = page,
                                       .counters_fd = -1,
                                       .state_fd = -1,
                                       .now_ms = now_ms };
        facts_gather(&source, (enum language)language, &difference, arena, facts);
        const char *says = language == LANGUAGE_JA ? japanese : english;
        if (facts[kind].state != state || !text_equal(facts[kind].says, text_of(says)))
            fail_msg("%s: state %d: %.*s, not %s", fact_word(kind), facts[kind].state,
                     TEXT_ARG(facts[kind].says), says);
        arena_free(arena);
    }
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
}

static void event_tell(struct fixture *fixture)
{
    struct buffer record = { 0 };
    struct event_ended event = { .id = NOW_MS << 22, .time_ms = NOW_MS, .ending = ENDING_DELIVERED };
    event_ended_put(&event, &record);
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    outbox_add(fixture->database, buffer_text(&record));
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
    buffer_free(&record);
}

static void a_courier_that_is_behind_is_bad(void **state)
{
    struct fixture *fixture = *state;
    struct text collector = TEXT("192.0.2.1:7700");
    struct outbox_facts outbox;
    const char *good = "it takes what happens here", *good_ja = "ここの記録を受け取っています";
    expect(fixture, NULL, FACT_COLLECTOR, NOW_MS, FACT_GOOD, "none is configured", "設定されていません");
    fixture->config.ledger.collectors = (struct text_list){ &collector, 1 };
    assert_int_equal(outbox_begin(fixture->database, 7), LEDGERDB_DONE);
    expect(fixture, NULL, FACT_COLLECTOR, NOW_MS, FACT_GOOD, good, good_ja);
    event_tell(fixture);
    assert_int_equal(outbox_look(fixture->database, &outbox), LEDGERDB_DONE);
    uint64_t since = outbox.oldest_ms;
    assert_true(since > 0);
    expect(fixture, NULL, FACT_COLLECTOR, since + 30 * MINUTE_MS - 1, FACT_GOOD, good, good_ja);
    expect(fixture, NULL, FACT_COLLECTOR, since - MINUTE_MS, FACT_GOOD, good, good_ja); /* a clock set back */
    expect(fixture, NULL, FACT_COLLECTOR, since + 30 * MINUTE_MS, FACT_BAD,
           "events have waited 30 minutes for it; they are given up after 744 hours",
           "記録を 30 分受け取っていません。744 時間で諦めます");
    assert_int_equal(outbox_release(fixture->database, 1), LEDGERDB_DONE);
    expect(fixture, NULL, FACT_COLLECTOR, since + 30 * MINUTE_MS, FACT_GOOD, good, good_ja);
}

static void node_tell(struct fixture *fixture, uint16_t number, const char *name, uint64_t when_ms)
{
    uint64_t parcel;
    const char *why;
    assert_int_equal(nodes_welcome(fixture->database, number, text_of(name), ROLE_EDGE, 7, &parcel, &why),
                     LEDGERDB_DONE);
    assert_int_equal(nodes_advance(fixture->database, number, 1, when_ms, 1, 0, 0), LEDGERDB_DONE);
}

static void a_node_that_is_silent_is_bad(void **state)
{
    struct fixture *fixture = *state;
    const char *good = "all are heard of", *good_ja = "全ノードから便りがあります";
    expect(fixture, NULL, FACT_NODES, NOW_MS, FACT_GOOD, "none tells its events here",
           "ここへ記録を送るノードはありません");
    fixture->config.ledger.listen = TEXT("192.0.2.1:7700");
    assert_int_equal(nodes_set_here(fixture->database, 1, TEXT("wall1"), ROLE_WALL), LEDGERDB_DONE);
    node_tell(fixture, 2, "edge2", NOW_MS);
    node_tell(fixture, 3, "edge3", NOW_MS + 10 * MINUTE_MS);
    uint64_t limit = NOW_MS + 30 * MINUTE_MS + NODES_HEARD_MS;
    expect(fixture, NULL, FACT_NODES, limit - 1, FACT_GOOD, good, good_ja);
    expect(fixture, NULL, FACT_NODES, limit, FACT_BAD, "1 not heard of; edge2 for 35 minutes",
           "1 ノードから便りがありません。edge2 は 35 分途絶えています");
    expect(fixture, NULL, FACT_NODES, limit + 60 * MINUTE_MS, FACT_BAD,
           "2 not heard of; edge2 for 95 minutes",
           "2 ノードから便りがありません。edge2 は 95 分途絶えています");
    /* It has nothing to tell, but is there. */
    assert_int_equal(nodes_heard(fixture->database, 2, limit), LEDGERDB_DONE);
    assert_int_equal(nodes_heard(fixture->database, 2, limit + MINUTE_MS), LEDGERDB_DONE);
    expect(fixture, NULL, FACT_NODES, limit + 60 * MINUTE_MS, FACT_BAD,
           "2 not heard of; edge3 for 85 minutes",
           "2 ノードから便りがありません。edge3 は 85 分途絶えています");
    expect(fixture, NULL, FACT_NODES, limit + 10 * MINUTE_MS, FACT_BAD,
           "1 not heard of; edge3 for 35 minutes",
           "1 ノードから便りがありません。edge3 は 35 分途絶えています");
    /* Both are gone for good. */
    expect(fixture, NULL, FACT_NODES, NOW_MS + 32 * 24 * 60 * MINUTE_MS, FACT_GOOD, good, good_ja);
}

static void what_master_judges_is_translated(void **state)
{
    struct fixture *fixture = *state;
    int fd = memfd_create("health", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, HEALTH_PAGE_BYTES), 0);
    struct health_page *page = health_page_map(fd, true);
    expect(fixture, page, FACT_PROCESSES, NOW_MS, FACT_UNKNOWN, "", "");
    struct health_report report = {
        .count = 2,
        .findings = { { .check = HEALTH_CHECK_NODE,
                        .says = HEALTH_SAYS_DOWN,
                        .process = "scan 0",
                        .numbers = { 12 } },
                      { .check = HEALTH_CHECK_DNS, .is_good = true, .says = HEALTH_SAYS_DNS_ANSWERS } }
    };
    health_page_write(page, &report);
    expect(fixture, page, FACT_PROCESSES, NOW_MS, FACT_BAD, "scan 0 is down for 12 s",
           "scan 0 が 12 秒止まっています");
    expect(fixture, page, FACT_NAMES, NOW_MS, FACT_GOOD, "it answers", "応答しています");
    expect(fixture, page, FACT_UPSTREAM, NOW_MS, FACT_GOOD, "none is configured", "設定されていません");
    health_page_unmap(page);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_courier_that_is_behind_is_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_is_silent_is_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_master_judges_is_translated, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
