/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The index of the quarantine: a row once, each state once, strays found, nothing forgotten that is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ledgerdb/adopt.h"
#include "ledgerdb/count.h"
#include "ledgerdb/held.h"
#include "ledgerdb/purge.h"
#include "scratch.h"

#define START_MS 1790000000000ull
#define ID (START_MS << 22)
enum { RECIPIENTS = 3 };

struct fixture {
    char folder[SCRATCH_FOLDER_BYTES];
    struct database *database;
    struct arena *arena;
    struct recipient recipients[RECIPIENTS];
    struct held_recipient held[RECIPIENTS];
    enum held_class classes[RECIPIENTS];
    struct held_offer offer;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    scratch_open(fixture->folder, &fixture->database);
    fixture->arena = arena_new(0);
    for (uint32_t i = 0; i < RECIPIENTS; i++) {
        fixture->recipients[i] = (struct recipient){ .address = TEXT("a@example.jp") };
        fixture->held[i] = (struct held_recipient){ i, HOLD_QUARANTINE, 0, TEXT("by verdict") };
        fixture->classes[i] = HELD_SPAM;
    }
    fixture->offer = (struct held_offer){ .id = ID,
                                          .length = 1000,
                                          .edits_count = 1,
                                          .envelope = { .sender = TEXT("s@example.net"),
                                                        .recipient_count = RECIPIENTS,
                                                        .recipients = fixture->recipients },
                                          .recipients = fixture->held };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    scratch_close(fixture->folder, fixture->database);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static void tell(struct fixture *fixture, uint64_t id, enum message_class class)
{
    struct event_recipient recipients[RECIPIENTS] = { 0 };
    for (int i = 0; i < RECIPIENTS; i++)
        recipients[i] =
            (struct event_recipient){ TEXT("a@example.jp"), ACTION_QUARANTINE, 0, HOLD_QUARANTINE };
    struct event_accepted event = { .id = id,
                                    .time_ms = id >> 22,
                                    .judgement = { .is_judged = true, .class = class, .score = 15 },
                                    .recipient_count = RECIPIENTS,
                                    .recipients = recipients };
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
}

static void end(struct fixture *fixture, uint32_t number, enum ending ending)
{
    struct event_ended event = { .id = ID, .time_ms = START_MS + 5, .recipient = number, .ending = ending };
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_ended(fixture->database, &event), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
}

static unsigned store(struct fixture *fixture, uint32_t count)
{
    unsigned added;
    fixture->offer.envelope.recipient_count = count;
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(held_store(fixture->database, &fixture->offer, fixture->classes, 400, START_MS, &added),
                     LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
    return added;
}

static bool move(struct fixture *fixture, uint32_t number, enum held_state from, enum held_state to)
{
    bool is_changed;
    struct held_move move = { ID, number, from, to, ID + 9, START_MS + 10, TEXT("release by root") };
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(held_move(fixture->database, &move, &is_changed), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
    return is_changed;
}

static struct held_rows page(struct fixture *fixture, int class)
{
    struct held_rows rows;
    assert_int_equal(held_page(database_sql(fixture->database), fixture->arena, class, 0, 100, &rows),
                     LEDGERDB_DONE);
    return rows;
}

static struct count_sums balance(struct fixture *fixture)
{
    struct count_sums sums;
    enum ledgerdb_outcome outcome;
    struct count *count = count_begin(fixture->database, 0);
    assert_non_null(count);
    while (!count_step(count, 100, &sums, &outcome)) continue;
    count_end(count);
    assert_int_equal(outcome, LEDGERDB_DONE);
    return sums;
}

static void test_classes(void **state)
{
    static const struct {
        enum message_class found;
        uint8_t hold;
        enum held_class class;
    } rows[] = { { CLASS_VIRUS, HOLD_QUARANTINE, HELD_VIRUS },
                 { CLASS_PHISHING, HOLD_QUARANTINE, HELD_PHISHING },
                 { CLASS_SPAM, HOLD_QUARANTINE, HELD_SPAM },
                 { CLASS_ENCRYPTED, HOLD_QUARANTINE, HELD_ENCRYPTED },
                 { CLASS_UNSCANNED, HOLD_QUARANTINE, HELD_POLICY },
                 { CLASS_NONE, HOLD_QUARANTINE, HELD_POLICY },
                 { CLASS_SPAM, HOLD_UNDELIVERABLE, HELD_UNDELIVERABLE },
                 { CLASS_VIRUS, HOLD_POISON, HELD_POISON } };
    struct fixture *fixture = *state;
    struct event_accepted told;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t id = ID + i;
        assert_int_equal(adopt_recall(fixture->database, fixture->arena, id, &told), LEDGERDB_MISSING);
        tell(fixture, id, rows[i].found);
        assert_int_equal(adopt_recall(fixture->database, fixture->arena, id, &told), LEDGERDB_DONE);
        assert_true(told.judgement.is_judged);
        assert_int_equal(held_class_by(rows[i].hold, told.judgement.class), rows[i].class);
    }
}

static void test_once(void **state)
{
    struct fixture *fixture = *state;
    tell(fixture, ID, CLASS_SPAM);
    assert_int_equal(store(fixture, 2), 2);
    assert_int_equal(store(fixture, 3), 1); /* offered again, with one more */
    assert_int_equal(page(fixture, -1).count, 3);
    assert_int_equal(page(fixture, HELD_SPAM).count, 3);
    assert_int_equal(page(fixture, HELD_VIRUS).count, 0);
    assert_true(page(fixture, -1).items[0].is_arriving);
    for (uint32_t i = 0; i < 3; i++) end(fixture, i, ENDING_QUARANTINED);
    assert_false(page(fixture, -1).items[0].is_arriving);
    assert_true(move(fixture, 0, HELD_KEPT, HELD_RELEASING));
    assert_false(move(fixture, 0, HELD_KEPT, HELD_RELEASING));
    assert_true(move(fixture, 0, HELD_RELEASING, HELD_RELEASED));
    assert_false(move(fixture, 0, HELD_RELEASING, HELD_RELEASED));
    assert_true(move(fixture, 1, HELD_KEPT, HELD_DELETED));
    assert_false(move(fixture, 1, HELD_KEPT, HELD_RELEASING));
    struct count_sums sums = balance(fixture);
    assert_int_equal(sums.ended[ENDING_QUARANTINED], 3);
    assert_int_equal(sums.held[HELD_KEPT] + sums.held[HELD_RELEASED] + sums.held[HELD_DELETED], 3);
    assert_int_equal(sums.missing, 0);
    uint64_t bytes, count;
    held_bytes(database_sql(fixture->database), &bytes);
    held_count(database_sql(fixture->database), &count);
    assert_int_equal(bytes, 400);
    assert_int_equal(count, 1);
    assert_true(held_needs_file(database_sql(fixture->database), ID));
    assert_int_equal(held_forget_row(fixture->database, ID, 2), LEDGERDB_DONE);
    assert_int_equal(balance(fixture).missing, 1);
    assert_false(held_needs_file(database_sql(fixture->database), ID));
}

/* The hold was let go in the journal after the copy was made, and nobody could tell. */
static void test_strays(void **state)
{
    struct fixture *fixture = *state;
    struct held_rows rows;
    struct sql *sql = database_sql(fixture->database);
    tell(fixture, ID, CLASS_SPAM);
    store(fixture, 3);
    assert_int_equal(held_strays(sql, fixture->arena, 10, &rows), LEDGERDB_DONE);
    assert_int_equal(rows.count, 0);
    end(fixture, 0, ENDING_QUARANTINED);
    end(fixture, 1, ENDING_DELIVERED);
    assert_int_equal(held_strays(sql, fixture->arena, 10, &rows), LEDGERDB_DONE);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.items[0].number, 1);
    assert_int_equal(held_oldest(sql, fixture->arena, HELD_SPAM, START_MS + 1, 10, &rows), LEDGERDB_DONE);
    assert_int_equal(rows.count, 1); /* the one that is kept, not the one that arrives */
    assert_int_equal(rows.items[0].number, 0);
    assert_int_equal(held_oldest(sql, fixture->arena, HELD_SPAM, START_MS, 10, &rows), LEDGERDB_DONE);
    assert_int_equal(rows.count, 0);
}

/* A message stays in the books while its file is kept; then it goes, index and all, and balance stays. */
static void test_retention(void **state)
{
    struct fixture *fixture = *state;
    struct forget_limits limits = { .messages_ms = START_MS + 1000 };
    unsigned forgotten;
    tell(fixture, ID, CLASS_SPAM);
    store(fixture, 3);
    for (uint32_t i = 0; i < 3; i++) end(fixture, i, ENDING_QUARANTINED);
    move(fixture, 0, HELD_KEPT, HELD_AGED);
    move(fixture, 1, HELD_KEPT, HELD_AGED);
    assert_int_equal(forget_some(fixture->database, &limits, 100, &forgotten), LEDGERDB_DONE);
    assert_int_equal(forgotten, 0);
    move(fixture, 2, HELD_KEPT, HELD_AGED);
    assert_int_equal(forget_some(fixture->database, &limits, 100, &forgotten), LEDGERDB_DONE);
    assert_int_not_equal(forgotten, 0);
    struct held_rows rows;
    assert_int_equal(held_of_message(database_sql(fixture->database), fixture->arena, ID, &rows),
                     LEDGERDB_DONE);
    assert_int_equal(rows.count, 0);
    struct count_sums sums = balance(fixture);
    assert_int_equal(sums.ended[ENDING_QUARANTINED], 3);
    assert_int_equal(sums.accepted, 3);
    assert_int_equal(sums.missing, 0);
}

static enum adopt_standing standing(struct fixture *fixture, uint32_t number)
{
    enum adopt_standing out;
    assert_int_equal(adopt_look(fixture->database, ID, number, &out), LEDGERDB_DONE);
    return out;
}

static void adopt(struct fixture *fixture, const struct event_accepted *message, uint32_t number)
{
    struct held_row row = { .message = ID,
                            .number = number,
                            .class = HELD_SPAM,
                            .state = number == 2 ? HELD_RELEASED : HELD_KEPT,
                            .stored_ms = START_MS + 3,
                            .size = 1000,
                            .bytes = 400,
                            .address = TEXT("a@example.jp") };
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(adopt_message(fixture->database, message, &row), LEDGERDB_DONE);
    assert_int_equal(adopt_recipient(fixture->database, message, &row), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
}

static void assert_adopted(struct fixture *fixture)
{
    struct held_rows rows;
    struct count_sums sums;
    enum ledgerdb_outcome outcome;
    struct count *count = count_begin(fixture->database, 1);
    assert_true(count_step(count, 100, &sums, &outcome));
    count_end(count);
    assert_int_equal(sums.accepted, RECIPIENTS);
    assert_int_equal(sums.ended[ENDING_QUARANTINED], RECIPIENTS);
    assert_int_equal(sums.missing + sums.unmatched + sums.live, 0);
    assert_int_equal(sums.held[HELD_RELEASED], 1);
    assert_int_equal(held_page(database_sql(fixture->database), fixture->arena, -1, 0, 10, &rows),
                     LEDGERDB_DONE);
    assert_int_equal(rows.count, RECIPIENTS - 1);
    assert_false(rows.items[0].is_arriving);
    assert_true(text_equal(rows.items[0].subject, TEXT("a subject")));
    assert_int_equal(rows.items[0].bytes, 400);
}

/* Into an index that knows nothing, that knows of the acceptance and of an ending, and once more. */
static void test_adoption(void **state)
{
    struct fixture *fixture = *state;
    struct event_accepted message = { .id = ID, .time_ms = START_MS, .size = 1000 };
    message.judgement = (struct event_judgement){
        .is_judged = true, .class = CLASS_SPAM, .score = 15, .subject = TEXT("a subject")
    };
    assert_int_equal(standing(fixture, 0), ADOPT_UNKNOWN);
    end(fixture, 1, ENDING_QUARANTINED);
    assert_int_equal(standing(fixture, 1), ADOPT_QUARANTINED);
    for (int round = 0; round < 2; round++) {
        for (uint32_t number = 0; number < RECIPIENTS; number++) adopt(fixture, &message, number);
        assert_adopted(fixture);
        assert_int_equal(standing(fixture, 2), ADOPT_KNOWN);
        tell(fixture, ID, CLASS_SPAM); /* queue tells it again, later */
        assert_adopted(fixture);
    }
}

/* New signatures find a virus in what is kept: only what is still there changes, once; then balance,
   retention and the index of terms go on as if it had been found at first. */
static void test_condemned(void **state)
{
    struct fixture *fixture = *state;
    struct part_digest part = { .bytes = { 7 }, .is_infected = true };
    struct event_found event = { .id = ID,
                                 .time_ms = START_MS + 60000,
                                 .class = CLASS_VIRUS,
                                 .virus = TEXT("Worm.Test"),
                                 .engine = TEXT("clamav 1.4.6"),
                                 .part = TEXT("tool.exe"),
                                 .part_count = 1,
                                 .parts = &part };
    struct sql *sql = database_sql(fixture->database);
    bool is_changed;
    int64_t count;
    uint64_t next;
    tell(fixture, ID, CLASS_SPAM);
    store(fixture, 3);
    for (uint32_t i = 0; i < 3; i++) end(fixture, i, ENDING_QUARANTINED);
    assert_true(move(fixture, 2, HELD_KEPT, HELD_RELEASING));
    assert_int_equal(held_next(sql, HELD_SPAM, 0, &next), LEDGERDB_DONE);
    assert_true(next == ID);
    assert_int_equal(held_next(sql, HELD_SPAM, ID, &next), LEDGERDB_DONE);
    assert_true(next == 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
        assert_int_equal(held_condemn(fixture->database, &event, &is_changed), LEDGERDB_DONE);
        assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
        assert_int_equal(is_changed, i == 0);
    }
    assert_int_equal(page(fixture, HELD_VIRUS).count, 2);
    assert_int_equal(page(fixture, HELD_SPAM).count, 1); /* it is on its way out */
    assert_int_equal(held_next(sql, HELD_SPAM, 0, &next), LEDGERDB_DONE);
    assert_true(next == 0);
    assert_int_equal(
        sql_number(sql, "SELECT count(*) FROM message WHERE class = 1 AND virus = 'Worm.Test'", &count),
        LEDGERDB_DONE);
    assert_int_equal(count, 1);
    assert_int_equal(sql_number(sql, "SELECT count(*) FROM audit WHERE act = 'found'", &count),
                     LEDGERDB_DONE);
    assert_int_equal(count, 1);
    assert_int_equal(balance(fixture).ended[ENDING_QUARANTINED], 3);
}

static void test_standing(void **state)
{
    struct fixture *fixture = *state;
    struct event_accepted message;
    assert_int_equal(adopt_recall(fixture->database, fixture->arena, ID, &message), LEDGERDB_MISSING);
    tell(fixture, ID, CLASS_SPAM);
    assert_int_equal(standing(fixture, 0), ADOPT_LIVE);
    end(fixture, 0, ENDING_DELIVERED);
    assert_int_equal(standing(fixture, 0), ADOPT_ENDED);
    store(fixture, 2);
    assert_int_equal(standing(fixture, 1), ADOPT_KNOWN);
    assert_int_equal(adopt_recall(fixture->database, fixture->arena, ID, &message), LEDGERDB_DONE);
    assert_true(message.judgement.is_judged && message.judgement.class == CLASS_SPAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adoption, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_condemned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
