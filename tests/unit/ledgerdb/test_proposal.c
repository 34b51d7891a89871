/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what users report is one proposal however often it is told, belongs to the message that passed here
   or to none, is decided once, ages, and takes bounded room whoever reports how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledgerdb/held.h"
#include "ledgerdb/proposal.h"
#include "scratch.h"

#define NOW UINT64_C(1790000000000)
#define DAY (UINT64_C(86400) * 1000)

/* --- reports --- */

static struct proposal_report report_of(unsigned mail, bool is_spam, const char *reporter, uint64_t now_ms)
{
    struct proposal_report report = {
        .is_spam = is_spam, .now_ms = now_ms, .reporter = text_of(reporter), .lesson = TEXT("numbers")
    };
    memcpy(report.mail, &mail, sizeof mail);
    return report;
}

static enum proposal_outcome tell(struct scratch *fixture, const struct proposal_report *report,
                                  uint64_t *out_number)
{
    enum proposal_outcome outcome;
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(proposal_tell(fixture->database, report, &outcome, out_number), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
    return outcome;
}

static void decide(struct scratch *fixture, uint64_t number, enum proposal_state state)
{
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(proposal_decide(fixture->database, number, state), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
}

static struct proposal read_one(struct scratch *fixture, uint64_t number)
{
    struct proposal proposal;
    assert_int_equal(proposal_read(database_sql(fixture->database), number, fixture->arena, &proposal),
                     LEDGERDB_DONE);
    return proposal;
}

static uint64_t waiting(struct scratch *fixture)
{
    uint64_t count;
    assert_int_equal(proposal_count(database_sql(fixture->database), &count), LEDGERDB_DONE);
    return count;
}

static void test_one_mail_is_one_proposal(void **state)
{
    struct scratch *fixture = *state;
    uint64_t first, again, ham;
    struct proposal_report report = report_of(1, true, "a@example.jp", NOW);
    assert_int_equal(tell(fixture, &report, &first), PROPOSAL_NEW);
    assert_int_equal(tell(fixture, &report, &again), PROPOSAL_JOINED);
    report = report_of(1, true, "A@Example.jp", NOW + 1);
    assert_int_equal(tell(fixture, &report, &again), PROPOSAL_JOINED);
    assert_int_equal(read_one(fixture, first).reporters, 1);
    report = report_of(1, true, "b@example.jp", NOW + 2);
    report.message = 77; /* its copy is the better one */
    assert_int_equal(tell(fixture, &report, &again), PROPOSAL_JOINED);
    struct proposal one = read_one(fixture, first);
    assert_true(again == first && one.reporters == 2 && one.message == 77 && one.told_ms == NOW);
    assert_true(text_equal(one.reporter, TEXT("a@example.jp")) && text_equal(one.lesson, TEXT("numbers")));
    /* of the other class it is another one, and a yes to one is a no to the other */
    report = report_of(1, false, "c@example.jp", NOW + 3);
    assert_int_equal(tell(fixture, &report, &ham), PROPOSAL_NEW);
    assert_int_equal(waiting(fixture), 2);
    decide(fixture, ham, PROPOSAL_ACCEPTED);
    assert_int_equal(read_one(fixture, ham).state, PROPOSAL_ACCEPTED);
    assert_int_equal(read_one(fixture, first).state, PROPOSAL_DECLINED);
    assert_int_equal(read_one(fixture, first).lesson.length + read_one(fixture, ham).lesson.length, 0);
    assert_int_equal(waiting(fixture), 0);
    /* what was decided stays so */
    decide(fixture, ham, PROPOSAL_DECLINED);
    assert_int_equal(read_one(fixture, ham).state, PROPOSAL_ACCEPTED);
    report = report_of(1, true, "d@example.jp", NOW + 4);
    assert_int_equal(tell(fixture, &report, &again), PROPOSAL_DECIDED);
    /* and is forgotten in its time */
    struct proposal gone;
    assert_int_equal(held_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(proposal_forget(fixture->database, NOW + 1), LEDGERDB_DONE);
    assert_int_equal(held_commit(fixture->database), LEDGERDB_DONE);
    assert_int_equal(proposal_read(database_sql(fixture->database), first, fixture->arena, &gone),
                     LEDGERDB_MISSING);
    assert_int_equal(read_one(fixture, ham).reporters, 1);
    assert_int_equal(tell(fixture, &report, &again), PROPOSAL_NEW);
    assert_true(again > ham); /* no number is given twice */
}

static void test_nobody_fills_it(void **state)
{
    struct scratch *fixture = *state;
    uint64_t number;
    unsigned mail = 0, taken = 0;
    char reporter[40];
    /* one reporter */
    for (unsigned i = 0; i < PROPOSALS_A_REPORTER; i++) {
        struct proposal_report report = report_of(mail++, true, "a@example.jp", NOW);
        assert_int_equal(tell(fixture, &report, &number), PROPOSAL_NEW);
    }
    struct proposal_report more = report_of(mail++, true, "A@example.jp", NOW + DAY - 1);
    assert_int_equal(tell(fixture, &more, &number), PROPOSAL_TOO_MANY);
    assert_int_equal(waiting(fixture), PROPOSALS_A_REPORTER);
    more.now_ms = NOW + DAY;
    assert_int_equal(tell(fixture, &more, &number), PROPOSAL_NEW);
    /* many of them, by whatever names */
    for (unsigned i = 0; i < 2 * PROPOSALS_MOST; i++) {
        snprintf(reporter, sizeof reporter, "%u@example.jp", i);
        struct proposal_report report = report_of(mail++, true, reporter, NOW + DAY);
        taken += tell(fixture, &report, &number) == PROPOSAL_NEW;
    }
    assert_int_equal(taken, PROPOSALS_MOST - PROPOSALS_A_REPORTER - 1);
    assert_int_equal(waiting(fixture), PROPOSALS_MOST);
    /* what is there is told by others, up to what a day has room for */
    unsigned joined = 0;
    for (unsigned i = 0; i < 2 * PROPOSAL_REPORTS_A_DAY; i++) {
        snprintf(reporter, sizeof reporter, "x%u@example.jp", i);
        struct proposal_report report = report_of(0, true, reporter, NOW + DAY);
        joined += tell(fixture, &report, &number) == PROPOSAL_JOINED;
    }
    assert_int_equal(joined, PROPOSAL_REPORTS_A_DAY - taken - 1);
    struct proposal *list;
    size_t count;
    assert_int_equal(proposal_list(database_sql(fixture->database), fixture->arena, &list, &count),
                     LEDGERDB_DONE);
    assert_true(count == PROPOSALS_MOST && list[0].reporters == joined + 1);
}

static void test_large_ones_take_no_more_room(void **state)
{
    struct scratch *fixture = *state;
    uint64_t number;
    size_t size = PROPOSALS_BYTES_MOST / 3;
    char *bytes = calloc(1, size), reporter[40];
    unsigned taken = 0;
    for (unsigned i = 0; i < 5; i++) {
        snprintf(reporter, sizeof reporter, "%u@example.jp", i);
        struct proposal_report report = report_of(i, true, reporter, NOW);
        report.lesson = text_from(bytes, size);
        taken += tell(fixture, &report, &number) == PROPOSAL_NEW;
    }
    assert_int_equal(taken, 3);
    free(bytes);
}

/* --- the message that passed --- */

static struct part_digest part_of(uint8_t first)
{
    return (struct part_digest){ .bytes = { first, 1, 2 } };
}

static uint64_t take(struct scratch *fixture, unsigned minute, const char *message_id, uint8_t is_own,
                     const struct part_digest *parts, uint32_t part_count)
{
    const struct event_recipient recipient = { .address = TEXT("a@example.jp") };
    struct event_accepted event = { .id = (NOW + minute * 60000) << 22,
                                    .time_ms = NOW + minute * 60000,
                                    .is_own = is_own,
                                    .judgement = { .is_judged = true,
                                                   .subject = TEXT("An offer"),
                                                   .message_id = text_of(message_id),
                                                   .author = TEXT("\"Offers\" <offer@spam.example>"),
                                                   .part_count = part_count,
                                                   .parts = parts },
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
    return event.id;
}

static uint64_t find(struct scratch *fixture, const struct proposal_copy *copy)
{
    uint64_t found = 1;
    assert_int_equal(proposal_message(database_sql(fixture->database), copy, fixture->arena, &found),
                     LEDGERDB_DONE);
    return found;
}

static void test_which_message_it_was(void **state)
{
    struct scratch *fixture = *state;
    const struct part_digest parts[] = { part_of(1), part_of(2) }, other = part_of(9);
    uint64_t plain = take(fixture, 1, "<1@spam.example>", 0, NULL, 0);
    uint64_t later = take(fixture, 2, "1@spam.example", 0, NULL, 0);
    uint64_t files = take(fixture, 3, "<2@spam.example>", 0, parts, 2);
    take(fixture, 4, "<3@spam.example>", 1, NULL, 0); /* of our own making */
    const struct {
        struct proposal_copy copy;
        uint64_t found;
    } rows[] = {
        { { TEXT(" <1@spam.example> "), TEXT("Offers <Offer@spam.example>"), TEXT("An offer"), 0, NULL },
          later },
        { { TEXT("1@spam.example"), TEXT("offer@spam.example"), TEXT("[SPAM] An offer"), 0, NULL }, later },
        { { TEXT("<1@spam.example>"), TEXT("boss@example.jp"), TEXT("An offer"), 0, NULL }, 0 },
        { { TEXT("<1@spam.example>"), TEXT("offer@spam.example"), TEXT("Minutes"), 0, NULL }, 0 },
        { { TEXT("<9@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 0, NULL }, 0 },
        { { TEXT(""), TEXT("offer@spam.example"), TEXT("An offer"), 0, NULL }, 0 },
        { { TEXT("<>"), TEXT("offer@spam.example"), TEXT("An offer"), 0, NULL }, 0 },
        { { TEXT("<3@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 0, NULL }, 0 },
        { { TEXT("<2@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 2, parts }, files },
        { { TEXT("<2@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 1, &parts[1] }, files },
        { { TEXT("<2@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 1, &other }, 0 },
        { { TEXT("<1@spam.example>"), TEXT("offer@spam.example"), TEXT("An offer"), 1, &other }, later },
    };
    assert_true(plain < later);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(find(fixture, &rows[i].copy), rows[i].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_mail_is_one_proposal, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_fills_it, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_large_ones_take_no_more_room, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_which_message_it_was, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
