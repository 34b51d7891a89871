/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What engines outside said, put together with what the one inside found: a row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_text.h"
#include "judge/engine_answer.h"
#include "scan/outside.h"

/* One engine for each way of being unavailable; one of them minds only what leaves. */
static const char config_text[] =
    "hostname mx.test\nlisten 127.0.0.1:2525\ndomains { ours.test 127.0.0.1:9 }\n"
    "virus {\n  engine a clamd unix:/a\n  engine b icap icap://192.0.2.1/b { unavailable unscanned }\n"
    "  engine c clamd 192.0.2.1:3310 { unavailable accept }\n  engine d clamd unix:/d { direction out }\n}\n";

static struct config *config;
static struct arena *arena;

static int open_all(void **state)
{
    config = config_of_text(text_of(config_text), false);
    arena = arena_new(0);
    return config ? 0 : -1;
}

static int close_all(void **state)
{
    config_free(config);
    arena_free(arena);
    return 0;
}

/* Of the engines a to d: NULL not asked, "" no answer in time, "+" clean, "-WHY" unavailable, "<" too large
   for it, "=LIMIT" a limit of its own, "?" nonsense, else what it found. */
static const struct row {
    const char *said[4];
    enum direction direction;
    enum scan_state inside;
    const char *inside_name;
    enum scan_state state;
    enum action demand;
    const char *findings; /* "class name (engines)|…" */
    const char *engines, *name;
} rows[] = {
    { { "+", "+", "+" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_ACCEPT,
      "",
      "clamav 1, a clean, b clean, c clean",
      "" },
    { { "+", "+", "+", "+" },
      DIRECTION_OUT,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_ACCEPT,
      "",
      "clamav 1, a clean, b clean, c clean, d clean",
      "" },
    { { "+", NULL, NULL, "Worm" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_ACCEPT,
      "",
      "clamav 1, a clean",
      "" },
    { { NULL }, DIRECTION_IN, SCAN_CLEAN, "", SCAN_CLEAN, ACTION_ACCEPT, "", "clamav 1", "" },
    { { "+", "Worm" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_FOUND,
      ACTION_ACCEPT,
      "virus Worm (b)|",
      "clamav 1, a clean, b found",
      "Worm" },
    { { "Worm", "Worm", "Other.UNOFFICIAL" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_FOUND,
      ACTION_ACCEPT,
      "virus Worm (a, b)|virus Other (c)|",
      "clamav 1, a found, b found, c found",
      "Worm" },
    { { "Worm" },
      DIRECTION_IN,
      SCAN_FOUND,
      "Worm",
      SCAN_FOUND,
      ACTION_ACCEPT,
      "virus Worm (clamav, a)|",
      "clamav 1, a found",
      "Worm" },
    { { "Heuristics.Phishing.Email.SpoofedDomain", "Worm" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_FOUND,
      ACTION_ACCEPT,
      "virus Worm (b)|phishing Heuristics.Phishing.Email.SpoofedDomain (a)|",
      "clamav 1, a found, b found",
      "Worm" },
    { { "Heuristics.Encrypted.Zip" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLOSED,
      ACTION_ACCEPT,
      "encrypted Heuristics.Encrypted.Zip (a)|",
      "clamav 1, a found",
      "Heuristics.Encrypted.Zip" },
    { { "=size" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_LIMITS,
      ACTION_ACCEPT,
      "limits size (a)|",
      "clamav 1, a limits",
      "size" },
    { { "<", "<" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_ACCEPT,
      "",
      "clamav 1, a limits, b limits",
      "" },
    { { "-gone", "+" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_UNSCANNED,
      ACTION_DEFER,
      "",
      "clamav 1, a unscanned, b clean",
      "a: gone" },
    { { "", "+" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_UNSCANNED,
      ACTION_DEFER,
      "",
      "clamav 1, a unscanned, b clean",
      "a: no answer" },
    { { "?", "+" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_UNSCANNED,
      ACTION_DEFER,
      "",
      "clamav 1, a unscanned, b clean",
      "a: no answer" },
    { { "+", "-gone" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_TAG,
      "",
      "clamav 1, a clean, b unscanned",
      "b: gone" },
    { { "+", "+", "-gone" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_CLEAN,
      ACTION_ACCEPT,
      "",
      "clamav 1, a clean, b clean",
      "" },
    { { "-gone", "-lost", "-away" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_UNSCANNED,
      ACTION_DEFER,
      "",
      "clamav 1, a unscanned, b unscanned",
      "a: gone, b: lost" },
    { { "-gone", "Worm" },
      DIRECTION_IN,
      SCAN_CLEAN,
      "",
      SCAN_FOUND,
      ACTION_DEFER,
      "virus Worm (b)|",
      "clamav 1, a unscanned, b found",
      "Worm" },
    { { "+" },
      DIRECTION_IN,
      SCAN_UNSCANNED,
      "no engine",
      SCAN_UNSCANNED,
      ACTION_ACCEPT,
      "",
      "clamav 1, a clean",
      "no engine" },
    { { "Worm" },
      DIRECTION_IN,
      SCAN_UNSCANNED,
      "no engine",
      SCAN_FOUND,
      ACTION_ACCEPT,
      "virus Worm (a)|",
      "clamav 1, a found",
      "Worm" },
    { { "Worm", "-gone" },
      DIRECTION_IN,
      SCAN_NOT_ASKED,
      "",
      SCAN_NOT_ASKED,
      ACTION_ACCEPT,
      "",
      "clamav 1",
      "" },
};

static struct text value_of(const char *said)
{
    struct engine_answer answer = { .state = SCAN_FOUND, .name = text_of(said) };
    struct buffer bytes = { 0 };
    if (*said == '?') return TEXT("\7nonsense");
    if (*said == '+') answer = (struct engine_answer){ .state = SCAN_CLEAN };
    if (*said == '-') answer = (struct engine_answer){ .state = SCAN_UNSCANNED, .name = text_of(said + 1) };
    if (*said == '=') answer = (struct engine_answer){ .state = SCAN_LIMITS, .name = text_of(said + 1) };
    if (*said == '<') answer = (struct engine_answer){ .state = SCAN_LIMITS, .is_oversize = true };
    engine_answer_put(&answer, &bytes);
    struct text value = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return value;
}

static uint32_t answers_of(const struct row *row, struct question *out)
{
    static const char names[] = "abcd";
    uint32_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!row->said[i]) continue;
        out[count] = (struct question){ .kind = QUESTION_ENGINE, .subject = text_from(names + i, 1) };
        out[count].status = *row->said[i] ? ANSWER_FOUND : ANSWER_TEMPERROR;
        if (*row->said[i]) out[count].value = value_of(row->said[i]);
        count++;
    }
    return count;
}

static void findings_print(const struct facts *facts, struct buffer *out)
{
    for (uint32_t i = 0; i < facts->virus_finding_count; i++)
        buffer_printf(out, "%s %.*s (%.*s)|", evidence_virus_class_name(facts->virus_findings[i].class),
                      TEXT_ARG(facts->virus_findings[i].name), TEXT_ARG(facts->virus_findings[i].engine));
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct virus_finding inside = { .engine = TEXT("clamav"), .name = text_of(row->inside_name) };
        struct facts merged, facts = { .virus = row->inside,
                                       .virus_name = text_of(row->inside_name),
                                       .engine = TEXT("clamav 1"),
                                       .virus_findings = &inside,
                                       .virus_finding_count = row->inside == SCAN_FOUND };
        struct question answers[4];
        struct buffer findings = { 0 };
        uint32_t count = answers_of(row, answers);
        enum action demand = outside_merge(arena, config, row->direction, answers, count, &facts, &merged);
        findings_print(&merged, &findings);
        if (demand != row->demand || merged.virus != row->state ||
            !text_equal(buffer_text(&findings), text_of(row->findings)) ||
            !text_equal(merged.engine, text_of(row->engines)) ||
            !text_equal(merged.virus_name, text_of(row->name)))
            fail_msg("row %zu: %d %d %.*s; %.*s; %.*s", i, (int)demand, (int)merged.virus,
                     TEXT_ARG(buffer_text(&findings)), TEXT_ARG(merged.engine), TEXT_ARG(merged.virus_name));
        buffer_free(&findings);
    }
    assert_true(outside_may_warn(config));
}

/* A full list loses its least finding, never the worst. */
static void test_many_findings(void **state)
{
    struct virus_finding many[VIRUS_FINDINGS_MOST];
    struct facts merged, facts = { .virus = SCAN_LIMITS, .virus_findings = many };
    for (uint32_t i = 0; i < VIRUS_FINDINGS_MOST; i++)
        many[facts.virus_finding_count++] =
            (struct virus_finding){ .class = VIRUS_CLASS_LIMITS, .name = arena_printf(arena, "limit %u", i) };
    const struct question answer = { QUESTION_ENGINE, TEXT("a"), ANSWER_FOUND, value_of("Worm") };
    outside_merge(arena, config, DIRECTION_IN, &answer, 1, &facts, &merged);
    assert_int_equal(merged.virus_finding_count, VIRUS_FINDINGS_MOST);
    assert_true(text_equal(merged.virus_findings[0].name, TEXT("Worm")));
    assert_true(text_equal(merged.virus_findings[VIRUS_FINDINGS_MOST - 1].name, TEXT("limit 14")));
}

/* An engine that nobody asked is never taken for one that had nothing to say. */
static void test_not_asked(void **state)
{
    static const struct {
        struct row row;
        bool is_undecided, is_missing;
    } cases[] = {
        { { .said = { "+", "+", "+" }, .direction = DIRECTION_IN }, false, false },
        { { .said = { "+", "", "+" }, .direction = DIRECTION_IN }, false, false },
        { { .said = { "+", NULL, "+" }, .direction = DIRECTION_IN }, false, true },
        { { .said = { NULL }, .direction = DIRECTION_IN }, false, true },
        { { .said = { "+", "+", "+" }, .direction = DIRECTION_OUT }, false, true },
        { { .said = { "+", "+", "+", "+" }, .direction = DIRECTION_OUT }, false, false },
        { { .said = { "+", "+", "+" }, .direction = DIRECTION_IN }, true, true },
        { { .said = { "+", "+", "+", "+" }, .direction = DIRECTION_IN }, true, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct question answers[4];
        struct occasion occasion = { .direction = cases[i].row.direction,
                                     .is_undecided = cases[i].is_undecided };
        struct facts facts = { .virus = SCAN_CLEAN }, off = { .virus = SCAN_NOT_ASKED };
        uint32_t count = answers_of(&cases[i].row, answers);
        if (outside_is_missing(config, &occasion, &facts, answers, count) != cases[i].is_missing)
            fail_msg("case %zu", i);
        assert_false(outside_is_missing(config, &occasion, &off, answers, count));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_many_findings),
                                        cmocka_unit_test(test_not_asked) };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
