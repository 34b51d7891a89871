/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what became of mail for which lists and impostors spoke is counted once, with refusals before the
   content; and a list that was put aside is told with how long it lasted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../ledgerdb/scratch.h"
#include "ipc/ask_queue.h"
#include "judge/list_absence.h"
#include "ledgerdb/absences.h"
#include "statistics/absence_table.h"
#include "statistics/list_words.h"
#include "statistics/rankings.h"
#include "statistics/signal_table.h"

#define START_MS UINT64_C(1790000000000) /* 2026-09-21 23:13:20 in Japan */
enum { DAY = 20260921, MINUTE_MS = 60000 };

struct fixture {
    char folder[SCRATCH_FOLDER_BYTES];
    struct database *database;
    struct ledgerdb_reader *reader;
    struct arena *arena;
    uint64_t serial;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct buffer why = { 0 };
    scratch_open(fixture->folder, &fixture->database);
    assert_int_equal(ledgerdb_open(fixture->folder, &fixture->reader, &why), LEDGERDB_DONE);
    assert_int_equal(database_begin(fixture->database), LEDGERDB_DONE);
    fixture->arena = arena_new(0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ledgerdb_close(fixture->reader);
    scratch_close(fixture->folder, fixture->database);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static void commit(struct fixture *fixture)
{
    assert_int_equal(database_commit(fixture->database), LEDGERDB_DONE);
}

/* --- what became of it --- */

static const struct event_signal listed[] = { { TEXT("LIST_PARTNER"), 4 }, { TEXT("GTUBE"), 5 } };
static const struct event_signal pretended[] = { { TEXT("IMPOSTOR_PERSON"), 3.5 },
                                                 { TEXT("LIST_PARTNER"), 4 } };

/* Two recipients, told twice. */
static void take(struct fixture *fixture, uint64_t number, const struct event_signal *signals, uint8_t first,
                 uint8_t second, uint8_t hold)
{
    const struct event_recipient recipients[] = { { TEXT("a@example.jp"), first, 0, 0 },
                                                  { TEXT("b@example.jp"), second, 0, hold } };
    const struct event_accepted event = {
        .id = (START_MS + number) << 22,
        .time_ms = START_MS + number,
        .judgement = { .is_judged = true, .class = CLASS_SPAM, .signal_count = 2, .signals = signals },
        .recipient_count = 2,
        .recipients = recipients
    };
    for (int i = 0; i < 2; i++)
        assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
}

static void refuse(struct fixture *fixture, uint16_t code, enum event_stage stage, const char *cause,
                   uint32_t count, const struct event_signal *signals)
{
    const struct event_refused event = {
        .time_ms = START_MS,
        .serial = START_MS << 22 | ++fixture->serial,
        .code = code,
        .stage = (uint8_t)stage,
        .is_message = stage == STAGE_CONTENT,
        .count = count,
        .recipient = TEXT("a@example.jp"),
        .cause = text_of(cause),
        .judgement = { .is_judged = signals != NULL, .signal_count = signals ? 2 : 0, .signals = signals }
    };
    for (int i = 0; i < 2; i++)
        assert_int_equal(database_store_refused(fixture->database, &event, 0, 0), LEDGERDB_DONE);
}

static void table_is(struct fixture *fixture, enum statistics_by by, unsigned top, const char *wanted)
{
    struct sheet *sheets[STATISTICS_SHEETS];
    struct buffer out = { 0 };
    size_t count;
    const struct statistics_wish wish = {
        .from_day = DAY, .until_day = DAY, .direction = -1, .by = by, .top = top
    };
    assert_int_equal(statistics_make(fixture->reader, &wish, fixture->arena, sheets, &count), LEDGERDB_DONE);
    assert_int_equal(count, 1);
    for (const struct sheet_row *row = sheets[0]->rows; row; row = row->next) {
        buffer_add_text(&out, row->cells[0].text);
        for (size_t i = 1; i < sheets[0]->column_count; i++) buffer_printf(&out, " %g", row->cells[i].number);
        buffer_add_text(&out, TEXT("\n"));
    }
    buffer_add_char(&out, '\0');
    assert_string_equal(buffer_text(&out).at, wanted);
    buffer_free(&out);
}

static void messages_by_signal(void **state)
{
    struct fixture *fixture = *state;
    take(fixture, 1, listed, ACTION_ACCEPT, ACTION_ACCEPT, HOLD_NONE);
    take(fixture, 2, listed, ACTION_ACCEPT, ACTION_TAG, HOLD_NONE);
    take(fixture, 3, pretended, ACTION_TAG, ACTION_QUARANTINE, HOLD_QUARANTINE);
    refuse(fixture, 550, STAGE_CONTENT, NULL, 1, pretended);
    refuse(fixture, 451, STAGE_CONTENT, NULL, 1, listed);
    refuse(fixture, 554, STAGE_RCPT, "LIST_PARTNER", 30, NULL);
    refuse(fixture, 554, STAGE_RCPT, "LIST_OTHER", 1, NULL);
    refuse(fixture, 451, STAGE_RCPT, "GREYLISTED", 2, NULL);
    refuse(fixture, 550, STAGE_RCPT, NULL, 1, NULL); /* nobody by that name here */
    refuse(fixture, 550, STAGE_RCPT, "SOMETHING", 1, NULL);
    commit(fixture);
    /* messages, tagged, held, refused, put off; at RCPT refused, put off */
    table_is(fixture, STATISTICS_BY_LIST, 0, "LIST_PARTNER 5 1 1 1 1 30 0\nLIST_OTHER 0 0 0 0 0 1 0\n");
    table_is(fixture, STATISTICS_BY_LIST, 1, "LIST_PARTNER 5 1 1 1 1 30 0\nEtc. 0 0 0 0 0 1 0\n");
    table_is(fixture, STATISTICS_BY_IMPOSTOR, 0, "IMPOSTOR_PERSON 2 0 1 1 0 0 0\n");
    table_is(fixture, STATISTICS_BY_BEHAVIOUR, 0, "GREYLISTED 0 0 0 0 0 0 2\n");
}

static void senders_inside(void **state)
{
    static const struct event_signal held[] = { { TEXT("GTUBE"), 5 }, { TEXT("INSIDE_HELD"), 0 } };
    static const struct event_signal other[] = { { TEXT("INSIDE_HELD_NOT"), 5 }, { TEXT("GTUBE"), 0 } };
    static const struct {
        const char *sender;
        const struct event_signal *signals;
        uint8_t direction;
    } rows[] = { { "stolen@example.jp", held, DIRECTION_OUT },
                 { "stolen@example.jp", held, DIRECTION_OUT },
                 { "good@example.jp", other, DIRECTION_OUT },
                 { "x@foreign.test", held, DIRECTION_IN } };
    struct fixture *fixture = *state;
    const struct event_recipient recipient = { TEXT("a@other.test"), 0, 0, HOLD_QUARANTINE };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct event_accepted event = {
            .id = (START_MS + i) << 22,
            .time_ms = START_MS + i,
            .direction = rows[i].direction,
            .sender = text_of(rows[i].sender),
            .judgement = { .is_judged = true, .signal_count = 2, .signals = rows[i].signals },
            .recipient_count = 1,
            .recipients = &recipient
        };
        assert_int_equal(database_store_accepted(fixture->database, &event, 0), LEDGERDB_DONE);
    }
    commit(fixture);
    struct sheet *sheet;
    const struct rankings_wish wish = { DAY, DAY, 10 };
    assert_int_equal(rankings_make(fixture->reader, RANKING_INSIDE_HELD, &wish, fixture->arena, &sheet),
                     LEDGERDB_DONE);
    assert_int_equal(sheet->row_count, 1);
    assert_true(text_equal(sheet->rows->cells[0].text, TEXT("stolen@example.jp")));
    assert_true(sheet->rows->cells[1].number == 2);
}

/* --- lists that were put aside --- */

static void list_tell(struct fixture *fixture, uint64_t minute, enum list_absence_act act, const char *name)
{
    struct buffer about = { 0 };
    uint64_t time_ms = START_MS + minute * MINUTE_MS;
    list_absence_put(act, text_of(name), TEXT("does not answer"), &about);
    const struct event_audit event = { .time_ms = time_ms,
                                       .serial = time_ms << 22 | ++fixture->serial,
                                       .process = TEXT("lookup"),
                                       .act = TEXT(LIST_ABSENCE_ACT),
                                       .about = buffer_text(&about) };
    assert_int_equal(database_store_audit(fixture->database, &event, 0, 0), LEDGERDB_DONE);
    buffer_free(&about);
}

static const char *absences_of(struct fixture *fixture, uint64_t from_minute, uint64_t until_minute)
{
    struct absence *rows;
    struct text all = TEXT("");
    size_t count;
    assert_int_equal(absences_read(fixture->reader, START_MS + from_minute * MINUTE_MS,
                                   START_MS + until_minute * MINUTE_MS, START_MS + 1000 * MINUTE_MS,
                                   fixture->arena, &rows, &count),
                     LEDGERDB_DONE);
    for (size_t i = 0; i < count; i++)
        all = arena_printf(fixture->arena, "%.*s%.*s %u times %llu minutes%s\n", TEXT_ARG(all),
                           TEXT_ARG(rows[i].list), rows[i].times,
                           (unsigned long long)rows[i].lasted_ms / MINUTE_MS,
                           rows[i].until_ms ? "" : ", goes on");
    return arena_printf(fixture->arena, "%.*s", TEXT_ARG(all)).at;
}

static void lists_aside(void **state)
{
    struct fixture *fixture = *state;
    list_tell(fixture, 0, LIST_ABSENCE_ALL_END, "");
    list_tell(fixture, 10, LIST_ABSENCE_BEGINS, "zone-a");
    list_tell(fixture, 15, LIST_ABSENCE_BEGINS, "zone-b");
    list_tell(fixture, 20, LIST_ABSENCE_ENDS, "zone-a");
    list_tell(fixture, 40, LIST_ABSENCE_BEGINS, "zone-a");
    list_tell(fixture, 50, LIST_ABSENCE_ALL_END, ""); /* lookup was started anew */
    list_tell(fixture, 51, LIST_ABSENCE_BEGINS, "zone-a");
    list_tell(fixture, 52, LIST_ABSENCE_ENDS, "unknown");
    commit(fixture);
    assert_string_equal(absences_of(fixture, 0, 60),
                        "zone-a 3 times 29 minutes, goes on\nzone-b 1 times 35 minutes\n");
    assert_string_equal(absences_of(fixture, 16, 18), "zone-a 1 times 2 minutes, goes on\n"
                                                      "zone-b 1 times 2 minutes, goes on\n");
    assert_string_equal(absences_of(fixture, 0, 5), "");
}

static void absences_are_a_table(void **state)
{
    struct fixture *fixture = *state;
    struct sheet *sheet;
    struct buffer out = { 0 };
    list_tell(fixture, 10, LIST_ABSENCE_BEGINS, "zone-a");
    list_tell(fixture, 20, LIST_ABSENCE_ENDS, "zone-a");
    commit(fixture);
    assert_int_equal(absence_table(fixture->reader, START_MS, START_MS + 60 * MINUTE_MS,
                                   START_MS + 60 * MINUTE_MS, LANGUAGE_EN, fixture->arena, &sheet),
                     LEDGERDB_DONE);
    sheet_print_csv(sheet, &out);
    struct text line, rest = buffer_text(&out);
    assert_true(text_next_line(&rest, &line) && text_next_line(&rest, &line));
    assert_true(text_starts(line, TEXT("\"zone-a\",1,10,")));
    assert_true(text_find(line, TEXT("23:23")) < line.length && text_find(line, TEXT("23:33")) < line.length);
    assert_true(text_find(line, TEXT(",\"does not answer\",")) < line.length);
    buffer_free(&out);
}

/* Why a list is aside, in Japanese; what has no words there stays as it is. */
static void why_in_japanese(void **state)
{
    static const char *const rows[][2] = {
        { "does not answer", "応答がありません" },
        { "refuses to answer this node, or another answers for it (127.0.0.1)",
          "このノードへの回答を拒むか、別のサーバーが代わりに答えています (127.0.0.1)" },
        { "has a file that was refused: /l:3: \"a b\" is no domain name",
          "ファイルが拒否されました: /l:3: \"a b\" はドメイン名ではありません" },
        { "has a file that was refused: /l: cannot be read: the log of master says why",
          "ファイルが拒否されました: /l: 読めません。理由は master のログにあります" },
        { "has a file that was refused: /l:9: more than 5 lines",
          "ファイルが拒否されました: /l:9: more than 5 lines" },
        { "says \"a\" and more", "says \"a\" and more" },
        { "is mad (127.0.0.1)", "is mad (127.0.0.1)" },
        { "is: ", "is: " },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        list_words_add(&out, LANGUAGE_JA, text_of(rows[i][0]));
        list_words_add(&out, LANGUAGE_EN, text_of(rows[i][0]));
        char *both = memory_string(buffer_text(&out));
        size_t length = strlen(rows[i][1]);
        assert_int_equal(strncmp(both, rows[i][1], length), 0);
        assert_string_equal(both + length, rows[i][0]);
        free(both);
        buffer_free(&out);
    }
}

static void words_of_absences(void **state)
{
    static const char *const wrong[] = { "", " is in force", "zone", "zone is asid", "zone is in forces" };
    enum list_absence_act act;
    struct text name, why;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(list_absence_get(text_of(wrong[i]), &act, &name, &why));
    assert_true(list_absence_get(TEXT("zone is aside: it is mad"), &act, &name, &why));
    assert_int_equal(act, LIST_ABSENCE_BEGINS);
    assert_true(text_equal(name, TEXT("zone")) && text_equal(why, TEXT("it is mad")));
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST_OF(messages_by_signal),
                                        TEST_OF(senders_inside),
                                        TEST_OF(lists_aside),
                                        TEST_OF(absences_are_a_table),
                                        cmocka_unit_test(words_of_absences),
                                        cmocka_unit_test(why_in_japanese) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
