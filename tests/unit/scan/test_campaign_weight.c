/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What it weighs that a message belongs to a campaign: a row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "config_text.h"
#include "scan/campaign_weight.h"

#define NOON UINT64_C(1796040000000) /* 2026-11-30 12:00:00 in UTC */

static struct arena *arena;

static int open_all(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    arena = arena_new(0);
    return 0;
}

static int close_all(void **state)
{
    arena_free(arena);
    return 0;
}

static const struct row {
    const char *name;
    struct campaign_answer answer; /* its id and time are filled in */
    enum campaign_standing standing;
    const char *signal; /* "": none */
    double points;
    const char *about;
} rows[] = {
    { "few networks",
      { .count = 900, .networks = 4, .senders = 9, .recipients = 900 },
      CAMPAIGN_COUNTS,
      "",
      0,
      "" },
    { "few recipients",
      { .count = 9, .networks = 9, .senders = 9, .recipients = 4 },
      CAMPAIGN_COUNTS,
      "",
      0,
      "" },
    { "wide",
      { .count = 312, .networks = 57, .senders = 40, .recipients = 200 },
      CAMPAIGN_COUNTS,
      "CAMPAIGN",
      4.8,
      "the same text came 312 times from 57 networks since 09:10, campaign 0000000005" },
    { "widest",
      { .count = 9999, .networks = 900, .senders = 40, .recipients = 200 },
      CAMPAIGN_COUNTS,
      "CAMPAIGN",
      5,
      NULL },
    { "one sender by many servers",
      { .count = 312, .networks = 57, .senders = 2, .recipients = 200 },
      CAMPAIGN_COUNTS,
      "CAMPAIGN",
      2.4,
      NULL },
    { "a file",
      { .kind = CAMPAIGN_FILE, .count = 312, .networks = 57, .senders = 40, .recipients = 200 },
      CAMPAIGN_COUNTS,
      "CAMPAIGN",
      3,
      "the same file came 312 times from 57 networks since 09:10, campaign 0000000005" },
    { "a newsletter",
      { .count = 312, .networks = 57, .senders = 40, .recipients = 200 },
      CAMPAIGN_BY_DUTY,
      "",
      0,
      "" },
    { "a newsletter that is stopped",
      { .count = 1, .networks = 1, .senders = 1, .recipients = 1, .is_stopped = true },
      CAMPAIGN_BY_DUTY,
      "CAMPAIGN_STOPPED",
      15,
      "it was stopped by an administrator; the same text came 1 time from 1 network since 09:10, campaign "
      "0000000005" },
    { "a text that a user stopped",
      { .count = 1, .networks = 1, .is_stopped = true, .is_stopped_by_user = true },
      CAMPAIGN_COUNTS,
      "CAMPAIGN_STOPPED",
      15,
      "it was stopped by a report of a trusted user; the same text came 1 time from 1 network since 09:10, "
      "campaign 0000000005" },
    { "ours",
      { .count = 312, .networks = 57, .senders = 40, .recipients = 200, .is_stopped = true },
      CAMPAIGN_PROTECTED,
      "",
      0,
      "" },
    { "told of by some", { .count = 2, .networks = 2, .reporters = 2 }, CAMPAIGN_COUNTS, "", 0, "" },
    { "told of by its recipient",
      { .count = 2, .networks = 2, .reporters = 1, .is_told_by_all = true },
      CAMPAIGN_COUNTS,
      "CAMPAIGN_REPORTED",
      3.5,
      "reporters: 1; the same text came 2 times from 2 networks since 09:10, campaign 0000000005" },
    { "told of by three",
      { .count = 2, .networks = 2, .reporters = 3 },
      CAMPAIGN_COUNTS,
      "CAMPAIGN_REPORTED",
      8,
      NULL },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct campaign_answer answer = rows[i].answer;
        struct score score = { .arena = arena };
        struct buffer value = { 0 };
        answer.id = 5;
        answer.since_ms = NOON - (2 * 60 + 50) * 60000;
        campaign_answer_put(&answer, &value);
        const struct facts facts = { .campaign = buffer_text(&value) };
        campaign_score(&facts, rows[i].standing, NOON, &score);
        bool is_right = score.count == (rows[i].signal[0] != '\0');
        if (is_right && score.count)
            is_right = text_equal(score.signals[0].name, text_of(rows[i].signal)) &&
                       score_sum(score.signals, 1) == rows[i].points &&
                       (!rows[i].about || text_equal(score.signals[0].about, text_of(rows[i].about)));
        if (!is_right)
            fail_msg("%s: %u signals, %.1f, %.*s", rows[i].name, score.count,
                     score.count ? score.signals[0].points : 0,
                     TEXT_ARG(score.count ? score.signals[0].about : TEXT_NONE));
        buffer_free(&value);
    }
}

