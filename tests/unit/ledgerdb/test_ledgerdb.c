/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ledger's books: sums that no repetition changes, questions that find exactly what they should,
   retention that leaves sums and balance as they were, tables of an older version, a log that readers cannot
   make grow. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/beat.h"
#include "ipc/ask_queue.h"
#include "ledgerdb/count.h"
#include "ledgerdb/day.h"
#include "ledgerdb/purge.h"
#include "ledgerdb/search.h"
#include "scratch.h"

#define START_MS 1790000000000ull
enum { DAY_MS = 86400000 };

static void begin(struct scratch *fixture)
{
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
}

static void commit(struct scratch *fixture)
{
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

/* --- telling --- */

struct mail {
    uint64_t number; /* of the message: an id and a time a second apart */
    const char *client, *sender, *recipient, *second, *subject, *virus;
    enum message_class class;
    uint8_t action, hold, direction;
    const char *not_opened;
};

static uint64_t time_of(uint64_t number)
{
    return START_MS + number * 1000;
}

static uint64_t id_of(uint64_t number)
{
    return time_of(number) << 22;
}

static void tell(struct scratch *fixture, const struct mail *mail)
{
    static const struct event_signal signals[] = { { TEXT("GTUBE"), 5 }, { TEXT("BLANK_SUBJECT"), 1.5 } };
    struct event_recipient recipients[2] = {
        { text_of(mail->recipient), mail->action, 0, mail->hold },
        { text_of(mail->second), mail->action, 0, mail->hold },
    };
    struct event_accepted event = { .id = id_of(mail->number),
                                    .time_ms = time_of(mail->number),
                                    .size = 1000,
                                    .direction = mail->direction,
                                    .helo = TEXT("mx.example.net"),
                                    .sender = text_of(mail->sender),
                                    .judgement = { .is_judged = true,
                                                   .class = mail->class,
                                                   .score = 6.5,
                                                   .virus = text_of(mail->virus),
                                                   .engine = TEXT("clamav 1.4"),
                                                   .subject = text_of(mail->subject),
                                                   .signal_count = 2,
                                                   .signals = signals,
                                                   .not_opened = text_of(mail->not_opened) },
                                    .recipient_count = mail->second ? 2 : 1,
                                    .recipients = recipients };
    assert_true(address_parse(text_of(mail->client ? mail->client : "192.0.2.1"), &event.client));
    assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
}

static void end(struct scratch *fixture, uint64_t number, uint32_t recipient, enum ending ending)
{
    struct event_ended event = { .id = id_of(number),
                                 .time_ms = time_of(number) + 500,
                                 .recipient = recipient,
                                 .ending = ending,
                                 .dsn = TEXT("2.0.0"),
                                 .relay = TEXT("in.example.jp[192.0.2.9]:25"),
                                 .reply = TEXT("250 ok") };
    assert_int_equal(database_store_ended(fixture->database, &event), LEDGERDB_DONE);
}

static void step(struct scratch *fixture, uint64_t number, enum step_kind kind, uint8_t hold,
                 uint64_t after_ms)
{
    struct event_step event = { .id = id_of(number),
                                .time_ms = time_of(number) + after_ms,
                                .kind = kind,
                                .hold = hold,
                                .reply = TEXT("451 not now") };
    assert_int_equal(database_store_step(fixture->database, &event), LEDGERDB_DONE);
}

static void refuse(struct scratch *fixture, uint64_t number, uint16_t code, enum event_stage stage,
                   enum message_class class, const char *recipient, uint64_t position)
{
    struct event_refused event = { .time_ms = time_of(number),
                                   .id = stage == STAGE_CONTENT ? id_of(number) : 0,
                                   .code = code,
                                   .stage = (uint8_t)stage,
                                   .is_message = stage == STAGE_CONTENT,
                                   .size = 700,
                                   .sender = TEXT("bad@spam.example"),
                                   .recipient = text_of(recipient),
                                   .reply = TEXT("550 5.7.1 no"),
                                   .judgement = { .is_judged = stage == STAGE_CONTENT,
                                                  .class = class,
                                                  .virus =
                                                      class == CLASS_VIRUS ? TEXT("Worm.A") : TEXT_NONE } };
    address_parse(TEXT("198.51.100.7"), &event.client);
    assert_int_equal(database_store_refused(fixture->database, &event, 2, position), LEDGERDB_DONE);
}

/* --- asking --- */

static struct ledgerdb_reader *reader(struct scratch *fixture)
{
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    enum ledgerdb_outcome outcome = ledgerdb_open(fixture->folder, &ledgerdb, &why);
    if (outcome != LEDGERDB_DONE) fail_msg("%.*s", TEXT_ARG(buffer_text(&why)));
    return ledgerdb;
}

/* "messages/recipients/bytes" of one kind, by name, in the order of names. */
/* What hours tell apart adds up to the day's, whether days or months are kept. */
static void hours_check(struct scratch *fixture, struct ledgerdb_reader *ledgerdb, enum sum_kind kind)
{
    struct sum_row *rows;
    size_t count;
    uint64_t messages[2] = { 0 }, recipients[2] = { 0 };
    struct sum_question question = { .node = -1, .direction = -1, .kinds = sum_bit(kind) };
    for (int by_hour = 0; by_hour < 2; by_hour++) {
        question.by = SUM_BY_DAY | (by_hour ? SUM_BY_HOUR : 0);
        assert_int_equal(ledgerdb_sums(ledgerdb, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
        for (size_t i = 0; i < count; i++) {
            messages[by_hour] += rows[i].messages;
            recipients[by_hour] += rows[i].recipients;
        }
    }
    bool has_hours = kind != SUM_RULE && kind != SUM_ENGINE && kind != SUM_NOT_OPENED;
    assert_int_equal(messages[1], has_hours ? messages[0] : 0);
    assert_int_equal(recipients[1], has_hours ? recipients[0] : 0);
}

static const char *sums_of(struct scratch *fixture, enum sum_kind kind)
{
    struct sum_row *rows;
    size_t count;
    struct buffer out = { 0 };
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct sum_question question = { .node = -1, .direction = -1, .kinds = sum_bit(kind), .by = SUM_BY_NAME };
    assert_int_equal(ledgerdb_sums(ledgerdb, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%.*s %llu/%llu/%llu", i ? "; " : "", TEXT_ARG(rows[i].name),
                      (unsigned long long)rows[i].messages, (unsigned long long)rows[i].recipients,
                      (unsigned long long)rows[i].bytes);
    hours_check(fixture, ledgerdb, kind);
    ledgerdb_close(ledgerdb);
    struct text text = arena_text(fixture->arena, buffer_text(&out));
    buffer_free(&out);
    return text.at;
}

static void story_tell(struct scratch *fixture)
{
    begin(fixture);
    tell(fixture, &(struct mail){ .number = 1,
                                  .sender = "a@example.net",
                                  .recipient = "x@example.jp",
                                  .second = "y@example.jp",
                                  .subject = "hello",
                                  .not_opened = "zip,squashfs,of-a-later-version,zip\x01" });
    end(fixture, 1, 0, ENDING_DELIVERED);
    end(fixture, 1, 1, ENDING_RETURNED);
    tell(fixture, &(struct mail){ .number = 2,
                                  .sender = "b@example.net",
                                  .recipient = "x@example.jp",
                                  .class = CLASS_SPAM,
                                  .action = ACTION_TAG });
    end(fixture, 2, 0, ENDING_DELIVERED);
    tell(fixture, &(struct mail){ .number = 3,
                                  .sender = "c@example.net",
                                  .recipient = "x@example.jp",
                                  .class = CLASS_VIRUS,
                                  .virus = "Worm.A",
                                  .action = ACTION_QUARANTINE,
                                  .hold = HOLD_QUARANTINE });
    step(fixture, 3, STEP_RELEASED, 0, 9000);
    end(fixture, 3, 0, ENDING_DELIVERED);
    tell(fixture,
         &(struct mail){
             .number = 4, .sender = "d@example.net", .recipient = "x@example.jp", .not_opened = "zip" });
    step(fixture, 4, STEP_DEFERRED, 0, 2000);
    step(fixture, 4, STEP_EXPIRED, HOLD_UNDELIVERABLE, 3000);
    refuse(fixture, 5, 550, STAGE_RCPT, CLASS_NONE, "nobody@example.jp", 64);
    refuse(fixture, 6, 550, STAGE_CONTENT, CLASS_VIRUS, "x@example.jp", 128);
    refuse(fixture, 7, 250, STAGE_CONTENT, CLASS_SPAM, "x@example.jp", 192);
    refuse(fixture, 8, 0, STAGE_CONTENT, CLASS_NONE, "x@example.jp", 256);
    commit(fixture);
}

static const struct {
    enum sum_kind kind;
    const char *wanted;
} story_sums[] = {
    { SUM_ACCEPTED, " 4/5/4000" },
    { SUM_DELIVERED, " 3/3/3000" },
    { SUM_RETURNED, " 0/1/0" },
    { SUM_HELD, "quarantine 1/1/1000; undeliverable 1/1/1000" },
    { SUM_RELEASED, " 1/1/1000" },
    { SUM_EXPIRED_HELD, " 1/1/1000" },
    { SUM_DEFERRED, " 1/1/1000" },
    { SUM_REFUSED, "RCPT 0/1/0" },
    { SUM_REFUSED_AFTER, "virus 1/1/700" },
    { SUM_DISCARDED, "spam 1/1/700" },
    { SUM_ABORTED, " 1/1/700" },
    { SUM_VIRUS, "Worm.A 2/2/1700" },
    { SUM_CLASS, "none 3/4/2700; spam 2/2/1700; virus 2/2/1700" },
    { SUM_SPAM_TAGGED, " 1/1/1000" },
    { SUM_SPAM_DISCARDED, " 1/1/700" },
    { SUM_RULE, "BLANK_SUBJECT 4/4/4000; GTUBE 4/4/4000" },
    { SUM_ENGINE, "clamav 1.4 4/4/4000" },
    { SUM_NOT_OPENED, "squashfs 1/1/1000; unknown 2/2/2000; zip 2/2/2000" },
};

/* Told once, twice, and again after the process was another one. */
static void test_sums_are_counted_once(void **state)
{
    struct scratch *fixture = *state;
    for (int round = 0; round < 3; round++) {
        story_tell(fixture);
        for (size_t i = 0; i < sizeof story_sums / sizeof *story_sums; i++)
            if (strcmp(sums_of(fixture, story_sums[i].kind), story_sums[i].wanted) != 0)
                fail_msg("round %d, %s: %s", round, sum_kind_name(story_sums[i].kind),
                         sums_of(fixture, story_sums[i].kind));
        if (round == 0) continue;
        database_close(fixture->database);
        scratch_reopen(fixture->folder, &fixture->database);
    }
}

/* The ending is told before the acceptance; the release before the hold; the judgement after queue's word. */
static void test_any_order(void **state)
{
    struct scratch *fixture = *state;
    const struct mail held = { .number = 2,
                               .sender = "c@example.net",
                               .recipient = "x@example.jp",
                               .hold = HOLD_QUARANTINE,
                               .class = CLASS_VIRUS,
                               .virus = "Worm.A" };
    begin(fixture);
    end(fixture, 1, 0, ENDING_DELIVERED);
    commit(fixture);
    assert_string_equal(sums_of(fixture, SUM_DELIVERED), "");
    begin(fixture);
    tell(fixture, &(struct mail){ .number = 1, .sender = "a@example.net", .recipient = "x@example.jp" });
    step(fixture, 2, STEP_RELEASED, 0, 9000);
    tell(fixture, &held);
    commit(fixture);
    assert_string_equal(sums_of(fixture, SUM_DELIVERED), " 1/1/1000");
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct search_result result;
    struct search_question question = { .id = id_of(2), .class = -1, .most = 5 };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.hits[0].recipients[0].hold, HOLD_NONE); /* it was released */
    ledgerdb_close(ledgerdb);
    struct event_recipient recipient = { .address = TEXT("x@example.jp") };
    struct event_accepted by_queue = { .id = id_of(3),
                                       .time_ms = time_of(3),
                                       .size = 1000,
                                       .sender = TEXT("z@example.net"),
                                       .recipient_count = 1,
                                       .recipients = &recipient };
    begin(fixture);
    assert_int_equal(database_store_accepted(fixture->database, &by_queue, 0), LEDGERDB_DONE);
    tell(fixture,
         &(struct mail){
             .number = 3, .sender = "z@example.net", .recipient = "x@example.jp", .class = CLASS_SPAM });
    tell(fixture,
         &(struct mail){
             .number = 3, .sender = "z@example.net", .recipient = "x@example.jp", .class = CLASS_SPAM });
    commit(fixture);
    assert_string_equal(sums_of(fixture, SUM_CLASS), "none 1/1/1000; spam 1/1/1000; virus 1/1/1000");
    assert_string_equal(sums_of(fixture, SUM_ACCEPTED), " 3/3/3000");
}

/* A clock gone mad must not make days that no number holds. */
static void test_clock(void **state)
{
    static const struct {
        uint64_t time_ms;
        uint32_t day;
        uint8_t hour;
    } rows[] = { { 0, 19700101, 9 },
                 { START_MS, 20260921, 23 },
                 { START_MS + 7200000, 20260922, 1 },
                 { UINT64_MAX, 99991231, 0 } };
    struct sum_clock clock = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sum_clock_set(&clock, rows[i].time_ms);
        assert_int_equal(clock.day, rows[i].day);
        if (rows[i].time_ms != UINT64_MAX) assert_int_equal(clock.hour, rows[i].hour);
    }
}

static void test_rolled_back_leaves_nothing(void **state)
{
    struct scratch *fixture = *state;
    begin(fixture);
    tell(fixture, &(struct mail){ .number = 1, .sender = "a@example.net", .recipient = "x@example.jp" });
    database_rollback(fixture->database);
    begin(fixture);
    commit(fixture);
    assert_string_equal(sums_of(fixture, SUM_ACCEPTED), "");
}

/* --- search --- */

static const struct mail library[] = {
    { 1, "192.0.2.1", "Tanaka@Example.NET", "x@example.jp", NULL, "Meeting on Friday" },
    { 2, "192.0.2.200", "tanaka@example.net", "y@example.jp", "x@example.jp", "請求書のご案内 7月分" },
    { 3, "192.0.77.1", "news@magazine.example", "x@example.jp", NULL, "ＳＡＬＥ！ 特別ご案内" },
    { 4, "2001:db8:1:2::7", "a@example.net", "z@sub.example.jp", NULL, "<b>html</b> \x1b[31m red \xff\xfe" },
    { 5, "10.1.0.9", "x@example.jp", "friend@example.org", NULL, "re: meeting", NULL, CLASS_NONE, 0, 0,
      DIRECTION_OUT },
    { 6, "192.0.2.1", "bad@spam.example", "x@example.jp", NULL, "virus", "Worm.A", CLASS_VIRUS,
      ACTION_QUARANTINE, HOLD_QUARANTINE },
    { 7, "192.0.2.1", "bad@spam.example", "x@example.jp", NULL, "buy", NULL, CLASS_SPAM, ACTION_TAG },
};

static const struct {
    const char *address, *domain, *subject, *client, *virus, *status, *class;
    const char *wanted; /* numbers, the newest first; r before a refusal's */
} searches[] = {
    { .wanted = "r9 r8 7 6 5 4 3 2 1" },
    { .address = "tanaka@example.net", .wanted = "2 1" },
    { .address = "X@EXAMPLE.JP", .wanted = "r9 7 6 5 3 2 1" },
    { .address = "nobody@nowhere.example", .wanted = "" },
    { .domain = "example.net", .wanted = "4 2 1" },
    { .domain = "sub.example.jp", .wanted = "4" },
    { .subject = "meeting", .wanted = "5 1" },
    { .subject = "FRIDAY Meeting", .wanted = "1" },
    { .subject = "ご案内", .wanted = "3 2" },
    { .subject = "請求書", .wanted = "2" },
    { .subject = "sale", .wanted = "3" }, /* full-width in the message */
    { .subject = "html", .wanted = "4" },
    { .subject = "red", .wanted = "4" },
    { .client = "192.0.2.1", .wanted = "7 6 1" },
    { .client = "192.0.2.0/24", .wanted = "7 6 2 1" },
    { .client = "192.0.2.128/25", .wanted = "2" },
    { .client = "192.0.0.0/16", .wanted = "7 6 3 2 1" },
    { .client = "10.0.0.0/8", .wanted = "5" },
    { .client = "2001:db8:1::/48", .wanted = "4" },
    { .client = "2001:db8:1:2::/96", .wanted = "4" },
    { .client = "2001:db8:1:2:1::/80", .wanted = "" }, /* in the same /64, but not in it */
    { .class = "virus", .wanted = "r9 6" },
    { .virus = "worm.a", .wanted = "r9 6" },
    { .status = "delivered", .wanted = "5 2 1" },
    { .status = "bounced", .wanted = "3" },
    { .status = "queued", .wanted = "7 4" },
    { .status = "held", .wanted = "6" },
    { .status = "quarantined", .wanted = "6" },
    { .status = "deferred", .wanted = "4" },
    { .status = "rejected", .wanted = "r9 r8" },
    { .status = "discarded", .wanted = "" },
    { .status = "delivered", .address = "x@example.jp", .subject = "meeting", .wanted = "5 1" },
    { .status = "queued", .address = "x@example.jp", .wanted = "7" },
    { .status = "delivered", .class = "virus", .wanted = "" },
};

static const char *numbers_of(const struct search_result *result, struct arena *arena)
{
    struct text all = TEXT_NONE;
    for (size_t i = 0; i < result->count; i++)
        all = arena_printf(arena, "%.*s%s%s%llu", TEXT_ARG(all), i ? " " : "",
                           result->hits[i].is_refusal ? "r" : "",
                           (unsigned long long)(result->hits[i].time_ms - START_MS) / 1000);
    return all.at ? all.at : "";
}

static void library_tell(struct scratch *fixture)
{
    begin(fixture);
    for (size_t i = 0; i < sizeof library / sizeof *library; i++) tell(fixture, &library[i]);
    refuse(fixture, 8, 550, STAGE_RCPT, CLASS_NONE, "nobody@example.jp", 64);
    refuse(fixture, 9, 550, STAGE_CONTENT, CLASS_VIRUS, "x@example.jp", 128);
    commit(fixture);
    begin(fixture);
    end(fixture, 1, 0, ENDING_DELIVERED);
    end(fixture, 2, 0, ENDING_DELIVERED);
    end(fixture, 2, 1, ENDING_DELIVERED);
    end(fixture, 3, 0, ENDING_RETURNED);
    step(fixture, 4, STEP_DEFERRED, 0, 100);
    end(fixture, 5, 0, ENDING_DELIVERED);
    commit(fixture);
}

static void test_search(void **state)
{
    struct scratch *fixture = *state;
    library_tell(fixture);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
        struct network client;
        struct search_result result;
        struct search_question question = { .address = text_of(searches[i].address),
                                            .domain = text_of(searches[i].domain),
                                            .subject = text_of(searches[i].subject),
                                            .virus = text_of(searches[i].virus),
                                            .class = -1,
                                            .most = 20 };
        enum message_class class;
        if (searches[i].class) {
            assert_true(class_from_name(text_of(searches[i].class), &class));
            question.class = (int)class;
        }
        if (searches[i].status)
            assert_true(search_status_from_name(text_of(searches[i].status), &question.status));
        if (searches[i].client) {
            assert_true(network_parse(text_of(searches[i].client), &client));
            question.client = &client;
        }
        assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
        assert_int_equal(result.complaint, SEARCH_GOOD);
        if (strcmp(numbers_of(&result, fixture->arena), searches[i].wanted) != 0)
            fail_msg("search %zu (%s): found \"%s\"", i, searches[i].wanted,
                     numbers_of(&result, fixture->arena));
    }
    ledgerdb_close(ledgerdb);
}

static void test_search_is_cut_and_says_so(void **state)
{
    struct scratch *fixture = *state;
    library_tell(fixture);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct search_result result;
    struct search_question question = { .class = -1, .most = 3 };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_string_equal(numbers_of(&result, fixture->arena), "r9 r8 7");
    assert_true(result.is_cut);
    question =
        (struct search_question){ .class = -1, .most = 3, .from_ms = time_of(2), .until_ms = time_of(4) };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_string_equal(numbers_of(&result, fixture->arena), "3 2");
    assert_false(result.is_cut);
    question = (struct search_question){ .class = -1, .most = 3, .subject = TEXT(" !? ") };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.complaint, SEARCH_NO_WORDS);
    static const struct {
        const char *subject;
        bool has_lone;
    } lone[] = {
        { "\u6771", true }, { "\u6771\u4eac", false }, { "a", false }, { "\u6771\u4eac \u90fd", true }
    };
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++) {
        question = (struct search_question){ .class = -1, .most = 3, .subject = text_of(lone[i].subject) };
        assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
        assert_int_equal(result.has_lone_character, lone[i].has_lone);
    }
    ledgerdb_close(ledgerdb);
}

