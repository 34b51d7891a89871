/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a pattern promises of what it matches, and that one pass finds every literal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "rules/literal_table.h"
#include "rules/rule_literals.h"

/* "a|b / c|d @widest" */
static void promise_print(const char *pattern, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct rule_literals first, second;
    rule_literals_of(arena, text_of(pattern), &first, &second);
    for (unsigned i = 0; i < first.count; i++)
        buffer_printf(out, "%s%.*s", i ? "|" : "", TEXT_ARG(first.items[i]));
    for (unsigned i = 0; i < second.count; i++)
        buffer_printf(out, "%s%.*s", i ? "|" : " / ", TEXT_ARG(second.items[i]));
    if (first.count) buffer_printf(out, " @%zu", first.widest);
    arena_free(arena);
}

#define print_bad(...) (print_error(__VA_ARGS__), print_error("\n"), 1)

static void test_promises(void **state)
{
    unsigned bad = 0;
    static const struct {
        const char *pattern, *promise;
    } rows[] = {
        { "account", "account @7" },
        { "your account", "your account @12" },
        { "ab", "" },
        { "(bank|card) details", " details / bank|card @12" },
        { "(bank|ok) details", " details @12" },
        { "bank|card", "bank|card @4" },
        { "bank|ab", "" },
        { "(bank)?card", "card @8" },
        { "(bank)*cards", "cards @10000" },
        { "(bank){0,3}cards", "cards @17" },
        { "(bank){2}", "bank @8" },
        { "(bank)+", "bank @10000" },
        { "banks?", "bank @5" },
        { "bank.{0,20}card", "bank / card @88" },
        { "bank[a-z]card", "bank / card @12" },
        { "bank[]x]card", "bank / card @12" },
        { "bank[[:alpha:]]cards", "cards / bank @13" },
        { "bank\\.card", "bank.card @9" },
        { "bank\\dcards", "cards / bank @13" },
        { "bank\\x{3042}cards", "cards / bank @13" },
        { "(?:bank|card)s", "bank|card @5" },
        { "(?!bank)cards", "cards @9" },
        { "(?i)bank", "" },
        { "(?<name>bank)", "" },
        { "\\Qbank\\E", "" },
        { "(bank", "bank @4" }, /* no pattern at all: PCRE2 says so */
        { "bank)", "" },
        { "カード.{0,3}停止", "カード / 停止 @27" },
        { "(カード|口座)停止", "カード|口座 / 停止 @15" },
        { "(a|b)(c|d)", "" },
        { "(ab)\\1bank", "bank @10000" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        promise_print(rows[i].pattern, &out);
        if (!text_equal(buffer_text(&out), text_of(rows[i].promise)))
            bad += print_bad("/%s/: \"%.*s\", not \"%s\"", rows[i].pattern, TEXT_ARG(buffer_text(&out)),
                             rows[i].promise);
        buffer_free(&out);
    }
    assert_int_equal(bad, 0);
}

static void test_where_literals_begin(void **state)
{
    static const struct {
        const char *pattern;
        size_t before;
    } rows[] = {
        { "account", 0 },
        { "(bank|card)", 0 },
        { "(bank|my ?cards)", 3 }, /* the farthest of all that are looked for */
        { "ab?account", 2 },
        { "a.{0,20}account", 81 },
        { "a+account", RULE_WIDTH_MOST },
        { "^(x|yy)(bank|card){2}", 6 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct rule_literals first, second;
        rule_literals_of(arena, text_of(rows[i].pattern), &first, &second);
        if (first.before != rows[i].before) fail_msg("%s: %zu", rows[i].pattern, first.before);
        arena_free(arena);
    }
}

static void test_deep(void **state)
{
    char pattern[400];
    struct buffer out = { 0 };
    memset(pattern, '(', 200);
    memset(pattern + 200, ')', 199);
    pattern[399] = '\0';
    promise_print(pattern, &out);
    assert_int_equal(buffer_length(&out), 0);
    buffer_free(&out);
}

static void test_walk(void **state)
{
    static const char *const literals[] = { "abc", "abcd", "bcd", "カード", "ード", "zzz" };
    struct literal_table *table = literal_table_new();
    for (uint32_t i = 0; i < 6; i++) literal_table_add(table, text_of(literals[i]), i);
    static const char *const texts[] = { "", "ab", "abc", "xabcdabc", "カードカ", "zzzz" };
    static const char *const found[] = { "", "", "0@0 ", "1@1 0@1 2@2 0@5 ", "3@0 4@3 ", "5@0 5@1 " };
    for (size_t i = 0; i < 6; i++) {
        struct buffer out = { 0 };
        struct literal_walk walk = { .table = table, .text = text_of(texts[i]) };
        while (literal_table_next(&walk)) buffer_printf(&out, "%u@%zu ", walk.value, walk.at);
        if (!text_equal(buffer_text(&out), text_of(found[i])))
            fail_msg("%s: %.*s", texts[i], TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
    literal_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_promises),
                                        cmocka_unit_test(test_where_literals_begin),
                                        cmocka_unit_test(test_deep), cmocka_unit_test(test_walk) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
