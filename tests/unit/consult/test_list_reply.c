/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: of a server's reply no more is kept than can be sent back, only what may be a list is one, and a
   server that fails is asked ever more rarely; what is kept of a list is read back, or nothing of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consult/list_store.h"

static void test_lines(void **state)
{
    static const struct {
        const char *line, *etag, *modified;
    } rows[] = {
        { "ETag: \"one\"\r\n", "\"one\"", "" },
        { "etag:W/\"two\"", "W/\"two\"", "" },
        { "Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n", "", "Mon, 02 Nov 2026 10:00:00 GMT" },
        { "ETag: \"a\nX: b\"", "", "" },
        { "ETag", "", "" },
        { "", "", "" },
        { "Etags: \"one\"", "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct list_validators validators = { { 0 }, { 0 } };
        list_reply_line(text_of(rows[i].line), &validators);
        assert_string_equal(validators.etag, rows[i].etag);
        assert_string_equal(validators.modified, rows[i].modified);
    }
}

static void test_a_new_head_and_what_is_too_long(void **state)
{
    struct list_validators validators = { "\"old\"", "then" };
    char line[400];
    list_reply_line(TEXT("HTTP/1.1 200 OK\r\n"), &validators);
    assert_string_equal(validators.etag, "");
    assert_string_equal(validators.modified, "");
    memset(line, 'x', sizeof line);
    memcpy(line, "ETag: ", 6);
    list_reply_line(text_from(line, sizeof line), &validators);
    assert_string_equal(validators.etag, "");
}

static void test_content_types(void **state)
{
    static const struct {
        const char *type;
        bool is_list;
    } rows[] = {
        { NULL, true },
        { "", true },
        { "text/plain; charset=utf-8", true },
        { "TEXT/CSV", true },
        { "text/html", false },
        { "text/html ; charset=x", false },
        { "image/png", false },
        { "texts", false },
        { "application/octet-stream", true },
        { "application/json", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(list_reply_is_list(rows[i].type), rows[i].is_list);
}

static void test_retries(void **state)
{
    assert_int_equal(list_reply_retry_ms(1, 3600000), 60000);
    assert_int_equal(list_reply_retry_ms(2, 3600000), 120000);
    assert_int_equal(list_reply_retry_ms(7, 3600000), 3600000);
    assert_int_equal(list_reply_retry_ms(UINT32_MAX, 3600000), 3600000);
    assert_int_equal(list_reply_retry_ms(1, 1000), 1000);
}

static void test_records(void **state)
{
    static const char *const bad[] = { "",
                                       "https://a.test/\n",
                                       "u\n\n\n1\n2\nx\n",
                                       "u\n\n\n1\n2\n3\nmore\n",
                                       "u\n\x01\n\n1\n2\n3\n",
                                       "u\n\n\n-1\n2\n3\n" };
    struct list_record record = { .url = "https://a.test/list",
                                  .fetched_ms = 17,
                                  .came_ms = 16,
                                  .bytes = 15 },
                       back;
    struct buffer text = { 0 };
    memcpy(record.validators.etag, "\"e\"", 4);
    list_record_print(&record, &text);
    assert_true(list_record_parse(buffer_text(&text), &back));
    assert_string_equal(back.url, record.url);
    assert_string_equal(back.validators.etag, "\"e\"");
    assert_string_equal(back.validators.modified, "");
    assert_int_equal(back.fetched_ms + back.came_ms + back.bytes, 48);
    buffer_free(&text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (list_record_parse(text_of(bad[i]), &back)) fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_a_new_head_and_what_is_too_long),
        cmocka_unit_test(test_content_types), cmocka_unit_test(test_retries),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
