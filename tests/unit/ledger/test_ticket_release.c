/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* LEDGER_REDEEM, with this test as report: every answer there is, the same one to the same mail, and nonsense
   costs the channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "ledger/quarantine/ticket_release.h"
#include "ledger/ticket_entry.h"
#include "ledgerdb/sql.h"

#define MESSAGE (UINT64_C(1795564800000) << 22)
enum { RECIPIENTS = 4 };

static const struct ticket_key key = { { 1, 2, 3 } };

struct bench {
    char folder[64];
    struct loop *loop;
    struct ingest *ingest;
    struct quarantine *quarantine;
    struct quarantine_command_server *commands;
    struct ticket_release_server *server;
    struct config config;
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

static void report_connect(struct bench *bench)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    ticket_release_server_set_report(bench->server, ends[1]);
    bench->report = ends[0];
}

/* A message of four recipients; the last one's ending has not been told yet. */
static void held_make(struct bench *bench)
{
    struct database *database = ingest_database(bench->ingest);
    struct event_recipient told[RECIPIENTS] = { 0 };
    struct recipient recipients[RECIPIENTS] = { 0 };
    struct held_recipient held[RECIPIENTS];
    enum held_class classes[RECIPIENTS];
    unsigned added;
    for (uint32_t i = 0; i < RECIPIENTS; i++) {
        told[i] = (struct event_recipient){ TEXT("a@example.jp"), ACTION_QUARANTINE, 0, HOLD_QUARANTINE };
        recipients[i].address = TEXT("a@example.jp");
        held[i] = (struct held_recipient){ i, HOLD_QUARANTINE, 0, TEXT("by verdict") };
        classes[i] = HELD_SPAM;
    }
    struct event_accepted accepted = { .id = MESSAGE,
                                       .time_ms = MESSAGE >> 22,
                                       .recipient_count = RECIPIENTS,
                                       .recipients = told,
                                       .sender = TEXT("news@shop.test") };
    struct held_offer offer = { .id = MESSAGE,
                                .length = 1000,
                                .edits_count = 1,
                                .envelope = { .sender = TEXT("news@shop.test"),
                                              .recipient_count = RECIPIENTS,
                                              .recipients = recipients },
                                .recipients = held };
    assert_int_equal(held_begin(database), LEDGERDB_DONE);
    assert_int_equal(database_store_accepted(database, &accepted, 0), LEDGERDB_DONE);
    assert_int_equal(held_store(database, &offer, classes, 400, MESSAGE >> 22, &added), LEDGERDB_DONE);
    for (uint32_t i = 0; i + 1 < RECIPIENTS; i++) {
        struct event_ended ended = {
            .id = MESSAGE, .time_ms = MESSAGE >> 22, .recipient = i, .ending = ENDING_QUARANTINED
        };
        assert_int_equal(database_store_ended(database, &ended), LEDGERDB_DONE);
    }
    assert_int_equal(held_commit(database), LEDGERDB_DONE);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/redeem-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->files = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench->config.quarantine.most_bytes = 1 << 20;
    bench->arena = arena_new(0);
    bench->loop = loop_new();
    bench->ingest = ingest_new(bench->loop, bench->folder);
    bench->quarantine = quarantine_new(bench->loop, bench->ingest, bench->files);
    quarantine_set_config(bench->quarantine, &bench->config);
    bench->commands = quarantine_command_server_new(bench->loop, bench->ingest, bench->quarantine);
    quarantine_command_server_set_key(bench->commands, &key);
    quarantine_command_server_set_config(bench->commands, &bench->config);
    bench->server = ticket_release_server_new(bench->loop, bench->commands, bench->quarantine, bench->ingest);
    ingest_start(bench->ingest);
    held_make(bench);
    report_connect(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];
    ticket_release_server_free(bench->server);
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

static enum redeemed ask_for(struct bench *bench, uint64_t mail, enum ticket_wish wish, const char *ticket,
                             uint64_t *out_release)
{
    struct buffer payload = { 0 };
    struct frame frame;
    put_text(&payload, text_of(ticket));
    put_text(&payload, TEXT("a@example.jp"));
    put_u8(&payload, (uint8_t)wish);
    assert_true(channel_send_now(bench->report, LEDGER_REDEEM, mail, buffer_text(&payload), NULL, 0));
    buffer_free(&payload);
    turns(bench);
    assert_true(channel_wait(bench->report, 1000, &frame));
    assert_int_equal(frame.type, LEDGER_REDEEMED);
    assert_int_equal(frame.id, mail);
    struct reader reader = reader_of(frame.payload);
    enum redeemed outcome = get_u8(&reader);
    *out_release = get_u64(&reader);
    assert_true(reader_done(&reader));
    return outcome;
}

static enum redeemed ask(struct bench *bench, uint64_t mail, const char *ticket, uint64_t *out_release)
{
    return ask_for(bench, mail, TICKET_RELEASE, ticket, out_release);
}

static const char *ticket_for(uint64_t message, uint32_t number, int64_t seconds_from_now,
                              char room[TICKET_SIZE])
{
    struct ticket ticket = { message, number, (uint64_t)(time(NULL) + seconds_from_now) };
    return ticket_print(&key, &ticket, room);
}

static void answers(void **state)
{
    struct bench *bench = *state;
    char room[TICKET_SIZE];
    uint64_t release, other;
    assert_int_equal(ask(bench, 1, "no ticket", &release), REDEEMED_FALSE);
    assert_int_equal(ask(bench, 2, ticket_for(MESSAGE + 1, 0, 60, room), &release), REDEEMED_GONE);
    assert_int_equal(ask(bench, 3, ticket_for(MESSAGE, 99, 60, room), &release), REDEEMED_GONE);
    assert_int_equal(ask(bench, 4, ticket_for(MESSAGE, 0, -60, room), &release), REDEEMED_OLD);
    assert_int_equal(ask(bench, 5, ticket_for(MESSAGE, RECIPIENTS - 1, 60, room), &release), REDEEMED_LATER);
    assert_int_equal(release, 0);
    assert_int_equal(ask(bench, 6, ticket_for(MESSAGE, 0, 60, room), &release), REDEEMED_DONE);
    assert_true(release != 0);
    assert_int_equal(ask(bench, 6, room, &other), REDEEMED_DONE); /* report died before it could say so */
    assert_true(other == release);
    assert_int_equal(ask(bench, 7, room, &other), REDEEMED_USED);
    assert_int_equal(ask(bench, 8, ticket_for(MESSAGE, 0, -60, room), &other), REDEEMED_USED);
    assert_int_equal(ask(bench, 9, ticket_for(MESSAGE, 1, 60, room), &other), REDEEMED_DONE);
    assert_true(other != release);
    quarantine_command_server_set_key(bench->commands, NULL);
    assert_int_equal(ask(bench, 10, room, &other), REDEEMED_FALSE);
}

/* A ticket is given for what is held; what opens it is what the class allows when it comes back. */
static void a_class_has_its_rights(void **state)
{
    static struct text helpdesk = TEXT("helpdesk"), recipients[] = { TEXT("helpdesk"), TEXT("recipients") };
    static const struct {
        enum held_class class;
        struct text_list users;
        enum redeemed wanted;
    } rows[] = { { HELD_VIRUS, { 0 }, REDEEMED_DENIED },
                 { HELD_PHISHING, { 0 }, REDEEMED_DENIED },
                 { HELD_POISON, { 0 }, REDEEMED_DENIED },
                 { HELD_SPAM, { &helpdesk, 1 }, REDEEMED_DENIED },
                 { HELD_VIRUS, { &helpdesk, 1 }, REDEEMED_DENIED },
                 { HELD_SPAM, { recipients, 2 }, REDEEMED_DONE },
                 { HELD_VIRUS, { recipients, 2 }, REDEEMED_DONE } };
    struct bench *bench = *state;
    struct sql *sql = database_sql(ingest_database(bench->ingest));
    char room[TICKET_SIZE], change[100];
    uint64_t release;
    uint32_t number = 0;
    int64_t refused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(change, sizeof change, "UPDATE held_recipient SET class = %d WHERE number = %u",
                 rows[i].class, number);
        assert_int_equal(sql_run(sql, change), LEDGERDB_DONE);
        bench->config.quarantine.release[rows[i].class] = rows[i].users;
        assert_int_equal(ask(bench, 20 + i, ticket_for(MESSAGE, number, 60, room), &release), rows[i].wanted);
        assert_int_equal(release != 0, rows[i].wanted == REDEEMED_DONE);
        if (rows[i].wanted == REDEEMED_DONE) number++;
    }
    assert_int_equal(
        sql_number(sql, "SELECT count(*) FROM audit WHERE about LIKE 'refused: no ticket%'", &refused),
        LEDGERDB_DONE);
    assert_int_equal(refused, 5);
}

