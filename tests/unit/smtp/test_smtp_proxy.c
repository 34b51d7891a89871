/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* PROXY headers. A row is bytes and who the client is; every shorter piece of a good header asks for more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "smtp/proxy.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static void describe(struct text bytes, char *room, size_t size, size_t *out_used)
{
    static const char *const outcomes[] = { "more", "client", "local", "bad" };
    struct endpoint client = { 0 };
    char address[ADDRESS_TEXT_SIZE];
    enum proxy_outcome outcome = proxy_parse(bytes, &client, out_used);
    if (outcome == PROXY_CLIENT)
        snprintf(room, size, "%s %u", address_print(&client.address, address), client.port);
    else
        snprintf(room, size, "%s", outcomes[outcome]);
}

struct row {
    struct text bytes;
    const char *expected;
    size_t left;
};

static void check(const struct row *row)
{
    char got[80];
    size_t used;
    describe(row->bytes, got, sizeof got, &used);
    if (strcmp(got, row->expected) != 0)
        fail_msg("%.*s\n  gives    %s\n  expected %s", TEXT_ARG(row->bytes), got, row->expected);
    if (strcmp(got, "bad") == 0 || strcmp(got, "more") == 0) return;
    assert_int_equal(row->bytes.length - used, row->left);
    for (size_t cut = 0; cut < used; cut++) {
        size_t ignored;
        describe(text_slice(row->bytes, 0, cut), got, sizeof got, &ignored);
        assert_string_equal(got, "more");
    }
}

static void version_1(void **state)
{
    static const struct row rows[] = {
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n"), "192.0.2.1 56324", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\nEHLO x\r\n"), "192.0.2.1 56324", 8 },
        { TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n"), "2001:db8::1 1", 0 },
        { TEXT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 1 25\r\n"), "192.0.2.1 1", 0 },
        { TEXT("PROXY TCP6 ::FFFF:c000:201 2001:db8::2 1 25\r\n"), "192.0.2.1 1", 0 },
        { TEXT("PROXY TCP6 2001:db8::1 ::ffff:198.51.100.1 1 25\r\n"), "2001:db8::1 1", 0 },
        { TEXT("PROXY TCP6 0000:0000:0000:0000:0000:ffff:192.0.2.1 ::1 1 25\r\n"), "192.0.2.1 1", 0 },
        { TEXT("PROXY TCP6 fe80::1%eth0 fe80::2%eth0 1 25\r\n"), "fe80::1 1", 0 },
        { TEXT("PROXY TCP6 2001:db8::1%eth0 2001:db8::2 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP6 ::ffff:192.0.2.256 ::ffff:198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP6 ::ffff:192.0.2.1 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP6 ::ffff:192.0.2.1/120 ::ffff:198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 ::ffff:192.0.2.1 ::ffff:198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 ::ffff:198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1x 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY UNKNOWN\r\n"), "local", 0 },
        { TEXT("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\nx"), "local", 1 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 65536 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 -1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 012 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 1 25 9\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP6 192.0.2.1 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 host.example 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY UDP4 192.0.2.1 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY \r\n"), "bad", 0 },
        { TEXT("PROXY\tTCP4"), "bad", 0 },
        { TEXT("proxy TCP4 192.0.2.1 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1\0 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 1 25\0\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4\0192.0.2.1 198.51.100.1 1 25\r\n"), "bad", 0 },
        { TEXT("PROXY UNKNOWN\0\r\n"), "bad", 0 },
        { TEXT("PROXY UNKNOWN \0\r\n"), "bad", 0 },
        { TEXT("PROXY UNKNOWN\nEHLO x\r\n"), "bad", 0 },
        { TEXT("PROXY UNKNOWN a\rEHLO x\r\n"), "bad", 0 },
        { TEXT("EHLO x\r\n"), "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25                                              "
               "                                   \r\n"),
          "bad", 0 },
        { TEXT("PROXY TCP4 192.0.2.1"), "more", 0 },
        { TEXT(""), "more", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i]);
}

static void version_2(void **state)
{
    static const struct row rows[] = {
        { TEXT(V2 "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00\x19"), "192.0.2.1 56324", 0 },
        { TEXT(V2 "\x21\x11\x00\x10\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00\x19\x04\x00\x01xEHLO"),
          "192.0.2.1 56324", 4 },
        { TEXT(V2 "\x21\x21\x00\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0"
                  "\0\0\0"
                  "\x02\x00\x07\x00\x19"),
          "2001:db8::1 7", 0 },
        { TEXT(V2 "\x21\x21\x00\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0"
                  "\0\xff\xff\xc6\x33\x64\x01\x00\x07\x00\x19"),
          "192.0.2.1 7", 0 },
        { TEXT(V2 "\x20\x00\x00\x00"), "local", 0 },
        { TEXT(V2 "\x20\x11\x00\x02xxE"), "local", 1 },
        { TEXT(V2 "\x21\x00\x00\x00"), "local", 0 },
        { TEXT(V2 "\x21\x11\x00\x0b\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00"), "bad", 0 },
        { TEXT(V2 "\x21\x31\x00\x00"), "bad", 0 },
        { TEXT(V2 "\x21\x12\x00\x00"), "bad", 0 },
        { TEXT(V2 "\x22\x11\x00\x00"), "bad", 0 },
        { TEXT(V2 "\x11\x11\x00\x00"), "bad", 0 },
        { TEXT(V2 "\x21\x11\xff\xff"), "bad", 0 },
        { TEXT("\r\n\r\n\0\r\nQUIX"), "bad", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(version_1), cmocka_unit_test(version_2) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