/* --- retention --- */

static struct count_sums balance_of(struct scratch *fixture, uint64_t since_ms)
{
    struct count_sums sums;
    enum ledgerdb_outcome outcome;
    struct count *count = count_begin(fixture->database, since_ms);
    assert_non_null(count);
    while (!count_step(count, 2, &sums, &outcome)) continue;
    assert_int_equal(outcome, LEDGERDB_DONE);
    count_end(count);
    return sums;
}

static void forget_all(struct scratch *fixture, const struct forget_limits *limits)
{
    unsigned rows = 1;
    for (int i = 0; i < 1000 && rows; i++)
        assert_int_equal(forget_some(fixture->database, limits, 2, &rows), LEDGERDB_DONE);
    assert_int_equal(rows, 0);
}

static size_t found(struct scratch *fixture, const struct search_question *question)
{
    struct search_result result;
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    assert_int_equal(search_run(ledgerdb, question, fixture->arena, &result), LEDGERDB_DONE);
    ledgerdb_close(ledgerdb);
    return result.count;
}

static void test_forgotten_rows_leave_sums_and_balance(void **state)
{
    struct scratch *fixture = *state;
    library_tell(fixture);
    struct count_sums before = balance_of(fixture, START_MS), after;
    const char *accepted = sums_of(fixture, SUM_ACCEPTED), *delivered = sums_of(fixture, SUM_DELIVERED);
    struct forget_limits limits = { .messages_ms = time_of(100),
                                    .refusals_ms = time_of(100),
                                    .balance_since_ms = START_MS };
    forget_all(fixture, &limits);
    after = balance_of(fixture, START_MS);
    assert_memory_equal(&before, &after, sizeof before);
    assert_string_equal(sums_of(fixture, SUM_ACCEPTED), accepted);
    assert_string_equal(sums_of(fixture, SUM_DELIVERED), delivered);
    /* 4, 6 and 7 have a recipient without an ending: they stay, whatever their age. */
    assert_int_equal(found(fixture, &(struct search_question){ .class = -1, .most = 20 }), 3);
    assert_int_equal(
        found(fixture,
              &(struct search_question){ .class = -1, .most = 20, .address = TEXT("tanaka@example.net") }),
        0);
    begin(fixture);
    end(fixture, 4, 0, ENDING_REMOVED);
    commit(fixture);
    forget_all(fixture, &limits);
    assert_int_equal(found(fixture, &(struct search_question){ .class = -1, .most = 20 }), 2);
    assert_int_equal(balance_of(fixture, START_MS).ended[ENDING_REMOVED], 1);
}

