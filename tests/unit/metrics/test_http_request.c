/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests and the status of their replies; whole, and in all pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "metrics/http_request.h"

#define HOST "Host: a\r\n"
#define END "\r\n"

static const struct row {
    const char *request;
    unsigned status;
} rows[] = {
    { "GET /metrics HTTP/1.1\r\n" HOST END, 200 },
    { "GET /metrics HTTP/1.0\r\n" END, 200 },
    { "HEAD /metrics HTTP/1.1\r\n" HOST END, 200 },
    { "GET /metrics?name=x HTTP/1.1\r\n" HOST END, 200 },
    { "GET http://a:9464/metrics HTTP/1.1\r\n" HOST END, 200 },
    { "\r\n\r\nGET /metrics HTTP/1.0\r\n" END, 200 },
    { "GET /metrics HTTP/1.1\r\nhost:a\r\nX-Y: z\t\xe3\x81\x82\r\nEmpty:\r\n" END, 200 },
    { "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "abc", 200 },

    { "GET / HTTP/1.1\r\n" HOST END, 404 },
    { "GET /metrics/ HTTP/1.1\r\n" HOST END, 404 },
    { "GET /Metrics HTTP/1.1\r\n" HOST END, 404 },
    { "GET /../metrics HTTP/1.1\r\n" HOST END, 404 },
    { "POST /metrics HTTP/1.1\r\n" HOST END, 405 },
    { "get /metrics HTTP/1.1\r\n" HOST END, 405 },
    { "PRI * HTTP/2.0\r\n" END "SM\r\n\r\n", 505 },
    { "GET /metrics HTTP/2.0\r\n" HOST END, 505 },

    { "GET /metrics HTTP/1.1\r\n" END, 400 },           /* no Host */
    { "GET /metrics HTTP/1.1\r\n" HOST HOST END, 400 }, /* two */
    { "GET /metrics HTTP/1.0\r\n" HOST HOST END, 400 },
    { "GET /metrics\r\n" END, 400 }, /* HTTP/0.9 */
    { "GET  /metrics HTTP/1.1\r\n" HOST END, 400 },
    { "GET /metrics HTTP/1.1 \r\n" HOST END, 400 },
    { "GET /metrics HTTP/1.10\r\n" HOST END, 400 },
    { "GET /metrics http/1.1\r\n" HOST END, 400 },
    { "GET metrics HTTP/1.1\r\n" HOST END, 400 },
    { "GET https://a/metrics HTTP/1.1\r\n" HOST END, 400 },
    { "GET http://a HTTP/1.1\r\n" HOST END, 400 },
    { " GET /metrics HTTP/1.1\r\n" HOST END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST " folded\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\nHost : a\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST "no colon\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST ": no name\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST "A: \x01\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST "A: b\nC: d\r\n" END, 400 },
    { "GET /metrics HTTP/1.1\r\n" HOST "A: b\rC: d\r\n" END, 400 },
    { "GET /met\x7frics HTTP/1.1\r\n" HOST END, 400 },
    { "EHLO x\r\n\r\n", 400 },

    { "", 0 },
    { "\r\n", 0 },
    { "GET /metrics HTTP/1.1\r\n" HOST, 0 },
    { "GET /metrics HTTP/1.1\n\n", 0 }, /* until it is too long */
};

static void statuses(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_request request;
        struct text whole = text_of(rows[i].request);
        unsigned status = http_request_parse(whole, &request);
        if (status != rows[i].status) fail_msg("%s: %u", rows[i].request, status);
        for (size_t length = 0; length < whole.length; length++) {
            status = http_request_parse(text_slice(whole, 0, length), &request);
            if (status != 0 && status != rows[i].status)
                fail_msg("%s: %zu: %u", rows[i].request, length, status);
        }
    }
}

static void requests(void **state)
{
    struct http_request request;
    assert_int_equal(http_request_parse(TEXT("HEAD http://a/metrics?b HTTP/1.0\r\n\r\n"), &request), 200);
    assert_true(request.is_head);
    assert_true(text_equal(request.path, TEXT("/metrics")));
    assert_int_equal(http_request_parse(TEXT("GET /metrics HTTP/1.0\r\n\r\n"), &request), 200);
    assert_false(request.is_head);
}

/* Up to the limit the end is waited for; a head that ends beyond it is too long. */
static void limit(void **state)
{
    struct http_request request;
    struct buffer head = { 0 };
    buffer_add_text(&head, TEXT("GET /metrics HTTP/1.0\r\nA: "));
    while (buffer_length(&head) < HTTP_HEAD_MOST - 4) buffer_add_char(&head, 'x');
    assert_int_equal(http_request_parse(buffer_text(&head), &request), 0);
    buffer_add_text(&head, TEXT("\r\n\r\n"));
    assert_int_equal(http_request_parse(buffer_text(&head), &request), 200);
    buffer_truncate(&head, HTTP_HEAD_MOST - 4);
    buffer_add_text(&head, TEXT("x\r\n\r\n"));
    assert_int_equal(http_request_parse(buffer_text(&head), &request), 431);
    buffer_free(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),
        cmocka_unit_test(requests),
        cmocka_unit_test(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
