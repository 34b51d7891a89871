/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: only https:// addresses of a host are read, whole; and which addresses are none of the world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/web_address.h"

static void test_good(void **state)
{
    static const struct {
        const char *word, *host;
        uint16_t port;
        bool is_address;
    } rows[] = {
        { "https://lists.example.com/drop.txt", "lists.example.com", 443, false },
        { "HTTPS://a.test:8443/x?y=1", "a.test", 8443, false },
        { "https://a.test", "a.test", 443, false },
        { "https://a.test?x", "a.test", 443, false },
        { "https://192.0.2.1/x", "192.0.2.1", 443, true },
        { "https://[2001:db8::1]:444/x", "2001:db8::1", 444, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct web_address where;
        if (!web_address_read(text_of(rows[i].word), &where)) fail_msg("not taken: %s", rows[i].word);
        assert_true(text_equal(where.host, text_of(rows[i].host)));
        assert_int_equal(where.port, rows[i].port);
        assert_int_equal(where.is_address, rows[i].is_address);
    }
}

static void test_bad(void **state)
{
    static const char *const rows[] = { "",
                                        "https://",
                                        "http://a.test/",
                                        "https:/a.test/",
                                        "file:///etc/passwd",
                                        "https://user@a.test/",
                                        "https://user:word@a.test/",
                                        "https://a.test/#part",
                                        "https://a.test/a b",
                                        "https://a.test/\x01",
                                        "https://a.test:/x",
                                        "https://a.test:0/x",
                                        "https://a.test:65536/x",
                                        "https://[::1/x",
                                        "https://[a.test]/x",
                                        "https://::1/x",
                                        "https://[192.0.2.1]/x",
                                        "https://a_b%41.test/" };
    char word[WEB_ADDRESS_MOST + 40] = "https://a.test/";
    struct web_address where;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (web_address_read(text_of(rows[i]), &where)) fail_msg("taken: %s", rows[i]);
    memset(word + 15, 'x', WEB_ADDRESS_MOST);
    assert_false(web_address_read(text_of(word), &where));
}

static void test_inside(void **state)
{
    static const char *const inside[] = { "127.0.0.1",
                                          "10.1.2.3",
                                          "172.31.0.1",
                                          "192.168.1.1",
                                          "169.254.169.254",
                                          "100.64.0.1",
                                          "0.0.0.0",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fd00::1",
                                          "224.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "64:ff9b::a00:1",
                                          "2002:a00:1::" };
    static const char *const world[] = { "192.0.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1",
                                         "::ffff:8.8.8.8" };
    struct address address;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (!address_parse(text_of(inside[i]), &address) || !web_address_is_inside(&address))
            fail_msg("of the world: %s", inside[i]);
    for (size_t i = 0; i < sizeof world / sizeof *world; i++)
        if (!address_parse(text_of(world[i]), &address) || web_address_is_inside(&address))
            fail_msg("inside: %s", world[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                        cmocka_unit_test(test_inside) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