static void test_subjects_go_first(void **state)
{
    struct scratch *fixture = *state;
    library_tell(fixture);
    forget_all(fixture, &(struct forget_limits){ .subjects_ms = time_of(4) });
    struct search_question question = { .class = -1, .most = 20, .subject = TEXT("meeting") };
    assert_int_equal(found(fixture, &question), 1); /* the one of 5, not that of 1 */
    question = (struct search_question){ .class = -1, .most = 20, .address = TEXT("tanaka@example.net") };
    assert_int_equal(found(fixture, &question), 2);
}

/* The index is left by all of them, whether their subjects went before or not. */
static void test_messages_go_after_their_subjects(void **state)
{
    struct scratch *fixture = *state;
    enum { MAILS = 20 };
    begin(fixture);
    for (uint64_t number = 1; number <= MAILS; number++) {
        tell(fixture, &(struct mail){ .number = number,
                                      .sender = "a@example.net",
                                      .recipient = "x@example.jp",
                                      .subject = "the meeting" });
        end(fixture, number, 0, ENDING_DELIVERED);
    }
    commit(fixture);
    forget_all(fixture, &(struct forget_limits){ .subjects_ms = time_of(MAILS - 1) });
    struct search_question question = { .class = -1, .most = 50, .address = TEXT("a@example.net") };
    assert_int_equal(found(fixture, &question), MAILS);
    forget_all(fixture,
               &(struct forget_limits){ .messages_ms = time_of(MAILS), .subjects_ms = time_of(MAILS) });
    assert_int_equal(found(fixture, &question), 1);
}

