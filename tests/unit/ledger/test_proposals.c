/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* LEDGER_PROPOSE, with this test as report: whose report teaches and whose waits, the same answer to the same
   report, and what a worker that was taken over may say costs no channel. Beside it offers of receive: what
   is learned though nobody said it, in which bounds, and that a report ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "ledger/learning/automatic.h"
#include "ledger/learning/proposals.h"
#include "ledger/quarantine/ticket_release.h"

struct bench {
    char folder[64];
    struct loop *loop;
    struct ingest *ingest;
    struct quarantine *quarantine;
    struct quarantine_command_server *commands;
    struct ticket_release_server *server;
    struct learning *learning;
    struct proposals *proposals;
    struct automatic *automatic;
    struct config config;
    struct text trusted;
    int files, report;
    struct arena *arena;
};

static void stop(void *context)
{
    loop_stop(context);
}

static void turns(struct bench *bench)
{
    struct timer *timer = timer_new(bench->loop, stop, bench->loop);
    timer_set(timer, 30);
    loop_run(bench->loop);
    timer_free(timer);
}

/* A message that passed here. */
static void message_take(struct bench *bench)
{
    struct database *database = ingest_database(bench->ingest);
    const struct event_recipient recipient = { .address = TEXT("a@example.jp") };
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    struct event_accepted event = { .id = now_ms << 22,
                                    .time_ms = now_ms,
                                    .judgement = { .is_judged = true,
                                                   .subject = TEXT("An offer"),
                                                   .message_id = TEXT("<1@spam.example>"),
                                                   .author = TEXT("offer@spam.example") },
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    assert_int_equal(held_begin(database), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(database, &event, 0), LEDGERDB_DONE);
    assert_int_equal(held_commit(database), LEDGERDB_DONE);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    int ends[2];
    snprintf(bench->folder, sizeof bench->folder, "/tmp/proposals-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->files = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench->trusted = TEXT("boss@example.jp");
    bench->config.quarantine.most_bytes = 1 << 20;
    bench->config.report.learn = REPORT_LEARN_TRUSTED;
    bench->config.report.trusted = (struct text_list){ &bench->trusted, 1 };
    bench->arena = arena_new(0);
    bench->loop = loop_new();
    bench->ingest = ingest_new(bench->loop, bench->folder);
    bench->quarantine = quarantine_new(bench->loop, bench->ingest, bench->files);
    quarantine_set_config(bench->quarantine, &bench->config);
    bench->commands = quarantine_command_server_new(bench->loop, bench->ingest, bench->quarantine);
    quarantine_command_server_set_config(bench->commands, &bench->config);
    bench->server = ticket_release_server_new(bench->loop, bench->commands, bench->quarantine, bench->ingest);
    bench->learning = learning_new(bench->loop, &bench->config, NULL);
    bench->proposals = proposals_new(bench->loop, bench->ingest, bench->learning, bench->commands);
    proposals_set_config(bench->proposals, &bench->config);
    bench->automatic = automatic_new(bench->loop, bench->ingest, bench->learning, bench->commands);
    automatic_set_config(bench->automatic, &bench->config);
    ticket_release_server_set_listener(bench->server,
                                       (struct report_listener){ proposals_frame, bench->proposals });
    learning_start(bench->learning, bench->files);
    ingest_start(bench->ingest);
    message_take(bench);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    ticket_release_server_set_report(bench->server, ends[1]);
    bench->report = ends[0];
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    ticket_release_server_free(bench->server);
    proposals_free(bench->proposals);
    automatic_free(bench->automatic);
    learning_free(bench->learning);
    quarantine_command_server_free(bench->commands);
    quarantine_free(bench->quarantine);
    ingest_free(bench->ingest);
    arena_free(bench->arena);
    loop_free(bench->loop);
    close(bench->files);
    close(bench->report);
    snprintf(command, sizeof command, "rm -r %s", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

/* What a worker made of mail number `number`, or nonsense. */
static struct text lesson_of(struct bench *bench, unsigned number)
{
    uint32_t slots[10];
    struct buffer out = { 0 };
    struct lesson lesson = { .vector.slots = slots };
    for (uint32_t i = 0; i < 10; i++) slots[i] = i * 7 + number;
    lesson.vector.counts[VECTOR_TEXT] = 10;
    vector_sort(&lesson.vector);
    memset(lesson.id, (int)number, sizeof lesson.id);
    lesson_write(&lesson, &out);
    struct text bytes = arena_text(bench->arena, buffer_text(&out));
    buffer_free(&out);
    return bytes;
}

static uint64_t found; /* the message that the last answer names */

/* PROPOSED_COUNT: the channel is gone. */
static enum proposed ask(struct bench *bench, const struct lesson_proposal *proposal)
{
    static uint64_t asked;
    struct buffer payload = { 0 };
    struct frame frame;
    lesson_proposal_put(proposal, &payload);
    assert_true(channel_send_now(bench->report, LEDGER_PROPOSE, ++asked, buffer_text(&payload), NULL, 0));
    buffer_free(&payload);
    turns(bench);
    if (!channel_wait(bench->report, 1000, &frame)) return PROPOSED_COUNT;
    assert_true(frame.type == LEDGER_PROPOSED && frame.id == asked);
    struct reader reader = reader_of(frame.payload);
    enum proposed outcome = get_u8(&reader);
    found = get_u64(&reader);
    assert_true(reader_done(&reader));
    return outcome;
}

static struct lesson_proposal report_of(struct bench *bench, unsigned number, const char *reporter,
                                        const char *message_id)
{
    return (struct lesson_proposal){ .is_spam = true,
                                     .reporter = text_of(reporter),
                                     .message_id = text_of(message_id),
                                     .author = TEXT("Offers <offer@spam.example>"),
                                     .subject = TEXT("[SPAM] An offer"),
                                     .lesson = lesson_of(bench, number) };
}

enum { TURNS_MOST = 100 };

/* How many lessons are in force; a model is made beside, so it may take some turns until there are as many as
   `wanted`. */
static uint32_t taught(struct bench *bench, uint32_t wanted)
{
    struct learning_facts facts = { 0 };
    for (int i = 0; i < TURNS_MOST && (i == 0 || facts.spam + facts.ham != wanted); i++) {
        turns(bench);
        learning_look(bench->learning, &facts);
    }
    return facts.spam + facts.ham;
}

static void test_who_teaches(void **state)
{
    struct bench *bench = *state;
    static const struct {
        unsigned number;
        const char *reporter, *message_id;
        enum report_learning learn;
        enum proposed outcome;
    } rows[] = {
        { 1, "user@example.jp", "<1@spam.example>", REPORT_LEARN_OFF, PROPOSED_OFF },
        { 1, "user@example.jp", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_WAITS },
        { 1, "user@example.jp", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_WAITS },
        { 1, "boss@example.jp.example", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_WAITS },
        { 1, "boss@example.jp", "<1@spam.example>", REPORT_LEARN_ASK, PROPOSED_WAITS },
        { 2, "boss@example.jp", "<9@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_WAITS },
        { 1, "Boss@Example.JP", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_TAUGHT },
        { 1, "boss@example.jp", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_KNOWN },
        { 1, "third@example.jp", "<1@spam.example>", REPORT_LEARN_TRUSTED, PROPOSED_KNOWN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench->config.report.learn = (uint8_t)rows[i].learn;
        struct lesson_proposal report =
            report_of(bench, rows[i].number, rows[i].reporter, rows[i].message_id);
        assert_int_equal(ask(bench, &report), rows[i].outcome);
        bool is_taught = rows[i].outcome == PROPOSED_TAUGHT || rows[i].outcome == PROPOSED_KNOWN;
        assert_int_equal(taught(bench, is_taught), is_taught);
    }
    /* who says yes or no, once */
    const struct commander admin = { .user = TEXT("root") };
    struct proposals_decided decided;
    struct proposal *list;
    size_t count;
    assert_true(proposals_list(bench->proposals, bench->arena, &list, &count) && count == 1);
    const uint64_t numbers[] = { list[0].number, 1000, list[0].number };
    assert_true(proposals_decide(bench->proposals, &admin, numbers, 3, true, &decided));
    assert_true(decided.spam == 1 && decided.ham == 0 && decided.missing == 2 && taught(bench, 2) == 2);
    assert_true(proposals_list(bench->proposals, bench->arena, &list, &count) && count == 0);
    /* each is on record, with its reporter */
    int64_t records = 0;
    assert_int_equal(sql_number(database_sql(ingest_database(bench->ingest)),
                                "SELECT count(*) FROM audit WHERE act = 'learn' AND process = 'learning'"
                                " AND (user = 'root' OR user = 'Boss@Example.JP')",
                                &records),
                     LEDGERDB_DONE);
    assert_int_equal(records, 2);
}

/* Of who is trusted the last word counts, however often; of others what was decided stays. */
static void test_the_last_word(void **state)
{
    struct bench *bench = *state;
    static const struct {
        bool is_spam;
        const char *reporter;
        enum proposed outcome;
        uint32_t spam, ham;
    } rows[] = {
        { true, "boss@example.jp", PROPOSED_TAUGHT, 1, 0 },
        { false, "user@example.jp", PROPOSED_WAITS, 1, 0 },
        { false, "boss@example.jp", PROPOSED_TAUGHT, 0, 1 },
        { true, "user@example.jp", PROPOSED_DECIDED, 0, 1 },
        { true, "boss@example.jp", PROPOSED_TAUGHT, 1, 0 },
        { true, "boss@example.jp", PROPOSED_KNOWN, 1, 0 },
        { false, "user@example.jp", PROPOSED_DECIDED, 1, 0 },
        { false, "Boss@example.jp", PROPOSED_TAUGHT, 0, 1 },
    };
    int64_t records = 0;
    bench->config.report.learn = REPORT_LEARN_TRUSTED;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct learning_facts facts;
        struct lesson_proposal report = report_of(bench, 1, rows[i].reporter, "<1@spam.example>");
        report.is_spam = rows[i].is_spam;
        enum proposed outcome = ask(bench, &report);
        turns(bench);
        learning_look(bench->learning, &facts);
        if (outcome != rows[i].outcome || facts.spam != rows[i].spam || facts.ham != rows[i].ham || !found)
            fail_msg("row %zu: %d, %u spam, %u ham", i, outcome, facts.spam, facts.ham);
    }
    /* a copy of nothing that passed here stops nothing */
    struct lesson_proposal report = report_of(bench, 2, "boss@example.jp", "<9@spam.example>");
    assert_int_equal(ask(bench, &report), PROPOSED_WAITS);
    assert_int_equal(found, 0);
    /* what a trusted one stops is on record, in his name */
    assert_int_equal(sql_number(database_sql(ingest_database(bench->ingest)),
                                "SELECT count(*) FROM audit WHERE act = 'campaign' AND message IS NOT NULL"
                                " AND user LIKE 'boss@example.jp' AND about LIKE 'stop %'",
                                &records),
                     LEDGERDB_DONE);
    assert_int_equal(records, 3);
}

static void test_nonsense(void **state)
{
    struct bench *bench = *state;
    struct lesson_proposal report = report_of(bench, 1, "boss@example.jp", "<1@spam.example>");
    struct text good = report.lesson;
    const struct text lessons[] = { TEXT(""), TEXT("nonsense"), text_slice(good, 0, good.length - 1) };
    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        report.lesson = lessons[i];
        assert_int_equal(ask(bench, &report), PROPOSED_UNREAD);
    }
    report.lesson = good;
    assert_int_equal(ask(bench, &report), PROPOSED_TAUGHT);
    report.reporter = TEXT("");
    assert_int_equal(ask(bench, &report), PROPOSED_COUNT); /* this is report itself, and costs its channel */
}

/* --- what nobody said --- */

struct offered {
    unsigned number; /* of the mail */
    bool is_spam;
    unsigned network, text;
    const char *organization;
};

/* Its bands are its own but for those up to `text` % 10, which all texts have. */
static struct text event_of(struct bench *bench, const struct offered *offered)
{
    struct campaign_sketch sketch = { .bands = { 0 } };
    struct buffer bytes = { 0 }, event = { 0 };
    for (unsigned i = 0; i < CAMPAIGN_BANDS; i++)
        sketch.bands[i] = i < offered->text % 10 ? i + 1 : offered->text * 100 + i;
    campaign_sketch_put(&sketch, &bytes);
    const struct offered_lesson lesson = {
        .id = 77,
        .time_ms = 5,
        .is_spam = offered->is_spam,
        .client.bytes = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = (uint8_t)offered->network },
        .author = text_of(offered->organization),
        .organization = text_of(offered->organization),
        .sketch = buffer_text(&bytes),
        .lesson = lesson_of(bench, offered->number)
    };
    assert_true(offered_lesson_put(&lesson, &event));
    struct text out = arena_text(bench->arena, buffer_text(&event));
    buffer_free(&event);
    buffer_free(&bytes);
    return out;
}

static enum automatic_outcome offer(struct bench *bench, struct offered offered)
{
    return automatic_take(bench->automatic, event_of(bench, &offered));
}

static void days_passed(struct bench *bench, const char *domain, unsigned days)
{
    struct sql *sql = database_sql(ingest_database(bench->ingest));
    for (unsigned day = 0; day < days; day++) {
        struct sql_statement *add = sql_prepare(
            sql, "INSERT INTO partner(day, node, domain, fate, messages) VALUES(?1, 0, ?2, 1, 1)");
        sql_bind(add, 1, 20200101 + day);
        sql_bind_text(add, 2, text_of(domain));
        assert_int_equal(sql_do(add), LEDGERDB_DONE);
        sql_drop(add);
    }
}

static void automatic_on(struct bench *bench)
{
    bench->config.learn.is_automatic = true;
    bench->config.learn.most = 30;
    days_passed(bench, "known.example", 3);
    days_passed(bench, "new.example", 2);
}

static void test_who_teaches_by_itself(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(offer(bench, (struct offered){ 1, true, 1, 10, "a.example" }), AUTOMATIC_OFF);
    automatic_on(bench);
    static const struct {
        struct offered offered;
        enum automatic_outcome outcome;
    } rows[] = {
        { { 1, true, 1, 10, "a.example" }, AUTOMATIC_TAUGHT },
        { { 1, true, 1, 10, "a.example" }, AUTOMATIC_KNOWN },
        { { 2, true, 2, 10, "b.example" }, AUTOMATIC_ENOUGH }, /* the same text */
        { { 2, true, 2, 23, "b.example" }, AUTOMATIC_TAUGHT }, /* three bands are the same: another one */
        { { 3, true, 2, 34, "b.example" }, AUTOMATIC_TAUGHT },
        { { 4, true, 2, 44, "b.example" }, AUTOMATIC_ENOUGH }, /* four are */
        { { 4, true, 2, 50, "b.example" }, AUTOMATIC_TAUGHT },
        { { 5, true, 9, 60, "B.example" }, AUTOMATIC_ENOUGH }, /* a sender's fourth */
        { { 5, true, 2, 60, "c.example" }, AUTOMATIC_TAUGHT },
        { { 6, true, 2, 70, "d.example" }, AUTOMATIC_TAUGHT },
        { { 7, true, 2, 80, "e.example" }, AUTOMATIC_ENOUGH }, /* a network's sixth */
        { { 8, false, 3, 90, "known.example" }, AUTOMATIC_TAUGHT },
        { { 9, false, 4, 100, "new.example" }, AUTOMATIC_STRANGER },
        { { 9, false, 4, 100, "" }, AUTOMATIC_STRANGER },
        { { 9, false, 4, 100, "known.example" }, AUTOMATIC_TAUGHT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (offer(bench, rows[i].offered) != rows[i].outcome) fail_msg("row %zu", i);
    /* each is on record, by itself */
    int64_t records = 0;
    assert_int_equal(sql_number(database_sql(ingest_database(bench->ingest)),
                                "SELECT count(*) FROM audit WHERE act = 'learn' AND user = 'automatic'"
                                " AND message = 77 AND about LIKE 'automatic: %; --undo %'",
                                &records),
                     LEDGERDB_DONE);
    assert_int_equal(records, 8);
    assert_int_equal(automatic_take(bench->automatic, TEXT("nonsense")), AUTOMATIC_UNREAD);
    struct offered last = { 20, true, 30, 200, "z.example" };
    struct text event = event_of(bench, &last);
    for (size_t length = 0; length < event.length; length++)
        assert_int_equal(automatic_take(bench->automatic, text_slice(event, 0, length)), AUTOMATIC_UNREAD);
}

/* One class goes ahead by AUTOMATIC_AHEAD, and no day has more than `learn most`. */
static void test_both_classes_grow_alike(void **state)
{
    struct bench *bench = *state;
    unsigned taught[2] = { 0, 0 };
    char domain[20];
    automatic_on(bench);
    for (unsigned i = 1; i < 60; i++) {
        snprintf(domain, sizeof domain, "%u.example", i);
        taught[1] += offer(bench, (struct offered){ i, true, i, i * 10, domain }) == AUTOMATIC_TAUGHT;
    }
    assert_int_equal(taught[1], AUTOMATIC_AHEAD);
    for (unsigned i = 60; i < 120; i++) {
        snprintf(domain, sizeof domain, "%u.example", i);
        days_passed(bench, domain, 3);
        taught[0] += offer(bench, (struct offered){ i, false, i, i * 10, domain }) == AUTOMATIC_TAUGHT;
    }
    assert_int_equal(taught[0], bench->config.learn.most);
    for (unsigned i = 120; i < 180; i++) {
        snprintf(domain, sizeof domain, "%u.example", i);
        taught[1] += offer(bench, (struct offered){ i, true, i, i * 10, domain }) == AUTOMATIC_TAUGHT;
    }
    assert_int_equal(taught[1], bench->config.learn.most);
}

/* Any user's contrary report takes it back at once, a proposal before it keeps it from being taught. */
static void test_reports_say_otherwise(void **state)
{
    struct bench *bench = *state;
    automatic_on(bench);
    assert_int_equal(offer(bench, (struct offered){ 1, true, 1, 10, "a.example" }), AUTOMATIC_TAUGHT);
    assert_int_equal(taught(bench, 1), 1);
    struct lesson_proposal report = report_of(bench, 1, "user@example.jp", "<1@spam.example>");
    assert_int_equal(ask(bench, &report), PROPOSED_KNOWN);
    report.is_spam = false;
    assert_int_equal(ask(bench, &report), PROPOSED_WAITS);
    assert_int_equal(taught(bench, 0), 0);
    assert_int_equal(offer(bench, (struct offered){ 1, true, 1, 10, "a.example" }), AUTOMATIC_KNOWN);
    report = report_of(bench, 2, "user@example.jp", "<1@spam.example>");
    assert_int_equal(ask(bench, &report), PROPOSED_WAITS);
    assert_int_equal(offer(bench, (struct offered){ 2, true, 1, 20, "a.example" }), AUTOMATIC_KNOWN);
    int64_t records = 0;
    assert_int_equal(
        sql_number(database_sql(ingest_database(bench->ingest)),
                   "SELECT count(*) FROM audit WHERE act = 'unlearn' AND user = 'user@example.jp'", &records),
        LEDGERDB_DONE);
    assert_int_equal(records, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_teaches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nonsense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_teaches_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_classes_grow_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reports_say_otherwise, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
