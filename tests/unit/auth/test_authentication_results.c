/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Authentication-Results written, recognised and read; fields that were made to be misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "auth/authentication_results.h"

static void test_written(void **state)
{
    struct buffer out = { 0 }, payload = { 0 };
    const struct auth_statement statements[] = {
        { .method = TEXT("spf"),
          .result = AUTH_FAIL,
          .comment = TEXT("not (really)\r\nX: y"),
          .properties = { { TEXT("smtp"), TEXT("mailfrom"), TEXT("a+b@example.org") } },
          .property_count = 1 },
        { .method = TEXT("dkim"),
          .result = AUTH_PERMERROR,
          .reason = TEXT("there is \"no\" such key"),
          .properties = { { TEXT("header"), TEXT("d"), TEXT("example.org") },
                          { TEXT("header"), TEXT("i"), TEXT("x\r\ny z@example.org") } },
          .property_count = 2 },
        { .method = TEXT("iprev"),
          .result = AUTH_PASS,
          .properties = { { TEXT("policy"), TEXT("iprev"), TEXT("2001:db8::1") } },
          .property_count = 1 },
    };
    struct authentication_results results = { TEXT("mx.example.jp"), statements, 3 };
    authentication_results_add(&out, TEXT("Authentication-Results"), &results);
    assert_true(
        text_equal(buffer_text(&out),
                   TEXT("Authentication-Results: mx.example.jp;\r\n"
                        "\tspf=fail (not \\(really\\)X: y) smtp.mailfrom=a+b@example.org;\r\n"
                        "\tdkim=permerror reason=\"there is \\\"no\\\" such key\" header.d=example.org\r\n"
                        "\theader.i=\"xy z@example.org\";\r\n"
                        "\tiprev=pass policy.iprev=\"2001:db8::1\"\r\n")));
    results.count = 1;
    authentication_results_payload_add(&payload, &results);
    assert_true(text_equal(buffer_text(&payload),
                           TEXT("; spf=fail (not \\(really\\)X: y) smtp.mailfrom=a+b@example.org")));
    buffer_clear(&out);
    results.count = 0;
    authentication_results_add(&out, TEXT("Authentication-Results"), &results);
    assert_true(text_equal(buffer_text(&out), TEXT("Authentication-Results: mx.example.jp; none\r\n")));
    buffer_free(&out);
    buffer_free(&payload);
}