static void test_days_become_months(void **state)
{
    struct scratch *fixture = *state;
    struct sum_row *rows;
    size_t count;
    begin(fixture);
    for (uint64_t day = 0; day < 60; day++)
        tell(fixture,
             &(struct mail){ .number = day * 86400, .sender = "a@example.net", .recipient = "x@example.jp" });
    commit(fixture);
    const char *accepted = sums_of(fixture, SUM_ACCEPTED);
    forget_all(fixture, &(struct forget_limits){ .days = 20261101 });
    assert_string_equal(sums_of(fixture, SUM_ACCEPTED), accepted);
    struct sum_question question = {
        .node = -1, .direction = -1, .kinds = sum_bit(SUM_ACCEPTED), .by = SUM_BY_DAY
    };
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    assert_int_equal(ledgerdb_sums(ledgerdb, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
    /* 21 September 2026, 23:13 in Tokyo, and 59 days on: two whole months, then days. */
    assert_int_equal(rows[0].day, 20260900);
    assert_int_equal(rows[0].messages, 10);
    assert_int_equal(rows[1].day, 20261000);
    assert_int_equal(rows[1].messages, 31);
    assert_int_equal(rows[2].day, 20261101);
    assert_int_equal(count, 2 + 19);
    question.from_day = 20261001;
    question.until_day = 20261031;
    question.by = SUM_BY_MONTH;
    assert_int_equal(ledgerdb_sums(ledgerdb, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].messages, 31);
    ledgerdb_close(ledgerdb);
}

/* --- a day --- */

static void test_day(void **state)
{
    struct scratch *fixture = *state;
    struct day_balance day;
    story_tell(fixture);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    assert_int_equal(day_count(ledgerdb, 20260921, &day), LEDGERDB_DONE);
    assert_true(day.is_balanced);
    assert_int_equal(day.accepted, 5);
    assert_int_equal(day.ended[ENDING_DELIVERED], 3);
    assert_int_equal(day.ended[ENDING_RETURNED], 1);
    assert_int_equal(day.held, 1);
    assert_int_equal(day.queued, 0);
    assert_int_equal(day.sums[SUM_ABORTED], 1);
    assert_int_equal(day.sums[SUM_DISCARDED], 1);
    assert_int_equal(day.sums[SUM_REFUSED_AFTER], 1);
    assert_int_equal(day_count(ledgerdb, 20260931, &day), LEDGERDB_MISSING);
    ledgerdb_close(ledgerdb);
    struct sql *sql;
    struct buffer why = { 0 };
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.db", fixture->folder);
    assert_int_equal(sql_open(path, true, &sql, &why), LEDGERDB_DONE);
    assert_int_equal(sql_run(sql, "DELETE FROM recipient WHERE number = 1"), LEDGERDB_DONE);
    sql_close(sql);
    ledgerdb = reader(fixture);
    assert_int_equal(day_count(ledgerdb, 20260921, &day), LEDGERDB_DONE);
    assert_false(day.is_balanced); /* a row that is gone is missed */
    ledgerdb_close(ledgerdb);
}

/* --- older tables --- */

static void test_from_version_1(void **state)
{
    struct scratch *fixture = *state;
    char command[1600];
    database_close(fixture->database);
    struct sql *sql = scratch_of_version(fixture->folder, 1);
    snprintf(command, sizeof command,
             "INSERT INTO message VALUES(%llu, %llu, 0, '192.0.2.1', 'mx', 'a@example.net', 900,"
             " 'action=quarantine score=7.5 virus=found name=\"Worm.B\" tests=GTUBE=5.0,X=2.5', 0);"
             "INSERT INTO recipient VALUES(%llu, 0, 'x@example.jp', %llu, 1, %llu, '2.0.0', 'r', '250');"
             "INSERT INTO message VALUES(%llu, %llu, 0, '192.0.2.2', 'mx', 'b@example.net', 900, '', 0);"
             "INSERT INTO recipient VALUES(%llu, 0, 'y@example.jp', %llu, 0, NULL, NULL, NULL, NULL);"
             "INSERT INTO refusal VALUES(%llu, 2, 64, '198.51.100.1', 'h', 'c@example.net', 'n@example.jp', "
             "'550 no')",
             (unsigned long long)id_of(1), (unsigned long long)time_of(1), (unsigned long long)id_of(1),
             (unsigned long long)time_of(1), (unsigned long long)time_of(2), (unsigned long long)id_of(2),
             (unsigned long long)time_of(2), (unsigned long long)id_of(2), (unsigned long long)time_of(2),
             (unsigned long long)time_of(3));
    assert_int_equal(sql_run(sql, command), LEDGERDB_DONE);
    sql_close(sql);
    scratch_reopen(fixture->folder, &fixture->database);
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct search_result result;
    struct search_question question = { .class = CLASS_VIRUS, .most = 5, .address = TEXT("x@example.jp") };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 1);
    assert_true(text_equal(result.hits[0].virus, TEXT("Worm.B")));
    assert_true(text_equal(result.hits[0].signals, TEXT("GTUBE=5.0,X=2.5")));
    assert_true(result.hits[0].score == 7.5);
    question = (struct search_question){ .class = -1, .most = 5, .status = STATUS_REJECTED };
    assert_int_equal(search_run(ledgerdb, &question, fixture->arena, &result), LEDGERDB_DONE);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.hits[0].time_ms, time_of(3));
    ledgerdb_close(ledgerdb);
    struct count_sums sums = balance_of(fixture, 0);
    assert_int_equal(sums.accepted, 2);
    assert_int_equal(sums.live, 1);
}