static void who_and_what_is_recorded(void **state)
{
    struct bench *bench = *state;
    char room[TICKET_SIZE];
    uint64_t release;
    struct held_rows rows;
    ask(bench, 6, ticket_for(MESSAGE, 2, 60, room), &release);
    struct sql *sql = database_sql(ingest_database(bench->ingest));
    assert_int_equal(held_of_message(sql, bench->arena, MESSAGE, &rows), LEDGERDB_DONE);
    assert_int_equal(rows.count, RECIPIENTS);
    assert_int_equal(rows.items[2].state, HELD_RELEASING);
    assert_true(
        text_starts(rows.items[2].by, TEXT("release by a@example.jp with a ticket, mail 0000000000006")));
    assert_int_equal(rows.items[0].state, HELD_KEPT);
    int64_t looks;
    assert_int_equal(sql_number(sql, "SELECT count(*) FROM audit WHERE user = 'a@example.jp'", &looks),
                     LEDGERDB_DONE);
    assert_int_equal(looks, 1);
}

/* Entries for himself: as far as the ticket goes, the configuration lets users, and there is room. */
static void what_a_user_says_of_a_sender(void **state)
{
    struct bench *bench = *state;
    char room[TICKET_SIZE], old[TICKET_SIZE];
    uint64_t release = 0;
    struct sender_entries *entries = sender_entries_new(NULL);
    ticket_for(MESSAGE, 0, 60, room);
    ticket_for(MESSAGE, 0, -60, old);
    sender_entries_start(entries, bench->files, 0);
    assert_int_equal(ask_for(bench, 1, TICKET_BLOCK, room, &release), REDEEMED_NO_WISH);
    ticket_release_server_set_entries(bench->server, entries);
    ticket_release_server_set_config(bench->server, &bench->config);
    assert_int_equal(ask_for(bench, 2, TICKET_BLOCK, room, &release),
                     REDEEMED_NO_WISH); /* digest senders off */
    bench->config.digest.senders = true;
    assert_int_equal(ask_for(bench, 3, TICKET_BLOCK, old, &release), REDEEMED_OLD);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask_for(bench, 4, TICKET_BLOCK, room, &release), REDEEMED_ENTERED);
    const struct kept_entry *kept = sender_entries_nth(entries, 0);
    assert_true(sender_entries_count(entries) == 1 && kept->entry.is_users &&
                kept->entry.verb == ENTRY_BLOCK && text_equal(kept->entry.what, TEXT("news@shop.test")) &&
                text_equal(kept->entry.to, TEXT("a@example.jp")));
    /* From before the envelope, a domain in Unicode as A-labels; whom no entry can name is nobody. */
    struct held_row row = { .sender = TEXT("x@y.test"),
                            .author = TEXT("N <A@\u65e5\u672c.test>"),
                            .address = TEXT("B@example.jp") };
    struct kept_entry made;
    assert_true(ticket_entry_of(bench->arena, &row, ENTRY_ALLOW, &made) &&
                text_equal(made.entry.what, TEXT("a@xn--wgv71a.test")) &&
                text_equal(made.entry.to, TEXT("b@example.jp")));
    row.author = TEXT("nobody");
    assert_true(ticket_entry_of(bench->arena, &row, ENTRY_ALLOW, &made) &&
                text_equal(made.entry.what, TEXT("x@y.test")));
    row.sender = TEXT_NONE;
    assert_false(ticket_entry_of(bench->arena, &row, ENTRY_ALLOW, &made));
    assert_int_equal(ask_for(bench, 5, TICKET_APPROVE, room, &release), REDEEMED_NO_WISH);
    struct kept_entry more = *kept;
    for (int i = 1; i < TICKET_ENTRIES_OF_ONE_MOST; i++) {
        more.entry.what = arena_printf(bench->arena, "n%d@shop.test", i);
        assert_int_equal(ticket_entry_make(entries, &more), TICKET_ENTRY_DONE);
    }
    more.entry.what = TEXT("one@more.test");
    assert_int_equal(ticket_entry_make(entries, &more), TICKET_ENTRY_FULL);
    /* The contrary takes the other one's place, and the message comes; asked again it is the same. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_for(bench, 6, TICKET_ALLOW, room, &release), REDEEMED_DONE);
        assert_true(release != 0 && sender_entries_count(entries) == TICKET_ENTRIES_OF_ONE_MOST);
    }
    ticket_release_server_set_entries(bench->server, NULL);
    sender_entries_free(entries);
}

static void nonsense_costs_the_channel(void **state)
{
    static const struct {
        uint16_t type;
        struct text payload;
    } rows[] = { { LEDGER_REDEEM, TEXT("") },
                 { LEDGER_REDEEM, TEXT("\x01\0\0\0x\x09\0\0\0x") },
                 { LEDGER_REDEEM, TEXT("\0\0\0\0\0\0\0\0more") },
                 { LEDGER_REDEEM, TEXT("\0\0\0\0\0\0\0\0\x04") }, /* no such wish */
                 { LEDGER_HELD, TEXT("\0\0\0\0\0\0\0\0") } };
    struct bench *bench = *state;
    struct frame frame;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(channel_send_now(bench->report, rows[i].type, 1, rows[i].payload, NULL, 0));
        turns(bench);
        assert_false(channel_wait(bench->report, 1000, &frame));
        close(bench->report);
        report_connect(bench);
    }
    char room[TICKET_SIZE];
    uint64_t release;
    assert_int_equal(ask(bench, 6, ticket_for(MESSAGE, 0, 60, room), &release), REDEEMED_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_class_has_its_rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_and_what_is_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_user_says_of_a_sender, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_costs_the_channel, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