/* What is none says nothing. */
static void test_nonsense(void **state)
{
    struct score score = { .arena = arena };
    campaign_score(&(struct facts){ .campaign = TEXT("nonsense") }, CAMPAIGN_COUNTS, NOON, &score);
    campaign_score(&(struct facts){ .campaign = TEXT_NONE }, CAMPAIGN_COUNTS, NOON, &score);
    assert_int_equal(score.count, 0);
}

static void test_words(void **state)
{
    const struct campaign_answer answer = {
        .id = 5, .count = 312, .networks = 57, .since_ms = NOON - 86400000
    };
    struct buffer out = { 0 };
    campaign_say(LANGUAGE_JA, &answer, NOON, &out);
    assert_true(text_equal(buffer_text(&out), TEXT("同じ本文のメールが 2026-11-29 12:00 から 312 通、57 "
                                                   "のネットワークから届いた（キャンペーン 0000000005）")));
    buffer_free(&out);
}

/* Who sent it, and what follows. */
static void test_standing(void **state)
{
    static const struct {
        const char *name;
        enum direction direction;
        bool is_made, is_newsletter;
        enum dmarc_outcome outcome;
        const char *author, *list_id, *list_domain;
        enum campaign_standing standing;
    } cases[] = {
        { "a stranger", DIRECTION_IN, true, false, DMARC_PASS, "b.test", "", "", CAMPAIGN_COUNTS },
        { "nobody asked", DIRECTION_IN, false, false, DMARC_NONE, "", "", "", CAMPAIGN_COUNTS },
        { "from inside", DIRECTION_OUT, false, false, DMARC_NONE, "", "", "", CAMPAIGN_PROTECTED },
        { "ours by proof", DIRECTION_IN, true, false, DMARC_PASS, "ours.test", "", "", CAMPAIGN_PROTECTED },
        { "ours by its word", DIRECTION_IN, true, false, DMARC_FAIL, "ours.test", "", "", CAMPAIGN_COUNTS },
        { "a proven newsletter", DIRECTION_IN, true, true, DMARC_PASS, "b.test", "news.b.test", "",
          CAMPAIGN_BY_DUTY },
        { "one that is not proven", DIRECTION_IN, true, false, DMARC_PASS, "b.test", "news.b.test", "",
          CAMPAIGN_COUNTS },
        { "a proven list", DIRECTION_IN, true, false, DMARC_FAIL, "b.test", "l.c.test", "c.test",
          CAMPAIGN_BY_DUTY },
    };
    struct config *config = config_of_text(
        TEXT("hostname mx.test\nlisten 127.0.0.1:2525\ndomains { ours.test 127.0.0.1:9 }\n"), false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct auth_judgement judgement = { .is_made = cases[i].is_made,
                                            .list_domain = text_of(cases[i].list_domain) };
        judgement.facts.list.id = text_of(cases[i].list_id);
        judgement.result.dmarc.outcome = cases[i].outcome;
        judgement.result.dmarc.author = text_of(cases[i].author);
        if (cases[i].is_newsletter) judgement.newsletter.name = text_of(cases[i].list_id);
        if (campaign_standing(config, cases[i].direction, &judgement) != cases[i].standing)
            fail_msg("%s", cases[i].name);
    }
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_nonsense),
                                        cmocka_unit_test(test_words), cmocka_unit_test(test_standing) };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