/* Sums of the one table there was become those of two; storms are found as before. */
static void test_from_version_5(void **state)
{
    struct scratch *fixture = *state;
    char command[1600];
    bool is_cut;
    struct sighting *sightings;
    struct sum_row *rows;
    size_t count;
    database_close(fixture->database);
    struct sql *sql = scratch_of_version(fixture->folder, 5);
    snprintf(command, sizeof command,
             "INSERT INTO sum VALUES(20260921, 9, 0, 0, 'example.jp', 1, '', 3, 4, 500),"
             " (20260921, 10, 0, 0, 'example.jp', 1, '', 2, 2, 100), (20260800, 9, 0, 1, '', 1, '', 7, 7, 7),"
             " (20260921, 24, 0, 0, '', 21, 'GTUBE', 5, 5, 0);"
             "INSERT INTO message(id, time, direction, client, own, class, virus)"
             " VALUES(%llu, %llu, 0, '192.0.2.1', 0, 1, 'Worm.B')",
             (unsigned long long)id_of(1), (unsigned long long)time_of(1));
    assert_int_equal(sql_run(sql, command), LEDGERDB_DONE);
    sql_close(sql);
    scratch_reopen(fixture->folder, &fixture->database);
    assert_string_equal(sums_of(fixture, SUM_ACCEPTED), " 12/13/607");
    assert_string_equal(sums_of(fixture, SUM_RULE), "GTUBE 5/5/0");
    struct ledgerdb_reader *ledgerdb = reader(fixture);
    struct sum_question question = { .node = -1, .direction = 0, .by = SUM_BY_HOUR | SUM_BY_DAY };
    assert_int_equal(ledgerdb_sums(ledgerdb, &question, fixture->arena, &rows, &count), LEDGERDB_DONE);
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].hour, 10);
    assert_int_equal(rows[1].messages, 2);
    assert_int_equal(
        ledgerdb_sightings(ledgerdb, 0, time_of(9), 10, fixture->arena, &sightings, &count, &is_cut),
        LEDGERDB_DONE);
    assert_int_equal(count, 1);
    assert_true(text_equal(sightings[0].virus, TEXT("Worm.B")));
    assert_true(text_equal(sightings[0].client, TEXT("192.0.2.1")));
    ledgerdb_close(ledgerdb);
}

