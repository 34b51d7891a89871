/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What an evaluation knows and wants of the DNS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dns/answers.h"

enum { BYTES_MOST = 32 * 1024 };

static int begin(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int end(void **state)
{
    arena_free(*state);
    return 0;
}

static void test_wanted_once_then_known(void **state)
{
    struct dns_answers answers = { .arena = *state };
    assert_null(dns_answers_find(&answers, TEXT("A.Test."), RECORD_TXT));
    assert_null(dns_answers_find(&answers, TEXT("a.test"), RECORD_TXT));
    assert_null(dns_answers_find(&answers, TEXT("a.test"), RECORD_A));
    assert_int_equal(answers.count, 2);
    const struct dns_lookup *wanted = dns_answers_wanted(&answers, 0);
    assert_true(text_equal(wanted->name, TEXT("a.test")));
    assert_int_equal(wanted->type, RECORD_TXT);

    dns_answers_put(&answers, TEXT("a.test"), RECORD_TXT, &(struct dns_answer){ .status = DNS_NONE });
    assert_int_equal(dns_answers_find(&answers, TEXT("A.TEST"), RECORD_TXT)->status, DNS_NONE);
    assert_int_equal(dns_answers_wanted(&answers, 0)->type, RECORD_A);
    dns_answers_close(&answers);
    assert_null(dns_answers_wanted(&answers, 0));
    assert_int_equal(dns_answers_find(&answers, TEXT("a.test"), RECORD_A)->status, DNS_TEMPERROR);
}

static void test_what_no_name_can_be_is_not_asked(void **state)
{
    static const char *const names[] = {
        "", ".", "a..b", ".a", "0123456789012345678901234567890123456789012345678901234567890123.test"
    };
    char longest[300];
    struct dns_answers answers = { .arena = *state };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct dns_answer *answer = dns_answers_find(&answers, text_of(names[i]), RECORD_A);
        assert_non_null(answer);
        assert_int_equal(answer->status, DNS_NONE);
        assert_true(answer->is_nxdomain);
    }
    for (size_t i = 0; i < sizeof longest; i++) longest[i] = i % 2 ? '.' : 'a';
    assert_non_null(dns_answers_find(&answers, text_from(longest, 255), RECORD_A));
    assert_null(dns_answers_find(&answers, text_from(longest, 253), RECORD_A));
    assert_null(dns_answers_find(&answers, TEXT("a\\000b.test"), RECORD_A));
    assert_int_equal(answers.count, 2);
}

static void test_too_many_questions_have_no_answer(void **state)
{
    char name[16];
    struct dns_answers answers = { .arena = *state };
    for (int i = 0; i < DNS_ANSWERS_MOST; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_null(dns_answers_find(&answers, text_of(name), RECORD_A));
    }
    assert_int_equal(dns_answers_find(&answers, TEXT("one.more"), RECORD_A)->status, DNS_TEMPERROR);
    assert_int_equal(answers.count, DNS_ANSWERS_MOST);
    assert_null(dns_answers_find(&answers, TEXT("n0"), RECORD_A));
}

static bool only_txt(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    ++*(int *)context;
    *out = (struct dns_answer){ .status = DNS_NONE, .is_nxdomain = true };
    return type == RECORD_TXT;
}

static void test_at_hand_is_asked_first(void **state)
{
    int asked = 0;
    struct dns_answers answers = { .arena = *state, .at_hand = only_txt, .context = &asked };
    assert_true(dns_answers_find(&answers, TEXT("a.test"), RECORD_TXT)->is_nxdomain);
    assert_true(dns_answers_find(&answers, TEXT("a.test"), RECORD_TXT)->is_nxdomain);
    assert_int_equal(asked, 1);
    assert_null(dns_answers_find(&answers, TEXT("a.test"), RECORD_A));
    assert_null(dns_answers_find(&answers, TEXT("a.test"), RECORD_A));
    assert_int_equal(asked, 2);
    assert_int_equal(dns_answers_wanted(&answers, 0)->type, RECORD_A);
}

