/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What this process remembers in its folders: when reports are due, when alarms are raised, what changed, and
 * when certificates end. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../config_text.h"
#include "base/buffer.h"
#include "report/alarm.h"
#include "report/daily/accounts.h"
#include "report/daily/changes.h"
#include "report/daily/nightly.h"
#include "report/expiry.h"
#include "report/missed/attempts.h"
#include "report/missed/missed_store.h"
#include "report/state_file.h"

static int scratch(char path[32])
{
    strcpy(path, "/tmp/report-watch.XXXXXX");
    assert_non_null(mkdtemp(path));
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(folder >= 0);
    return folder;
}

static void scratch_end(int folder, const char *path)
{
    static const char *const names[] = {
        "nightly", "alarms", "changes", "configuration", "accounts", "errand"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlinkat(folder, names[i], 0);
    close(folder);
    assert_int_equal(rmdir(path), 0);
}

static void reports_are_due_in_time(void **state)
{
    enum { THREE = 1795575600 }; /* 2026-11-25 03:00 UTC */
    assert_int_equal(nightly_due(THREE - 60, 180), 20261123);
    assert_int_equal(nightly_due(THREE, 180), 20261124);
    static const struct {
        uint32_t done, due, next;
    } rows[] = {
        { 20261123, 20261123, 0 },        { 20261124, 20261123, 0 }, /* a clock that stepped back */
        { 20261122, 20261123, 20261123 }, { 20261121, 20261123, 20261122 },
        { 20261001, 20261123, 20261117 }, /* seven days are made up for */
        { 20261231, 20270101, 20270101 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(nightly_next(&(struct nightly){ .done_day = rows[i].done }, rows[i].due),
                         rows[i].next);
}

static void what_was_sent_is_remembered(void **state)
{
    char path[32];
    int folder = scratch(path);
    struct nightly before = { 20261123, 20261124, UINT64_C(7538241923473408000) }, after;
    nightly_read(folder, &after);
    assert_int_equal(after.done_day, 0);
    assert_true(nightly_write(folder, &before));
    nightly_read(folder, &after);
    assert_int_equal(after.done_day, before.done_day);
    assert_int_equal(after.offered_day, before.offered_day);
    assert_true(after.offered_id == before.offered_id);
    assert_true(state_file_write(folder, "nightly", TEXT("garbage\n")));
    nightly_read(folder, &after);
    assert_int_equal(after.done_day, 0);
    scratch_end(folder, path);
}

/* A story a row, one look a minute: '!' bad, '.' good, '?' unknown; and what is told: Raised, Over. */
static void alarms_are_damped(void **state)
{
    static const struct {
        const char *looks, *news;
    } rows[] = {
        { "!.!.!.", "      " },         /* a moment's trouble */
        { "!!!!!!", " R    " },         /* once */
        { "!!.....", " R    O" },       /* and over */
        { "!!.....!!!", " R    O   " }, /* and not again at once */
        { "!?!", "  R" },               /* unknown is no look */
        { "??????", "      " },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct alarm alarm = { 0 };
        for (size_t n = 0; rows[i].looks[n]; n++) {
            char look = rows[i].looks[n];
            enum fact_state fact = look == '!' ? FACT_BAD : look == '.' ? FACT_GOOD : FACT_UNKNOWN;
            assert_int_equal(" RLO"[alarm_look(&alarm, fact, 1000000 + n * 60000)], rows[i].news[n]);
        }
    }
}

static void a_lasting_alarm_is_repeated_daily(void **state)
{
    struct alarm alarm = { 0 };
    unsigned told = 0;
    for (uint64_t minute = 0; minute < 3 * 24 * 60; minute++)
        told += alarm_look(&alarm, FACT_BAD, 1000000 + minute * 60000) != ALARM_NOTHING;
    assert_int_equal(told, 3);
}

/* The count of one kind, night by night: the journal before and after the ledger, and what is found apart. */
static void lost_events_are_found_at_night(void **state)
{
    static const struct {
        int64_t before, ledger, after, apart, node;
    } nights[] = {
        { 100, 90, 100, 0 },                               /* the ledger is younger by 10 */
        { 200, 190, 200, 0 },                              /* quiet */
        { 290, 285, 300, 0 },                              /* busy: 280 to 290 are right */
        { 400, 385, 400, 5 },                              /* five were lost */
        { 500, 485, 500, 0 },                              /* told once */
        { 600, 590, 600, -5 },                             /* five too many */
        { 700, 690, 700, 0 },                              /* and told once */
        { 800, 0, 800, 790 },                              /* a new ledger */
        { 1000, 205, 1010, 0 },                            /* busy: 200 to 210 are right */
        { 1010, 210, 1010, 0 },                            /* all of them */
        { 1020, 219, 1020, 1 },   { 1020, 5, 1020, 0, 3 }, /* it has a number now, and sums of its own */
        { 1030, 12, 1030, 3, 3 },
    };
    char path[32];
    int folder = scratch(path);
    struct accounts accounts;
    for (size_t night = 0; night < sizeof nights / sizeof *nights; night++) {
        int64_t before[ACCOUNT_COUNT] = { 0 }, ledger[ACCOUNT_COUNT] = { 0 }, after[ACCOUNT_COUNT] = { 0 };
        struct account_line lines[ACCOUNT_COUNT];
        before[ACCOUNT_RETURNED] = nights[night].before;
        ledger[ACCOUNT_RETURNED] = nights[night].ledger;
        after[ACCOUNT_RETURNED] = nights[night].after;
        accounts_read(folder, &accounts);
        assert_int_equal(accounts.time_ms, night);
        accounts_close(&accounts, nights[night].node, night + 1, before, ledger, after, lines);
        if (lines[ACCOUNT_RETURNED].apart != nights[night].apart)
            fail_msg("night %zu: %lld", night, (long long)lines[ACCOUNT_RETURNED].apart);
        assert_int_equal(lines[ACCOUNT_DELIVERED].apart, 0);
        assert_true(accounts_write(folder, &accounts));
    }
    assert_true(state_file_write(folder, "accounts", TEXT("7 1 2 3\n")));
    accounts_read(folder, &accounts);
    assert_int_equal(accounts.time_ms, 0);
    scratch_end(folder, path);
}

static void alarms_survive_a_restart(void **state)
{
    char path[32];
    int folder = scratch(path);
    struct alarm alarms[FACT_COUNT] = { 0 }, after[FACT_COUNT] = { 0 };
    alarms[FACT_HELD] = (struct alarm){ .is_raised = true, .told_ms = 1234567 };
    alarms[FACT_DISK] = (struct alarm){ .is_raised = false, .told_ms = 99 };
    alarms_write(folder, alarms);
    alarms_read(folder, after);
    for (int i = 0; i < FACT_COUNT; i++) {
        assert_int_equal(after[i].is_raised, alarms[i].is_raised);
        assert_true(after[i].told_ms == alarms[i].told_ms);
    }
    assert_int_equal(alarm_look(&after[FACT_HELD], FACT_BAD, 2000000), ALARM_NOTHING);
    scratch_end(folder, path);
}

/* A story a row: mails that lives begin. A small letter: this life ends over it; a capital: it is outlived.
 */
static void mails_that_end_lives_are_known(void **state)
{
    static const struct {
        const char *mails, *before;
    } rows[] = {
        { "aaaa", "0123" },
        { "ababababa", "001122333" }, /* two of them, in turn */
        { "aaabbbaXYb", "012012300"
                        "3" },
        { "aABa", "0100" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZA", "000000000000000000000000000" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[32];
        int folder = scratch(path);
        uint64_t outlived = 0, before;
        for (size_t k = 0; rows[i].mails[k]; k++) {
            char mail = rows[i].mails[k];
            uint64_t id = (uint64_t)mail | 0x20;
            assert_true(attempts_begin(folder, id, outlived, &before));
            if (before != (uint64_t)(rows[i].before[k] - '0'))
                fail_msg("row %zu, mail %zu: %u lives before", i, k, (unsigned)before);
            outlived = mail < 'a' ? id : 0;
        }
        scratch_end(folder, path);
    }
}

static void file_make(int folder, const char *name, size_t bytes, time_t when)
{
    static const char content[16384];
    int fd = openat(folder, name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, content, bytes), bytes);
    struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static bool is_file(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, 0) == 0;
}

static void the_oldest_of_what_was_told_goes(void **state)
{
    char path[32];
    int folder = scratch(path);
    file_make(folder, "young", 1, 3000);
    file_make(folder, "old", 16384, 1000);
    file_make(folder, "between", 16384, 2000);
    uint64_t all = missed_store_clear(folder, UINT64_MAX);
    assert_true(all >= 2 * 16384 + 1 && is_file(folder, "old"));
    assert_true(missed_store_clear(folder, all) == all && is_file(folder, "old"));
    uint64_t left = missed_store_clear(folder, all - 1);
    assert_true(left < all && left >= 16385);
    assert_false(is_file(folder, "old"));
    assert_true(is_file(folder, "between") && is_file(folder, "young"));
    assert_int_equal(missed_store_clear(folder, 0), 0);
    assert_false(is_file(folder, "between") || is_file(folder, "young"));
    scratch_end(folder, path);
}

static void not_all_goes_at_once(void **state)
{
    char path[32], name[16];
    int folder = scratch(path), left = 0;
    for (int i = 0; i < MISSED_STORE_A_LOOK + 10; i++) {
        snprintf(name, sizeof name, "%d", i);
        int fd = openat(folder, name, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "x", 1), 1);
        close(fd);
    }
    assert_true(missed_store_clear(folder, 0) > 0);
    for (int i = 0; i < MISSED_STORE_A_LOOK + 10; i++) {
        snprintf(name, sizeof name, "%d", i);
        left += is_file(folder, name);
    }
    assert_int_equal(left, 10);
    assert_int_equal(missed_store_clear(folder, 0), 0);
    scratch_end(folder, path);
}

static void change_gather(void *context, uint64_t time_ms, struct text change)
{
    struct buffer *found = context;
    buffer_printf(found, "%llu%.*s\n", (unsigned long long)time_ms, TEXT_ARG(change));
}

#define NODE "hostname mx.example.jp\nlisten 127.0.0.1:25\ndomains example.jp 10.1.0.25\n"

/* What somebody wrote or took away, and what stood in its place; not the defaults of a new block, nor what
   was only moved. */
static void changes_are_those_of_a_hand(void **state)
{
    static const struct {
        const char *content, *changes;
    } rows[] = {
        { NODE, "" }, /* the first one ever */
        { "spam { tag above 5.5 }\n" NODE, "1- spam tag above 6.8\n1+ spam tag above 5.5\n" },
        { NODE "spam { tag above 5.5 }\n", "" },
        { NODE "spam { tag above 5.5 }\nlist spamhaus-zen { points 3 }\n",
          "3+ list spamhaus-zen\n3+ list spamhaus-zen points 3\n" },
        { NODE "list spamhaus-zen { points 3; action tag }\n",
          "4- list spamhaus-zen action points\n4+ list spamhaus-zen action tag\n"
          "4- spam tag above 5.5\n4+ spam tag above 6.8\n" },
        { NODE, "5- list spamhaus-zen\n5- list spamhaus-zen action tag\n5- list spamhaus-zen points 3\n" },
    };
    char path[32];
    int folder = scratch(path);
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer found = { 0 };
        struct config *config = config_of_text(text_of(rows[i].content), false);
        changes_note(folder, config, i);
        changes_list(folder, i, i + 1, change_gather, &found);
        buffer_add_char(&found, '\0');
        assert_string_equal(buffer_text(&found).at, rows[i].changes);
        buffer_free(&found);
        config_free(config);
    }
    scratch_end(folder, path);
}

/* What an older version kept is no statement: it is replaced, and nothing is said. */
static void another_form_is_replaced(void **state)
{
    char path[32];
    int folder = scratch(path);
    struct buffer found = { 0 };
    struct config *config = config_of_text(TEXT(NODE), false);
    state_file_write(folder, "configuration", TEXT("spam tag above 6.8\n"));
    changes_note(folder, config, 1);
    config_free(config);
    config = config_of_text(TEXT(NODE "spam { tag above 5.5 }\n"), false);
    changes_note(folder, config, 2);
    config_free(config);
    changes_list(folder, 0, 3, change_gather, &found);
    assert_true(text_starts(buffer_text(&found), TEXT("2- spam tag above 6.8\n2+")));
    buffer_free(&found);
    scratch_end(folder, path);
}

static void bad_certificates_have_no_end(void **state)
{
    int64_t ends;
    assert_false(expiry_of(TEXT(""), &ends));
    assert_false(expiry_of(TEXT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &ends));
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_due_in_time),
        cmocka_unit_test(what_was_sent_is_remembered),
        cmocka_unit_test(alarms_are_damped),
        cmocka_unit_test(a_lasting_alarm_is_repeated_daily),
        cmocka_unit_test(lost_events_are_found_at_night),
        cmocka_unit_test(alarms_survive_a_restart),
        cmocka_unit_test(mails_that_end_lives_are_known),
        cmocka_unit_test(the_oldest_of_what_was_told_goes),
        cmocka_unit_test(not_all_goes_at_once),
        cmocka_unit_test(changes_are_those_of_a_hand),
        cmocka_unit_test(another_form_is_replaced),
        cmocka_unit_test(bad_certificates_have_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