/* --- readers and the log --- */

/* Asks without pause until it is killed: there is always a reader. */
static _Noreturn void read_for_ever(struct scratch *fixture)
{
    struct search_question question = { .class = -1, .most = 100, .address = TEXT("x@example.jp") };
    struct day_balance day;
    for (;;) {
        struct ledgerdb_reader *ledgerdb = reader(fixture);
        struct search_result result;
        for (int i = 0; i < 50; i++) {
            if (search_run(ledgerdb, &question, fixture->arena, &result) > LEDGERDB_LATER) _exit(1);
            if (day_count(ledgerdb, 20260921, &day) > LEDGERDB_LATER) _exit(1);
            arena_reset(fixture->arena);
        }
        ledgerdb_close(ledgerdb);
    }
}

static void test_readers_do_not_let_the_log_grow(void **state)
{
    struct scratch *fixture = *state;
    uint64_t number = 0, most = 0;
    pid_t readers[3];
    story_tell(fixture);
    for (int i = 0; i < 3; i++)
        if ((readers[i] = fork()) == 0) read_for_ever(fixture);
    for (int batch = 0; batch < 160; batch++) {
        begin(fixture);
        for (int i = 0; i < 1000; i++) {
            number++;
            tell(fixture, &(struct mail){ .number = number,
                                          .sender = "a@example.net",
                                          .recipient = "x@example.jp",
                                          .subject = "a subject of usual length, made of some words" });
            end(fixture, number, 0, ENDING_DELIVERED);
        }
        commit(fixture);
        uint64_t bytes = database_log_bytes(fixture->database);
        if (bytes > most) most = bytes;
    }
    for (int i = 0; i < 3; i++) {
        int how;
        assert_int_equal(waitpid(readers[i], &how, WNOHANG), 0); /* it read all the time */
        kill(readers[i], SIGKILL);
        waitpid(readers[i], &how, 0);
    }
    printf("log: at most %llu KiB, database %llu KiB\n", (unsigned long long)most / 1024,
           (unsigned long long)database_bytes(fixture->database) / 1024);
    assert_true(database_bytes(fixture->database) >
                (48u << 20)); /* more went through than the log may have */
    assert_true(most < (48u << 20));
}