static void test_byte_form(void **state)
{
    struct dns_record mx[] = { { .preference = 10, .name = TEXT("mx.test") } },
                      txt[] = { { .text = TEXT("v=spf1") } };
    struct dns_answers answers = { .arena = *state }, again = { .arena = *state };
    struct buffer bytes = { 0 };
    dns_answers_find(&answers, TEXT("open.test"), RECORD_A); /* wanted: it does not travel */
    dns_answers_put(&answers, TEXT("a.test"), RECORD_MX,
                    &(struct dns_answer){ .count = 1, .records = mx, .secure = true });
    dns_answers_put(&answers, TEXT("a.test"), RECORD_TXT, &(struct dns_answer){ .count = 1, .records = txt });
    dns_answers_put(&answers, TEXT("b.test"), RECORD_A,
                    &(struct dns_answer){ .status = DNS_NONE, .is_nxdomain = true });
    dns_answers_write(&answers, BYTES_MOST, &bytes);
    struct reader reader = reader_of(buffer_text(&bytes));
    assert_true(dns_answers_read(&again, &reader));
    assert_int_equal(again.count, 3);
    const struct dns_answer *answer = dns_answers_find(&again, TEXT("a.test"), RECORD_MX);
    assert_true(answer->secure && answer->records[0].preference == 10);
    assert_true(text_equal(answer->records[0].name, TEXT("mx.test")));
    assert_true(
        text_equal(dns_answers_find(&again, TEXT("a.test"), RECORD_TXT)->records[0].text, TEXT("v=spf1")));
    assert_true(dns_answers_find(&again, TEXT("b.test"), RECORD_A)->is_nxdomain);
    unsigned whole = 0;
    for (size_t length = 1; length < buffer_length(&bytes);
         length++) { /* cut between two answers it is whole */
        struct dns_answers cut = { .arena = *state };
        reader = reader_of(text_slice(buffer_text(&bytes), 0, length));
        whole += dns_answers_read(&cut, &reader);
    }
    assert_int_equal(whole, 2);
    buffer_free(&bytes);
}

static void test_byte_form_has_a_limit(void **state)
{
    static char many[BYTES_MOST];
    struct dns_record txt[] = { { .text = text_from(many, sizeof many - 200) } };
    struct dns_answers answers = { .arena = *state };
    struct buffer bytes = { 0 };
    dns_answers_put(&answers, TEXT("a.test"), RECORD_TXT, &(struct dns_answer){ .count = 1, .records = txt });
    dns_answers_put(&answers, TEXT("b.test"), RECORD_TXT, &(struct dns_answer){ .count = 1, .records = txt });
    dns_answers_write(&answers, BYTES_MOST, &bytes);
    assert_in_range(buffer_length(&bytes), sizeof many - 200, BYTES_MOST);
    buffer_free(&bytes);
}

static void test_names_of_types(void **state)
{
    enum dns_record_type type;
    assert_true(dns_record_type_find(TEXT("txt"), &type));
    assert_int_equal(type, RECORD_TXT);
    assert_string_equal(dns_record_type_name(RECORD_AAAA), "AAAA");
    assert_false(dns_record_type_find(TEXT("SPF"), &type));
    assert_null(dns_record_type_name((enum dns_record_type)99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wanted_once_then_known, begin, end),
        cmocka_unit_test_setup_teardown(test_what_no_name_can_be_is_not_asked, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many_questions_have_no_answer, begin, end),
        cmocka_unit_test_setup_teardown(test_at_hand_is_asked_first, begin, end),
        cmocka_unit_test_setup_teardown(test_byte_form, begin, end),
        cmocka_unit_test_setup_teardown(test_byte_form_has_a_limit, begin, end),
        cmocka_unit_test(test_names_of_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
