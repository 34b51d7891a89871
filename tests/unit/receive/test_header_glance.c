/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What one pass over a header tells: its size, its hops, where the 8-bit octets are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/trace.h"

static const struct {
    const char *name, *message;
    uint64_t bytes;
    uint32_t received;
    bool header_8bit, body_8bit;
} rows[] = {
    { "nothing", "", 0, 0, false, false },
    { "a header alone", "Subject: a\r\n", 12, 0, false, false },
    { "with its empty line", "Subject: a\r\n\r\nbody\r\n", 14, 0, false, false },
    { "no header", "\r\nbody\r\n", 2, 0, false, false },
    { "two hops", "Received: a\r\nRECEIVED: b\r\n\r\n", 28, 2, false, false },
    { "hops in the body are none", "Subject: a\r\n\r\nReceived: a\r\n", 14, 0, false, false },
    { "another field that begins so", "Received-SPF: pass\r\nX-Received: a\r\n\r\n", 37, 0, false, false },
    { "8-bit in the header", "Subject: \xc3\xa4\r\n\r\nbody\r\n", 15, 0, true, false },
    { "8-bit in the body", "Subject: a\r\n\r\nb\xc3\xa4\r\n", 14, 0, false, true },
    { "8-bit in both", "Subject: \xc3\xa4\r\n\r\nb\xc3\xa4\r\n", 15, 0, true, true },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct header_glance glance;
        header_glance(text_of(rows[i].message), 1000, rows[i].header_8bit || rows[i].body_8bit, &glance);
        if (glance.bytes != rows[i].bytes || glance.received != rows[i].received)
            fail_msg("%s: %llu octets, %u hops", rows[i].name, (unsigned long long)glance.bytes,
                     glance.received);
        if (glance.has_8bit != rows[i].header_8bit || glance.body_has_8bit != rows[i].body_8bit)
            fail_msg("%s: 8-bit %d, %d", rows[i].name, glance.has_8bit, glance.body_has_8bit);
    }
}

/* A header beyond the limit is given up: no more than one octet over it is looked at. */
static void test_limit(void **state)
{
    static const char message[] = "Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n";
    struct header_glance glance;
    (void)state;
    header_glance(text_of(message), sizeof message - 1, false, &glance);
    assert_int_equal(glance.bytes, sizeof message - 1);
    header_glance(text_of(message), 20, false, &glance);
    assert_int_equal(glance.bytes, 21);
    assert_int_equal(glance.received, 1);
}

static void test_missing(void **state)
{
    static const struct {
        const char *message;
        bool has_date, has_message_id, is_missing;
    } lacking[] = {
        { "Subject: a\r\n\r\nDate: x\r\n", false, false, false },
        { "date: x\r\nMESSAGE-ID: <a@b>\r\n\r\n", true, true, false },
        { "Date : x\r\nMessage-ID\t: <a@b>\r\n\r\n", true, true, false },
        { "Dated: x\r\nX-Date: x\r\nResent-Message-ID: <a@b>\r\n\r\n", false, false, false },
        { "Disk full on host1\r\n\r\nDate: x\r\n", false, false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        struct header_glance glance;
        header_glance(text_of(lacking[i].message), 1000, false, &glance);
        assert_int_equal(glance.has_date, lacking[i].has_date);
        assert_int_equal(glance.has_message_id, lacking[i].has_message_id);
        assert_int_equal(glance.is_missing, lacking[i].is_missing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_limit),
                                        cmocka_unit_test(test_missing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
