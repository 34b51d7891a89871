/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Patterns that go astray: under 0.5 s and 64 MB for a message whatever they are, with a signal that is worth
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "rules/rule_parse.h"
#include "spam/score.h"

static double own_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void message_fill(struct buffer *message, const char *piece)
{
    buffer_printf(message,
                  "From: a <a@x.test>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    while (buffer_length(message) < 2000000) buffer_printf(message, "%s", piece);
}

/* Many rules with that pattern, which would each be compiled apart. */
static struct ruleset *rules_of(const char *pattern, int count)
{
    struct buffer file = { 0 };
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rule_parse_begin();
    for (int i = 0; i < count; i++)
        buffer_printf(&file, "rule R_%d { points 1; describe \"d\"; body /%s%d/ }\n", i, pattern, i);
    assert_true(rule_parse_file(set, TEXT("f"), buffer_text(&file), &problems));
    rule_parse_end(set);
    buffer_free(&file);
    problem_list_free(&problems);
    return set;
}

#define print_bad(...) (print_error(__VA_ARGS__), print_error("\n"), 1)

static void test_catastrophes(void **state)
{
    unsigned bad = 0;
    static const struct {
        const char *pattern, *piece;
        bool is_cut;
    } rows[] = {
        { "aaa(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
        { "aaa(a|aa)*(a|aa)*(a|aa)*c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ", true },
        { "bank.*.*.*.*.*.*x", "bank of many words and more of them, ", false },
        { "(bank|.*)*(.*,)+(.*)*bank", "bank, of, many, words, and, more ", false },
        { "(.{0,400}){0,20}bank(.{0,400}){0,20}y", "bank of words ", false },
        { "bank [a-z]+ ", "bank of words ", false },
    };
    bool is_slow = getenv("ASAN_OPTIONS") != NULL; /* sanitizers: a limit of time comes sooner */
    const struct rlimit memory = { 512 << 20, 512 << 20 };
    if (!is_slow) setrlimit(RLIMIT_AS, &memory);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ruleset *set = rules_of(rows[i].pattern, 200);
        struct buffer message = { 0 };
        struct arena *arena = arena_new(0);
        struct score score = { .arena = arena, .rules = set };
        message_fill(&message, rows[i].piece);
        struct mime *mime = mime_parse(arena, buffer_text(&message), &mime_limits_default, MIME_FIRST);
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        double start = own_s();
        score_read(&score, &mime->parts[0], mime->parts[0].body);
        score_message(&score, mime);
        double spent = own_s() - start;
        getrusage(RUSAGE_SELF, &after);
        bool is_cut = false;
        for (uint32_t k = 0; k < score.count; k++)
            if (text_equal(score.signals[k].name, TEXT("RULES_LIMIT"))) is_cut = score.signals[k].points == 0;
        if ((is_cut != rows[i].is_cut && !(is_cut && is_slow)) || spent > 0.5 * (is_slow ? 10 : 1))
            bad += print_bad("/%s/: %.3f s, %s", rows[i].pattern, spent, is_cut ? "cut" : "not cut");
        if (after.ru_maxrss - before.ru_maxrss > 64 << 10)
            bad += print_bad("/%s/: %ld KB", rows[i].pattern, after.ru_maxrss);
        buffer_free(&message);
        arena_free(arena);
        ruleset_free(set);
    }
    assert_int_equal(bad, 0);
}

/* What was taken for UTF-8 and is none goes through the check of PCRE2. */
static void test_no_utf8(void **state)
{
    struct ruleset *set = rules_of("bank.{0,3}x", 1);
    struct arena *arena = arena_new(0);
    struct score score = { .arena = arena, .rules = set };
    static const char message[] = "From: a\r\nSubject: \xff\xe3 bank\r\nX-Mailer: \xe3\r\nContent-Type: "
                                  "text/plain; charset=utf-8\r\n\r\n"
                                  "\xff\xe3 bank \xe3\x81 x0\r\n";
    struct mime *mime = mime_parse(arena, text_of(message), &mime_limits_default, MIME_FIRST);
    score_read(&score, &mime->parts[0], mime->parts[0].body);
    score_message(&score, mime);
    arena_free(arena);
    ruleset_free(set);
}

/* All that is not final counts 11 points at most. */
static void test_cap(void **state)
{
    struct buffer file = { 0 };
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rule_parse_begin();
    for (int i = 0; i < 30; i++)
        buffer_printf(&file, "rule R_%d { points 5; describe \"d\"; body /bank/ }\n", i);
    buffer_printf(&file, "rule LAST { points 4.5; final; describe \"d\"; body /bank/ }\n");
    assert_true(rule_parse_file(set, TEXT("f"), buffer_text(&file), &problems));
    rule_parse_end(set);
    struct arena *arena = arena_new(0);
    struct score score = { .arena = arena, .rules = set };
    struct mime *mime =
        mime_parse(arena, TEXT("From: a@x.test\r\nDate: x\r\nMessage-ID: <1@x.test>\r\n\r\na bank\r\n"),
                   &mime_limits_default, MIME_FIRST);
    score_read(&score, &mime->parts[0], mime->parts[0].body);
    score_message(&score, mime);
    assert_true(score_sum(score.signals, score.count) == 15.5);
    arena_free(arena);
    ruleset_free(set);
    buffer_free(&file);
    problem_list_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_catastrophes), cmocka_unit_test(test_no_utf8),
                                        cmocka_unit_test(test_cap) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
