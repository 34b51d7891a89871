/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where links lead, as a browser reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "spam/link_host.h"
#include "spam/link_shape.h"

static void test_hosts(void **state)
{
    static const struct {
        const char *url;
        bool is_bare;
        const char *host, *path, *flags; /* s https, a address, p port, u user, x punycode */
    } rows[] = {
        { "http://Example.TEST/path?q", false, "example.test", "/path?q", "" },
        { " HTTPS:\\\\example.test\\x", false, "example.test", "\\x", "s" },
        { "//example.test", false, "example.test", "", "" },
        { "https:example.test", false, "example.test", "", "s" },
        { "http://www.bank.test@evil.test:8080/", false, "evil.test", "/", "pu" },
        { "http://192.0.2.1/x", false, "192.0.2.1", "/x", "a" },
        { "http://[2001:db8::1]/", false, "[2001:db8::1]", "/", "a" },
        { "http://xn--bcher-kva.test./", false, "xn--bcher-kva.test", "/", "x" },
        { "www.example.test/a", true, "www.example.test", "/a", "" },
        { "www.example.test/a", false, "", "", "" },
        { "mailto:a@example.test", false, "", "", "" },
        { "#top", false, "", "", "" },
        { "http://", false, "", "", "" },
        { "click here", true, "", "", "" },
        { "http://localhost/", false, "", "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct link_host host;
        char flags[8] = "";
        link_host_read(text_of(rows[i].url), rows[i].is_bare, &host);
        if (host.host[0] && host.is_https) strcat(flags, "s");
        if (host.host[0] && host.is_address) strcat(flags, "a");
        if (host.host[0] && host.has_port) strcat(flags, "p");
        if (host.host[0] && host.has_user) strcat(flags, "u");
        if (host.host[0] && host.is_punycode) strcat(flags, "x");
        if (strcmp(host.host, rows[i].host) != 0 || !text_equal(host.path, text_of(rows[i].path)) ||
            strcmp(flags, rows[i].flags) != 0)
            fail_msg("%s: %s %.*s %s", rows[i].url, host.host, TEXT_ARG(host.path), flags);
    }
}

static void test_coded_addresses(void **state)
{
    static const struct {
        const char *path;
        bool is_coded;
    } rows[] = {
        { "/v/dGFyb0BleGFtcGxlLmFjLmpw", true },
        { "/v?u=dGFyb0BleGFtcGxlLmFjLmpw&x=1", true },
        { "/7461726f406578616d706c652e61632e6a70", true },
        { "/7461726F406578616D706C652E61632E6A70/", true },
        { "/v/dGFybyBleGFtcGxlLmFjLmpw", false }, /* a blank for the "@" */
        { "/taro@example.ac.jp", false },         /* in clear */
        { "/0123456789abcdef0123456789abcdef", false },
        { "/YUBiLmM=", false }, /* too short */
        { "", false },
    };
    char longest[5000];
    memset(longest, 'a', sizeof longest);
    assert_false(link_has_coded_address(text_from(longest, sizeof longest)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (link_has_coded_address(text_of(rows[i].path)) != rows[i].is_coded) fail_msg("%s", rows[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts),
                                        cmocka_unit_test(test_coded_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