static void count_beat(void *context)
{
    ++*(unsigned *)context;
}

/* However long a query takes, nobody takes the process for hanging. */
static void test_long_query_gives_signs_of_life(void **state)
{
    unsigned beats = 0;
    struct sql *sql;
    struct buffer why = { 0 };
    int64_t number;
    assert_int_equal(sql_open(":memory:", true, &sql, &why), LEDGERDB_DONE);
    beat_open(count_beat, &beats);
    assert_int_equal(sql_number(sql,
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
                                " SELECT count(*) FROM n",
                                &number),
                     LEDGERDB_DONE);
    beat_open(NULL, NULL);
    assert_int_equal(number, 100000);
    assert_true(beats >= 1);
    sql_close(sql);
}

/* One that comes back from those that were kept has nothing of its last use, and survives a change of the
   tables. */
static void test_statements_are_kept(void **state)
{
    struct scratch *fixture = *state;
    struct sql *sql;
    struct buffer why = { 0 };
    char path[128], text[64];
    snprintf(path, sizeof path, "%s/ledger.db", fixture->folder);
    assert_int_equal(sql_open(path, true, &sql, &why), LEDGERDB_DONE);
    static const char question[] = "SELECT ?1, (SELECT count(*) FROM mark)";
    struct sql_statement *statement = sql_prepare(sql, question);
    sql_bind_text(statement, 1, TEXT("somebody"));
    assert_int_equal(sql_step(statement), LEDGERDB_ROW);
    sql_drop(statement);
    statement = sql_prepare(sql, question);
    struct sql_statement *other = sql_prepare(sql, question);
    assert_int_equal(sql_step(statement), LEDGERDB_ROW);
    assert_true(sql_is_null(statement, 0));
    assert_int_equal(sql_step(other), LEDGERDB_ROW);
    sql_drop(other);
    sql_drop(statement);
    for (int i = 0; i < 100; i++) { /* more than are kept */
        snprintf(text, sizeof text, "SELECT %d", i);
        statement = sql_prepare(sql, text);
        assert_int_equal(sql_step(statement), LEDGERDB_ROW);
        assert_int_equal(sql_get(statement, 0), i);
        sql_drop(statement);
    }
    sql_drop(sql_prepare(sql, question));
    assert_int_equal(sql_run(sql, "DROP TABLE mark"), LEDGERDB_DONE);
    statement = sql_prepare(sql, question);
    assert_int_equal(statement ? sql_step(statement) : sql_failure(sql), LEDGERDB_DAMAGED);
    sql_drop(statement);
    sql_close(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_query_gives_signs_of_life),
        cmocka_unit_test_setup_teardown(test_sums_are_counted_once, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_any_order, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_clock, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_rolled_back_leaves_nothing, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_search, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_search_is_cut_and_says_so, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten_rows_leave_sums_and_balance, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_subjects_go_first, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_messages_go_after_their_subjects, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_days_become_months, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_statements_are_kept, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_day, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_from_version_1, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_from_version_5, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_readers_do_not_let_the_log_grow, scratch_set_up,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
