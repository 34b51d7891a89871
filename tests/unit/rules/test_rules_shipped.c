/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The rules that come along: good files, every example as it says, enough of them, described in both
   languages, none that could do alone what only a final one may; names of facts; and what a Subject that is
   not there comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/folder_content.h"
#include "rules/fact_names.h"
#include "rules/rule_parse.h"
#include "spam/rule_trial.h"

static const char *folder, *const *facts_sources;
static struct ruleset *set;

static void problems_fail(const struct problem_list *problems)
{
    struct buffer lines = { 0 };
    for (size_t i = 0; i < problems->count; i++) {
        problem_print(&problems->items[i], &lines);
        buffer_add_char(&lines, '\n');
    }
    if (problems->errors) fail_msg("%.*s", TEXT_ARG(buffer_text(&lines)));
    buffer_free(&lines);
}

static int rules_start(void **state)
{
    struct text content = TEXT_NONE, path, bytes;
    struct problem_list problems;
    problem_list_start(&problems);
    set = rule_parse_begin();
    assert_null(folder_content_read(folder, TEXT(".rules"), set->arena, &content));
    while (folder_content_next(&content, &path, &bytes)) rule_parse_file(set, path, bytes, &problems);
    rule_parse_end(set);
    problems_fail(&problems);
    problem_list_free(&problems);
    return 0;
}

static int rules_end(void **state)
{
    ruleset_free(set);
    return 0;
}

static void test_examples(void **state)
{
    struct problem_list problems;
    problem_list_start(&problems);
    assert_true(rule_trial_examples(set, &problems) > 300);
    problems_fail(&problems);
    problem_list_free(&problems);
}

static void test_rules(void **state)
{
    unsigned with_points = 0, japanese = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        if (rule->points == 0) continue;
        with_points++;
        japanese += text_starts(rule->name, TEXT("JA_"));
        if (rule->is_final || rule->points > 5 || rule->about_ja.length == 0)
            fail_msg("%.*s: final, over 5 points, or not described in Japanese", TEXT_ARG(rule->name));
    }
    assert_true(with_points >= 150);
    assert_true(japanese >= 75);
}

/* Each name of the table stands in the sources of facts, and means something in both languages. */
static void names_are_added(struct text sources, bool has_value)
{
    const struct fact_name *known;
    for (unsigned i = 0; (known = fact_names_at(i, has_value)); i++) {
        char quoted[80];
        snprintf(quoted, sizeof quoted, "\"%s\"", known->name);
        bool is_elsewhere = strstr(quoted, "phrase") || strstr(quoted, "finding");
        if (!is_elsewhere && text_find(sources, text_of(quoted)) == sources.length)
            fail_msg("nothing adds the fact %s", quoted);
        assert_true(*known->en && *known->ja);
    }
}

/* What the file of facts adds, the table of names has, and the other way. */
static void test_fact_names(void **state)
{
    static char source[200000];
    size_t length = 0;
    for (const char *const *path = facts_sources; *path; path++) {
        FILE *file = fopen(*path, "r");
        assert_non_null(file);
        length += fread(source + length, 1, sizeof source - length, file);
        fclose(file);
    }
    struct text text = text_from(source, length), rest = text, meant;
    for (size_t at; (at = text_find(rest, TEXT("fact"))) < rest.length;) {
        rest = text_slice(rest, at + 4, rest.length);
        bool has_value = text_starts(rest, TEXT("_of(")) || text_starts(rest, TEXT("_count("));
        if (!has_value && !text_starts(rest, TEXT("("))) continue;
        size_t quote = text_find_char(rest, '"'), end = text_find_char(rest, ';');
        if (quote > 60 || quote > end) continue;
        struct text name = text_slice(rest, quote + 1, rest.length);
        name = text_slice(name, 0, text_find_char(name, '"'));
        if (!fact_names_check(name, has_value, &meant))
            fail_msg("fact_names.c lacks \"%.*s\"", TEXT_ARG(name));
    }
    names_are_added(text, false);
    names_are_added(text, true);
}

static double points_of(const char *message)
{
    struct arena *arena = arena_new(0);
    struct rule_trial trial;
    double points = 0;
    rule_trial_run(arena, set, text_of(message), TEXT_NONE, &trial);
    for (uint32_t i = 0; i < set->count; i++) points += trial.hits[i] ? set->rules[i].points : 0;
    arena_free(arena);
    return points;
}

#define REST                                                                                               \
    "Date: 2 Nov 2026 09:00:00 +0900\r\nMessage-ID: "                                                      \
    "<1@example.jp>\r\n\r\nお世話になっております。資料をお送りします。\r\nSee you " \
    "on Thursday.\r\n"

static void test_no_subject(void **state)
{
    static const char *const subjects[] = { "", "Subject:\r\n", "Subject: \r\n",
                                            "Subject: =?utf-8?B?44CA?=\r\n" };
    for (size_t i = 0; i < 4; i++) {
        char message[600];
        snprintf(message, sizeof message, "From: Hanako <h@example.jp>\r\nTo: t@example.ac.jp\r\n%s" REST,
                 subjects[i]);
        if (points_of(message) != 0) fail_msg("\"%s\": %.1f points", subjects[i], points_of(message));
    }
}

int main(int argc, char **argv)
{
    folder = argv[1];
    facts_sources = (const char *const *)argv + 2;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples), cmocka_unit_test(test_rules),
                                        cmocka_unit_test(test_fact_names),
                                        cmocka_unit_test(test_no_subject) };
    return cmocka_run_group_tests(tests, rules_start, rules_end);
}
