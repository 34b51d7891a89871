/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rule files: what is refused, with its place, and what rules come to of their conditions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/rule_match.h"
#include "rules/rule_parse.h"

#define D "describe \"d\"; "

#define print_bad(...) (print_error(__VA_ARGS__), print_error("\n"), 1)

static void test_refusals(void **state)
{
    unsigned bad = 0;
    static const struct {
        const char *file, *problem;
    } rows[] = {
        { "rule AAA { points 1; " D "body /bank/ }", "" },
        { "rule AAA { points 1\n" D "\nbody /ba/ }", "f:3:6: error: nothing of 3 bytes or more stands in all "
                                                     "that the pattern matches: it would run everywhere" },
        { "rule AAA { points 1; " D "body /bank(/ }",
          "f:1:41: error: the pattern: missing closing parenthesis (at its byte 5)" },
        { "rule AAA { points 1; " D "body /Bank/ }",
          "f:1:41: error: a capital in a pattern is never met: texts are folded to small letters" },
        { "rule AAA { points 1; " D "body /bank/i }",
          "f:1:41: error: no letters behind a pattern: texts are folded to small letters before it runs" },
        { "rule AAA { points 1; " D "body /bank\n }",
          "f:1:41: error: a pattern without its end on this line" },
        { "rule AAA { points 1; " D "body bank }",
          "f:1:41: error: a pattern between slashes has to stand here: /…/" },
        { "rule AAA { points 1; " D "}", "f:1:6: error: a rule without a condition" },
        { "rule AAA { points 1; body /bank/ }", "f:1:6: error: a rule with points needs: describe \"…\"" },
        { "rule AAA { points 5.1; " D "body /bank/ }",
          "f:1:6: error: more than 5 points need the word final" },
        { "rule AAA { points 50; final; " D "body /bank/ }", "" },
        { "rule AAA { points 1.25; " D "body /bank/ }",
          "f:1:19: error: points have one digit behind the point" },
        { "rule AAA { points nan; " D "body /bank/ }",
          "f:1:19: error: points such as 1.5 have to stand here" },
        { "rule AAA { points 2000; " D "body /bank/ }", "f:1:19: error: points from -5 to 1000" },
        { "rule aaa { points 1; " D "body /bank/ }",
          "f:1:6: error: the name of a rule has 3 to 40 capitals, digits and _, a capital first" },
        { "rule AAA { body /bank/ }\nrule AAA { body /bank/ }",
          "f:2:6: error: a rule of that name stands at f:1" },
        { "rule AAA { fact hidden-txt }",
          "f:1:17: error: there is no fact \"hidden-txt\"; did you mean \"hidden-text\"?" },
        { "rule AAA { fact hidden-text=1 }",
          "f:1:17: error: no fact with a value has the name \"hidden-text\"" },
        { "rule AAA { fact file=exe; not fact hidden-text; signal SPF_FAIL }", "" },
        { "rule AAA { meta BBB }", "f:1:12: error: no rule above has the name \"BBB\"" },
        { "rule AAAB { body /bank/ }\nrule BBB { meta AAAC }",
          "f:2:12: error: no rule above has the name \"AAAC\"; did you mean \"AAAB\"?" },
        { "rule AAA { body /bank/ }\nrule BBB { meta AAA and (AAA or not AAA }",
          "f:2:12: error: a bracket without its end" },
        { "rule AAA { body /bank/ }\nrule BBB { meta AAA AAA }",
          "f:2:12: error: \"AAA\" where and, or, or the end has to stand" },
        { "rule AAA { body /bank/ }\nrule BBB { meta AAA and }",
          "f:2:12: error: \"\" where a rule, fact NAME, signal NAME, not or ( has to stand" },
        { "rule AAA { pionts 1; body /bank/ }",
          "f:1:12: error: unknown word \"pionts\" in a rule; did you mean \"points\"?" },
        { "rule AAA { not points 1 }", "f:1:16: error: a condition has to stand behind not" },
        { "rule AAA { link hots /a/ }", "f:1:17: error: host, url or shown has to stand behind link" },
        { "rule AAA { header X: /a/ }", "f:1:19: error: \"X:\" is no name of a header field" },
        { "rule AAA { body /bank/", "f:1:6: error: the rule has no } at its end" },
        { "rule AAA body /bank/", "f:1:10: error: rule NAME { … } has to stand here" },
        { "role AAA { }", "f:1:1: error: rule NAME { … }, off NAME or points NAME NUMBER has to stand here" },
        { "off AAA", "f:1:5: error: no rule above has the name \"AAA\"" },
        { "rule AAA { body /bank/ }\npoints AAA 6",
          "f:2:12: error: more than 5 points are for rules that are final" },
        { "rule AAA { body /bank/; hit \"a\" beat \"b\" }",
          "f:1:33: error: html, subject, from, header, file, signal or a text in quotes has to stand here" },
        { "rule AAA { body /bank/ \"x\" }", "f:1:24: error: \"x\" where the statement has to end" },
        { "rule AAA { describe \"a }", "f:1:21: error: a quote without its end on this line" },
        { "rule AAA { body /(((((((((((((((((((((bank)))))))))))))))))))))/ }",
          "f:1:17: error: the pattern: parentheses are too deeply nested (at its byte 21)" },
        { "rule AAA { body /(bank{1,60000}){1,60000}/ }",
          "f:1:17: error: the pattern: regular expression is too large (at its byte 24)" },
        { "rule AAA { body /b\xff"
          "ank/ }",
          "f:1:17: error: a pattern that is not UTF-8" },
        { "# nothing\n", "" },
        { "}\n}", "f:1:1: error: rule NAME { … }, off NAME or points NAME NUMBER has to stand here" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problem_list problems;
        struct buffer said = { 0 };
        problem_list_start(&problems);
        struct ruleset *set = rule_parse_begin();
        bool is_good = rule_parse_file(set, TEXT("f"), text_of(rows[i].file), &problems);
        rule_parse_end(set);
        if (problems.count) problem_print(&problems.items[0], &said);
        if (!text_equal(buffer_text(&said), text_of(rows[i].problem)) || is_good != (problems.errors == 0))
            bad += print_bad("%s\n  %.*s\n  %s", rows[i].file, TEXT_ARG(buffer_text(&said)), rows[i].problem);
        ruleset_free(set);
        problem_list_free(&problems);
        buffer_free(&said);
    }
    assert_int_equal(bad, 0);
}

/* Which rules hit a body of these words, with these signals. */
static void test_conditions(void **state)
{
    static const char file[] =
        "rule AAA { body /aaa/ }\nrule BBB { body /bbb/ }\nrule CCC { body /ccc/; not body /ddd/ }\n"
        "rule M_AND { meta AAA and BBB }\nrule M_OR { meta AAA or BBB }\n"
        "rule M_NOT { meta not AAA and BBB }\nrule M_DEEP { meta AAA and (BBB or not CCC) }\n"
        "rule M_BOTH { body /aaa/; meta BBB or CCC }\nrule LATE { signal SSS; body /aaa/ }\n"
        "rule LATER { meta not LATE and BBB }\nrule OFF_ONE { body /aaa/ }\noff OFF_ONE\n"
        "rule LINE { link host /^aaa$/ }\nrule FIELD { header X-Mailer /aaa$/ }\n";
    static const struct {
        const char *body, *signal, *hits;
    } rows[] = {
        { "", "", "" },
        { "aaa", "", "AAA M_OR M_DEEP " },
        { "aaa bbb", "", "AAA BBB M_AND M_OR M_DEEP M_BOTH LATER " },
        { "bbb", "", "BBB M_OR M_NOT LATER " },
        { "ccc", "", "CCC " },
        { "ccc ddd", "", "" },
        { "aaa ccc", "", "AAA CCC M_OR M_BOTH " },
        { "aaa bbb", "SSS", "AAA BBB M_AND M_OR M_DEEP M_BOTH LATE " },
        { "bbb", "SSS", "BBB M_OR M_NOT LATER " },
    };
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rule_parse_begin();
    assert_true(rule_parse_file(set, TEXT("f"), text_of(file), &problems));
    rule_parse_end(set);
    assert_true(set->has_late);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct rule_texts texts = { .areas[AREA_BODY] = text_of(rows[i].body) };
        struct rule_marks marks = { 0 }, again = { 0 };
        uint8_t hits[32];
        struct buffer out = { 0 };
        rule_match_texts(set, &texts, &marks, hits);
        assert_true(rule_match_read(set, rule_match_write(arena, set, &marks), &again));
        rule_match_signal(set, text_of(rows[i].signal), &again);
        rule_match_rules(set, &again, hits);
        for (uint32_t k = 0; k < set->count; k++)
            if (hits[k]) buffer_printf(&out, "%.*s ", TEXT_ARG(set->rules[k].name));
        if (!text_equal(buffer_text(&out), text_of(rows[i].hits)))
            fail_msg("%s: %.*s", rows[i].body, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
        arena_free(arena);
    }
    ruleset_free(set);
    problem_list_free(&problems);
}

/* Lines are matched line by line, fields by their own text; marks of another set are refused. */
static void test_areas(void **state)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rule_parse_begin(), *other = rule_parse_begin();
    assert_true(rule_parse_file(
        set, TEXT("f"), TEXT("rule LINE { link host /^aaa$/ }\nrule FIELD { header X-Mailer /aaa$/ }\n"),
        &problems));
    assert_true(rule_parse_file(
        other, TEXT("f"), TEXT("rule ELSE { link host /^aaa$/ }\nrule FIELD { header X-Mailer /aaa$/ }\n"),
        &problems));
    rule_parse_end(set);
    rule_parse_end(other);
    struct rule_texts texts = { .areas[AREA_LINK_HOST] = TEXT("x.test\naaa\ny.test\n"),
                                .areas[AREA_FIELD] = TEXT("aaab") };
    struct rule_marks marks = { 0 }, read = { 0 };
    uint8_t hits[2];
    rule_match_texts(set, &texts, &marks, hits);
    assert_true(hits[0]);
    assert_false(hits[1]);
    struct arena *arena = arena_new(0);
    struct text written = rule_match_write(arena, set, &marks);
    assert_false(rule_match_read(other, written, &read));
    assert_false(rule_match_read(set, text_slice(written, 0, written.length - 1), &read));
    assert_false(rule_match_read(set, TEXT_NONE, &read));
    arena_free(arena);
    ruleset_free(set);
    ruleset_free(other);
    problem_list_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refusals), cmocka_unit_test(test_conditions),
                                        cmocka_unit_test(test_areas) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
