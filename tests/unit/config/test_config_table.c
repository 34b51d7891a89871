/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipient tables: what is in, what is not, what is wrong with a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buffer.h"
#include "config/table.h"

static void questions(void **state)
{
    static const struct {
        const char *content, *local, *domain;
        bool in;
    } rows[] = {
        { "", "a", "b.jp", false },
        { "a@b.jp", "a", "b.jp", true },
        { "a@b.jp", "A", "B.JP", true },
        { "A@B.jp\n", "a", "b.jp", true },
        { "a@b.jp", "a", "c.jp", false },
        { "a@b.jp", "b", "b.jp", false },
        { "a", "a", "b.jp", true },
        { "a", "a", "c.jp", true },
        { "a", "b", "b.jp", false },
        { "@b.jp", "x", "b.jp", true },
        { "@b.jp", "x", "c.jp", false },
        { "b.jp", "x", "b.jp", false },
        { "# a@b.jp\n\n  \t\n x@b.jp # the postmaster\r\n", "x", "b.jp", true },
        { "# a@b.jp\n", "a", "b.jp", false },
        { "a..b@docomo.ne.jp\n", "a..b", "docomo.ne.jp", true },
        { "a@b@c.jp\n", "a@b", "c.jp", true },
        { "\"a b\"@c.jp\n", "a b", "c.jp", true },
        { "\"a b\"@c.jp\n", "a", "c.jp", false },
        { "\"a b\"@c.jp # with a blank\n", "A B", "C.jp", true },
        { "\"a b\"\n", "a b", "d.jp", true },
        { "\"ab\"@c.jp\n", "ab", "c.jp", true },
        { "\"a\\b\"@c.jp\n", "ab", "c.jp", true },
        { "\"a\\\"b\"@c.jp\n", "a\"b", "c.jp", true },
        { "\"a\\\\b\"@c.jp\n", "a\\b", "c.jp", true },
        { "\"a@b\"@c.jp\n", "a@b", "c.jp", true },
        { "\"a@c.jp\"\n", "a", "c.jp", false },
        { "\"a@c.jp\"\n", "a@c.jp", "d.jp", true },
        { "\"#a\"@c.jp\n", "#a", "c.jp", true },
        { "x@c.jp\n\"a b\"@c.jp\ny@c.jp", "y", "c.jp", true },
        { "x\na@b.jp\ny", "y", "b.jp", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[128];
        struct table *table = table_new(text_of(rows[i].content), why, sizeof why);
        assert_non_null(table);
        if (table_has(table, text_of(rows[i].local), text_of(rows[i].domain)) != rows[i].in)
            fail_msg("%s: %s@%s", rows[i].content, rows[i].local, rows[i].domain);
        table_free(table);
    }
}

static void complaints(void **state)
{
    static const char *const rows[][2] = {
        { "a b", "1: more than one word; allowed: an address, a local part or @domain" },
        { "a\nb@\n", "2: nothing after the @" },
        { "a\n\n\x01", "3: a control character" },
        { "\"a b@c.jp\n\"", "1: a quote that is not closed" },
        { "\"a\"b@c.jp\n", "1: no @ after the quotes" },
        { "\"a b\"@c.jp d", "1: more than one word; allowed: an address, a local part or @domain" },
        { "\"a b\"@", "1: nothing after the @" },
        { "\"a\x01\"@c.jp", "1: a control character" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[128];
        assert_null(table_new(text_of(rows[i][0]), why, sizeof why));
        assert_string_equal(why, rows[i][1]);
    }
}

static void a_million(void **state)
{
    enum { COUNT = 1000000 };
    struct buffer content = { 0 };
    char why[128], local[32];
    for (int i = 0; i < COUNT; i++) buffer_printf(&content, "user%d@example.jp\n", i);
    buffer_printf(&content, "user7@example.jp\n");
    struct table *table = table_new(buffer_text(&content), why, sizeof why);
    assert_non_null(table);
    assert_int_equal(table_count(table), COUNT);
    for (int i = 0; i < COUNT; i += 997) {
        snprintf(local, sizeof local, "User%d", i);
        assert_true(table_has(table, text_of(local), TEXT("example.jp")));
        assert_false(table_has(table, text_of(local), TEXT("example.com")));
    }
    table_free(table);
    buffer_free(&content);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(complaints),
        cmocka_unit_test(a_million),
    };
    return cmocka_run_group_tests_name("config table", tests, NULL, NULL);
}
