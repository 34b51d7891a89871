/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: spellings of one address, and of one link, are one value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge/list_answer.h"
#include "judge/list_value.h"

struct row {
    const char *word, *value; /* NULL: none */
};

static void rows_check(const struct row *rows, size_t count,
                       bool (*make)(struct text word, struct buffer *out))
{
    for (size_t i = 0; i < count; i++) {
        struct buffer value = { 0 };
        bool is_one = make(text_of(rows[i].word), &value);
        bool is_right = is_one ? rows[i].value && text_equal(buffer_text(&value), text_of(rows[i].value))
                               : !rows[i].value && buffer_length(&value) == 0;
        if (!is_right) fail_msg("%s: %.*s", rows[i].word, TEXT_ARG(buffer_text(&value)));
        buffer_free(&value);
    }
}

static void test_addresses(void **state)
{
    static const struct row rows[] = {
        { "User+Tag@HBLtest.com", "user@hbltest.com" },
        { "first.last@googlemail.com", "firstlast@gmail.com" },
        { "first.last@example.com", "first.last@example.com" },
        { "a@b@c.test", "a@b@c.test" },
        { "nobody", NULL },
        { "@example.com", NULL },
        { "user@", NULL },
        { "+tag@example.com", NULL },
        { "us er@example.com", NULL },
        { "", NULL },
    };
    rows_check(rows, sizeof rows / sizeof *rows, list_value_address);
}

static void test_links(void **state)
{
    static const struct row rows[] = {
        { "https://www.hbltest.com/test", "www.hbltest.com/test" },
        { "HTTP://user:word@WWW.Example.COM:8080/", "www.example.com" },
        { "http://a.test/Path?q=1#part", "a.test/Path?q=1" },
        { "a.test?q", "a.test?q" },
        { "http://", NULL },
        { "http://a.test/a b", NULL },
    };
    rows_check(rows, sizeof rows / sizeof *rows, list_value_url);
}

static void test_what_is_too_long(void **state)
{
    char word[LIST_VALUE_MOST + 20];
    struct buffer value = { 0 };
    memset(word, 'x', sizeof word);
    memcpy(word, "a.test/", 7);
    assert_false(list_value_url(text_from(word, sizeof word), &value));
    word[8] = '@';
    assert_false(list_value_address(text_from(word, sizeof word), &value));
    buffer_free(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses), cmocka_unit_test(test_links),
                                        cmocka_unit_test(test_what_is_too_long) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
