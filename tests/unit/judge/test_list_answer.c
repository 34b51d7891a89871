/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what lists are asked and say comes over a channel as it was, whatever the bytes are else. */
#include "judge/list_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct list_answer answer = {
    .is_incomplete = true,
    .hit_count = 2,
    .hits = { { .list = TEXT("own"), .line = 7, .reason = TEXT("spam \"source\"") },
              { .list = TEXT("zen"), .answer = { { [10] = 0xff, [11] = 0xff, 127, 0, 0, 2 } } } },
};

static void test_round_trip_and_every_cut(void **state)
{
    struct buffer bytes = { 0 };
    struct list_answer read;
    list_answer_put(&answer, &bytes);
    struct text whole = buffer_text(&bytes);
    assert_true(list_answer_get(whole, &read));
    assert_true(read.is_incomplete && read.hit_count == 2);
    assert_int_equal(read.hits[0].line, 7);
    assert_true(text_equal(read.hits[0].reason, answer.hits[0].reason));
    assert_true(address_equal(&read.hits[1].answer, &answer.hits[1].answer));
    for (size_t length = 0; length < whole.length; length++)
        assert_false(list_answer_get(text_slice(whole, 0, length), &read));
    buffer_free(&bytes);
}

static void test_subjects(void **state)
{
    static const struct {
        const char *subject;
        bool is_one;
        enum list_about about;
        const char *value;
    } rows[] = {
        { "client 192.0.2.1", true, LIST_ABOUT_CLIENT, "192.0.2.1" },
        { "hash 00", true, LIST_ABOUT_HASH, "00" },
        { "link a b", true, LIST_ABOUT_LINK, "a b" },
        { "client ", false, 0, "" },
        { "client", false, 0, "" },
        { "Client 192.0.2.1", false, 0, "" },
        { "", false, 0, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum list_about about;
        struct text value;
        bool is_one = list_subject_get(text_of(rows[i].subject), &about, &value);
        assert_int_equal(is_one, rows[i].is_one);
        if (!is_one) continue;
        assert_int_equal(about, rows[i].about);
        assert_true(text_equal(value, text_of(rows[i].value)));
    }
}

static void test_words(void **state)
{
    static const struct {
        size_t hit;
        const char *subject, *means, *says;
    } rows[] = {
        { 0, "client 192.0.2.1", NULL, "client 192.0.2.1 is listed by own: spam \"source\"" },
        { 1, "client 192.0.2.1", "SBL", "client 192.0.2.1 is listed by zen: SBL (127.0.0.2)" },
        { 1, "helo a\r\nb", NULL, "helo a??b is listed by zen (127.0.0.2)" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer says = { 0 };
        list_hit_say(text_of(rows[i].subject), &answer.hits[rows[i].hit], rows[i].means, &says);
        if (!text_equal(buffer_text(&says), text_of(rows[i].says)))
            fail_msg("%.*s", TEXT_ARG(buffer_text(&says)));
        buffer_free(&says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_and_every_cut),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