static void test_ours(void **state)
{
    static const struct {
        const char *value;
        bool is_ours;
    } rows[] = {
        { " mx.example.jp; spf=pass", true },
        { "MX.Example.JP;none", true },
        { "mx.example.jp", true },
        { "mx.example.jp.; none", true },
        { "mx.example.jp 1; none", true },
        { "mx.example.jp (a comment) 1; none", true },
        { "(a (nested \\) one) here)\r\n\t mx.example.jp; none", true },
        { "\"mx.example.jp\"; none", true },
        { "\"mx.\\example\".jp; none", true },
        { "mx.example.jp (unclosed ; none", true },
        { "(unclosed mx.example.jp; none", true },
        { "\"mx.example.jp; none", true },
        { "; mx.example.jp", true },
        { "mx.example.com; spf=pass", false },
        { "xmx.example.jp; spf=pass", false },
        { "mx.example.jp.example.com; none", false },
        { "mx.example.com; x=mx.example.jp", false },
        { "mx.example.com (mx.example.jp); none", false },
        { "(mx.example.jp) mx.example.com; none", false },
        { "", false },
        { "(", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_ours = authentication_results_is_of(text_of(rows[i].value), TEXT("mx.example.jp"));
        if (is_ours != rows[i].is_ours) print_message("row %zu\n", i);
        assert_int_equal(is_ours, rows[i].is_ours);
    }
    assert_true(authentication_results_is_of(TEXT("mx.xn--r8jz45g.jp; none"), TEXT("mx.例え.jp")));
    assert_true(authentication_results_is_of(TEXT("mx.\0example.jp; none"), TEXT("mx.example.jp")));
}

static void test_read(void **state)
{
    struct arena *arena = arena_new(0);
    struct authentication_results results;
    assert_true(authentication_results_read(
        arena,
        TEXT("mx.microsoft.com 1; spf=pass (sender ip is 192.0.2.1)\r\n smtp.rcpttodomain=a.test "
             "smtp.mailfrom=b.test; DMARC=bestguesspass; dmarc=pass (p=none (x;y)) action=none "
             "header.from=b.test;"
             " broken; dkim/1=fail reason=\"a; b\" header.d = b . test; dkim=PASS header . d=\"c\".test; "
             "arc=hardfail"),
        &results));
    assert_true(text_equal(results.authserv_id, TEXT("mx.microsoft.com")));
    assert_int_equal(results.count, 5);
    const struct auth_statement *spf = &results.statements[0], *dkim = &results.statements[2];
    assert_true(
        text_equal(authentication_results_property(spf, TEXT("SMTP"), TEXT("mailfrom")), TEXT("b.test")));
    assert_int_equal(spf->property_count, 2);
    assert_true(text_equal(results.statements[1].method, TEXT("dmarc")));
    assert_true(text_equal(dkim->reason, TEXT("a; b")));
    assert_int_equal(dkim->result, AUTH_FAIL);
    dkim = authentication_results_find(&results, TEXT("dkim"));
    assert_int_equal(dkim->result, AUTH_PASS);
    assert_true(text_equal(authentication_results_property(dkim, TEXT("header"), TEXT("d")), TEXT("c.test")));
    assert_int_equal(results.statements[4].result, AUTH_FAIL);
    assert_null(authentication_results_find(&results, TEXT("iprev")));
    assert_int_equal(authentication_results_property(spf, TEXT("x"), TEXT("y")).length, 0);
    assert_true(authentication_results_read(arena, TEXT("a.test; none"), &results));
    assert_int_equal(results.count, 0);
    assert_false(authentication_results_read(arena, TEXT(" ; spf=pass"), &results));
    assert_false(authentication_results_read(arena, TEXT(""), &results));
    arena_free(arena);
}

/* What was written is read as it was meant. */
static void test_there_and_back(void **state)
{
    struct buffer out = { 0 };
    struct arena *arena = arena_new(0);
    struct authentication_results back;
    for (int result = 0; result < AUTH_RESULT_COUNT; result++) {
        const struct auth_statement statement = { .method = TEXT("dkim"),
                                                  .result = (enum auth_result)result,
                                                  .reason = TEXT("quote \" and \\ and ;"),
                                                  .properties = { { TEXT("header"), TEXT("b"),
                                                                    TEXT("a/b+c=") } },
                                                  .property_count = 1 };
        struct authentication_results results = { TEXT("a b.test"), &statement, 1 };
        buffer_clear(&out);
        authentication_results_add(&out, TEXT("X"), &results);
        assert_true(authentication_results_read(arena, text_slice(buffer_text(&out), 2, SIZE_MAX), &back));
        assert_true(text_equal(back.authserv_id, TEXT("a b.test")));
        assert_int_equal(back.count, 1);
        assert_int_equal(back.statements[0].result, result);
        assert_true(text_equal(back.statements[0].reason, statement.reason));
        assert_true(text_equal(back.statements[0].properties[0].value, TEXT("a/b+c=")));
    }
    buffer_free(&out);
    arena_free(arena);
}

/* Deep comments, very many statements, properties without end: linear, and cut where it is said. */
static void test_bounds(void **state)
{
    struct buffer value = { 0 };
    struct arena *arena = arena_new(0);
    struct authentication_results results;
    clock_t begun = clock();
    for (int i = 0; i < 10000; i++) buffer_add_char(&value, '(');
    for (int i = 0; i < 10000; i++) buffer_add_char(&value, ')');
    buffer_printf(&value, "a.test");
    for (int i = 0; i < 100000; i++) buffer_printf(&value, "; spf=pass");
    for (int i = 0; i < 100000; i++) buffer_printf(&value, " a.b=c");
    assert_true(authentication_results_is_of(buffer_text(&value), TEXT("a.test")));
    assert_true(authentication_results_read(arena, buffer_text(&value), &results));
    assert_int_equal(results.count, AUTH_STATEMENTS_MOST);
    buffer_clear(&value);
    buffer_printf(&value, "a.test; spf=pass");
    for (int i = 0; i < 100000; i++) buffer_printf(&value, " a.b=c");
    assert_true(authentication_results_read(arena, buffer_text(&value), &results));
    assert_int_equal(results.statements[0].property_count, AUTH_PROPERTIES_MOST);
    buffer_clear(&value);
    for (int i = 0; i < 8 << 20; i++) buffer_add_char(&value, '(');
    assert_false(authentication_results_is_of(buffer_text(&value), TEXT("a.test")));
    assert_false(authentication_results_read(arena, buffer_text(&value), &results));
    assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 2);
    buffer_free(&value);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),        cmocka_unit_test(test_ours),   cmocka_unit_test(test_read),
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests_name("authentication results", tests, NULL, NULL);
}
