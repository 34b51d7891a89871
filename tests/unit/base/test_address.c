/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every spelling of an address, a network and an endpoint. A row is a text and what it is, NULL: refused. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/address.h"

/* What every parser of addresses reads, and reads alike. */
static const struct {
    struct text text;
    const char *printed;
} spellings[] = {
    { TEXT("192.0.2.1"), "192.0.2.1" },
    { TEXT("0.0.0.0"), "0.0.0.0" },
    { TEXT("255.255.255.255"), "255.255.255.255" },
    { TEXT("2001:db8::1"), "2001:db8::1" },
    { TEXT("2001:DB8:0:0:0:0:0:1"), "2001:db8::1" },
    { TEXT("2001:db8::192.0.2.1"), "2001:db8::c000:201" },
    { TEXT("::"), "::" },
    { TEXT("::1"), "::1" },
    { TEXT("fe80::1"), "fe80::1" },
    { TEXT("::ffff:192.0.2.1"), "192.0.2.1" },
    { TEXT("::FFFF:192.0.2.1"), "192.0.2.1" },
    { TEXT("::ffff:c000:201"), "192.0.2.1" },
    { TEXT("0:0:0:0:0:ffff:192.0.2.1"), "192.0.2.1" },
    { TEXT("0000:0000:0000:0000:0000:ffff:192.168.100.200"), "192.168.100.200" },
    { TEXT("[192.0.2.1]"), "192.0.2.1" },
    { TEXT("[2001:db8::1]"), "2001:db8::1" },
    { TEXT("[::ffff:192.0.2.1]"), "192.0.2.1" },
    { TEXT("[IPv6:2001:DB8::1]"), "2001:db8::1" },
    { TEXT("[ipv6:::1]"), "::1" },
    { TEXT("IPV6:2001:db8::1"), "2001:db8::1" },
    { TEXT("IPv6:::ffff:192.0.2.1"), "192.0.2.1" },
    { TEXT("[IPV6:::ffff:192.0.2.1]"), "192.0.2.1" },
    { TEXT(""), NULL },
    { TEXT("host"), NULL },
    { TEXT("localhost"), NULL },
    { TEXT("192.0.2"), NULL },
    { TEXT("192.0.2.256"), NULL },
    { TEXT("192.0.2.01"), NULL },
    { TEXT("192.0.2.1."), NULL },
    { TEXT("192.0.2.1.5"), NULL },
    { TEXT("0xC0.0.2.1"), NULL },
    { TEXT("3221225985"), NULL },
    { TEXT(" 192.0.2.1"), NULL },
    { TEXT("192.0.2.1 "), NULL },
    { TEXT("192.0.2.1x"), NULL },
    { TEXT("192.0.2.1\0"), NULL },
    { TEXT("192.0.2.1\0.example"), NULL },
    { TEXT("2001:db8::1\n"), NULL },
    { TEXT("192.0.2.1:25"), NULL },
    { TEXT("192.0.2.1/32"), NULL },
    { TEXT("2001:db8::1/128"), NULL },
    { TEXT("2001:db8::1::2"), NULL },
    { TEXT("2001:db8"), NULL },
    { TEXT("1:2:3:4:5:6:7"), NULL },
    { TEXT("1:2:3:4:5:6:7:8:9"), NULL },
    { TEXT("2001:db8::12345"), NULL },
    { TEXT("2001:db8::g"), NULL },
    { TEXT(":"), NULL },
    { TEXT(":::"), NULL },
    { TEXT("::ffff:192.0.2.256"), NULL },
    { TEXT("::ffff:192.0.2"), NULL },
    { TEXT("0000:0000:0000:0000:0000:0000:ffff:192.168.100.200"), NULL },
    { TEXT("[]"), NULL },
    { TEXT("["), NULL },
    { TEXT("[192.0.2.1"), NULL },
    { TEXT("192.0.2.1]"), NULL },
    { TEXT("[[192.0.2.1]]"), NULL },
    { TEXT("[192.0.2.1]x"), NULL },
    { TEXT("[IPv6:192.0.2.1]"), NULL },
    { TEXT("IPV6:192.0.2.1"), NULL },
    { TEXT("IPv6:"), NULL },
    { TEXT("[IPv6:]"), NULL },
    { TEXT("IPv6:IPv6:::1"), NULL },
    { TEXT("IPv6:[::1]"), NULL },
    { TEXT("IPv4:192.0.2.1"), NULL },
    { TEXT("IPv6 ::1"), NULL },
};

typedef bool parse(struct text text, struct address *out);

static void expect(parse *parser, struct text text, const char *printed)
{
    struct address address;
    char room[ADDRESS_TEXT_SIZE];
    const char *got = parser(text, &address) ? address_print(&address, room) : "refused";
    if (strcmp(got, printed ? printed : "refused") != 0)
        fail_msg("%.*s\n  gives    %s\n  expected %s", TEXT_ARG(text), got, printed ? printed : "refused");
}

static void addresses(void **state)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        expect(address_parse, spellings[i].text, spellings[i].printed);
        expect(address_parse_zoned, spellings[i].text, spellings[i].printed);
    }
}

/* Only those who tell of a client may name a zone, and only of a link-local address. */
static void zones(void **state)
{
    static const struct {
        struct text text;
        const char *printed;
    } rows[] = {
        { TEXT("fe80::1%eth0"), "fe80::1" },
        { TEXT("FE80::1%2"), "fe80::1" },
        { TEXT("febf::1%br-lan.7"), "febf::1" },
        { TEXT("[fe80::1%eth0]"), "fe80::1" },
        { TEXT("IPV6:fe80::1%eth0"), "fe80::1" },
        { TEXT("[IPv6:fe80::1%eth0]"), "fe80::1" },
        { TEXT("fe80::1%fifteen-letters"), "fe80::1" },
        { TEXT("fe80::1%sixteen-letters-"), NULL },
        { TEXT("fe80::1%"), NULL },
        { TEXT("fe80::1%eth0%eth1"), NULL },
        { TEXT("fe80::1%eth 0"), NULL },
        { TEXT("fe80::1%eth\0"), NULL },
        { TEXT("fe80::1%eth0/64"), NULL },
        { TEXT("fe80::1/64%eth0"), NULL },
        { TEXT("[fe80::1]%eth0"), NULL },
        { TEXT("%eth0"), NULL },
        { TEXT("fec0::1%eth0"), NULL },
        { TEXT("2001:db8::1%eth0"), NULL },
        { TEXT("::1%lo"), NULL },
        { TEXT("::%eth0"), NULL },
        { TEXT("::ffff:169.254.0.1%eth0"), NULL },
        { TEXT("169.254.0.1%eth0"), NULL },
        { TEXT("192.0.2.1%eth0"), NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect(address_parse, rows[i].text, NULL);
        expect(address_parse_zoned, rows[i].text, rows[i].printed);
    }
}

typedef bool parse_network(struct text text, struct network *out);

static void expect_network(parse_network *parser, const char *text, const char *printed)
{
    struct network network;
    char room[ADDRESS_TEXT_SIZE], got[80] = "refused";
    if (parser(text_of(text), &network))
        snprintf(got, sizeof got, "%s/%d", address_print(&network.address, room),
                 network.bits - (address_is_v4(&network.address) ? 96 : 0));
    if (strcmp(got, printed ? printed : "refused") != 0)
        fail_msg("%s\n  gives    %s\n  expected %s", text, got, printed ? printed : "refused");
}

/* `host` is what an interface's address with this text is. */
static void networks(void **state)
{
    static const struct {
        const char *text, *network, *host;
    } rows[] = {
        { "192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
        { "192.0.2.7", "192.0.2.7/32", "192.0.2.7/32" },
        { "192.0.2.7/32", "192.0.2.7/32", "192.0.2.7/32" },
        { "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
        { "[192.0.2.0]/24", "192.0.2.0/24", "192.0.2.0/24" },
        { "2001:db8::/32", "2001:db8::/32", "2001:db8::/32" },
        { "2001:db8::1", "2001:db8::1/128", "2001:db8::1/128" },
        { "::/0", "::/0", "::/0" },
        { "[2001:db8::]/32", "2001:db8::/32", "2001:db8::/32" },
        { "IPv6:2001:db8::/32", "2001:db8::/32", "2001:db8::/32" },
        { "[IPv6:2001:db8::]/32", "2001:db8::/32", "2001:db8::/32" },
        { "fe80::/10", "fe80::/10", "fe80::/10" },
        { "::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.7/32" },
        { "::ffff:192.0.2.7/128", "192.0.2.7/32", "192.0.2.7/32" },
        { "::ffff:192.0.2.0/120", "192.0.2.0/24", "192.0.2.0/24" },
        { "::ffff:0:0/96", "0.0.0.0/0", "0.0.0.0/0" },
        { "::ffff:192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
        { "192.0.2.1/24", NULL, "192.0.2.1/24" },
        { "2001:db8::1/64", NULL, "2001:db8::1/64" },
        { "2001:db8::1/0", NULL, "2001:db8::1/0" },
        { "::ffff:192.0.2.1/120", NULL, "192.0.2.1/24" },
        { "192.0.2.0/33", NULL, NULL },
        { "192.0.2.0/120", NULL, NULL },
        { "2001:db8::/129", NULL, NULL },
        { "::ffff:192.0.2.0/33", NULL, NULL },
        { "::ffff:0:0/95", NULL, NULL },
        { "::ffff:192.0.2.0/129", NULL, NULL },
        { "192.0.2.0/", NULL, NULL },
        { "/24", NULL, NULL },
        { "192.0.2.0/-1", NULL, NULL },
        { "192.0.2.0/+24", NULL, NULL },
        { "192.0.2.0/24 ", NULL, NULL },
        { "192.0.2.0/24/24", NULL, NULL },
        { "192.0.2.0/255.255.255.0", NULL, NULL },
        { "192.0.2/24", NULL, NULL },
        { "[192.0.2.0/24]", NULL, NULL },
        { "fe80::1%eth0", NULL, NULL },
        { "fe80::%eth0/10", NULL, NULL },
        { "example.jp/24", NULL, NULL },
        { "", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_network(network_parse, rows[i].text, rows[i].network);
        expect_network(network_parse_interface, rows[i].text, rows[i].host);
    }
}

static void membership(void **state)
{
    static const struct {
        const char *network, *address;
        bool has;
    } rows[] = {
        { "192.0.2.0/24", "192.0.2.255", true },
        { "192.0.2.0/24", "::ffff:192.0.2.255", true },
        { "::ffff:192.0.2.0/120", "192.0.2.255", true },
        { "192.0.2.0/24", "192.0.3.0", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "0.0.0.0/0", "203.0.113.9", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.6", false },
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct network network;
        struct address address;
        assert_true(network_parse(text_of(rows[i].network), &network));
        assert_true(address_parse(text_of(rows[i].address), &address));
        if (network_has(&network, &address) != rows[i].has)
            fail_msg("%s has %s: not %d", rows[i].network, rows[i].address, rows[i].has);
    }
}

enum { MUST = -1 };

static void endpoints(void **state)
{
    static const struct {
        const char *text;
        int fallback;
        const char *printed;
    } rows[] = {
        { "192.0.2.1:25", MUST, "192.0.2.1 25" },
        { "192.0.2.1:0", MUST, "192.0.2.1 0" },
        { "192.0.2.1:65535", MUST, "192.0.2.1 65535" },
        { "[192.0.2.1]:25", MUST, "192.0.2.1 25" },
        { "[2001:db8::1]:25", MUST, "2001:db8::1 25" },
        { "[IPv6:2001:db8::1]:25", MUST, "2001:db8::1 25" },
        { "[::ffff:192.0.2.1]:25", MUST, "192.0.2.1 25" },
        { "192.0.2.1", 587, "192.0.2.1 587" },
        { "192.0.2.1:25", 587, "192.0.2.1 25" },
        { "2001:db8::1", 587, "2001:db8::1 587" },
        { "[2001:db8::1]", 587, "2001:db8::1 587" },
        { "::ffff:192.0.2.1", 587, "192.0.2.1 587" },
        { "IPV6:2001:db8::1", 587, "2001:db8::1 587" },
        { "192.0.2.1", 0, "192.0.2.1 0" },
        { "192.0.2.1", MUST, NULL },
        { "2001:db8::1", MUST, NULL },
        { "[2001:db8::1]", MUST, NULL },
        { "192.0.2.1:", 587, NULL },
        { "192.0.2.1:65536", 587, NULL },
        { "192.0.2.1:-1", 587, NULL },
        { "192.0.2.1:25x", 587, NULL },
        { "192.0.2.1:25 ", 587, NULL },
        { "192.0.2.1:smtp", 587, NULL },
        { "[2001:db8::1]:", 587, NULL },
        { "[2001:db8::1]25", 587, NULL },
        { "[2001:db8::1", 587, NULL },
        { "[fe80::1%eth0]:25", 587, NULL },
        { "fe80::1%eth0", 587, NULL },
        { "192.0.2.0/24:25", 587, NULL },
        { "mail.example.jp:25", 587, NULL },
        { ":25", 587, NULL },
        { ":", 587, NULL },
        { "[", 587, NULL },
        { "", 587, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint endpoint;
        char room[ADDRESS_TEXT_SIZE], got[80] = "refused";
        const char *expected = rows[i].printed ? rows[i].printed : "refused";
        if (endpoint_parse(text_of(rows[i].text), rows[i].fallback, &endpoint))
            snprintf(got, sizeof got, "%s %u", address_print(&endpoint.address, room), endpoint.port);
        if (strcmp(got, expected) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", rows[i].text, got, expected);
    }
}

/* To the socket calls and back; a mapped address goes out, and comes in, as IPv4. */
static void sockets(void **state)
{
    static const struct {
        const char *text;
        int family;
    } rows[] = {
        { "192.0.2.1:25", AF_INET },
        { "[2001:db8::1]:25", AF_INET6 },
        { "[::ffff:192.0.2.1]:25", AF_INET },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint there, back;
        struct sockaddr_storage room;
        assert_true(endpoint_parse(text_of(rows[i].text), MUST, &there));
        socklen_t length = endpoint_to_sockaddr(&there, &room);
        assert_int_equal(room.ss_family, rows[i].family);
        assert_int_equal(length, rows[i].family == AF_INET ? sizeof(struct sockaddr_in)
                                                           : sizeof(struct sockaddr_in6));
        assert_true(endpoint_from_sockaddr((struct sockaddr *)&room, &back) && endpoint_equal(&there, &back));
        back.port++;
        assert_false(endpoint_equal(&there, &back));
    }
    struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
                                   .sin6_addr = { { { [10] = 255, [11] = 255, 192 } } } };
    struct endpoint out;
    assert_true(endpoint_from_sockaddr((struct sockaddr *)&mapped, &out) && address_is_v4(&out.address));
    struct sockaddr other = { .sa_family = AF_UNIX };
    assert_false(endpoint_from_sockaddr(&other, &out) || endpoint_from_sockaddr(NULL, &out));
}

static void client_networks(void **state)
{
    static const struct {
        const char *address, *client;
        uint32_t prefix;
    } rows[] = {
        { "192.0.2.7", "192.0.2.7", 64 },
        { "192.0.2.7", "192.0.2.7", 16 },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", 64 },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1::", 48 },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", 128 },
        { "2001:db8:1:ff:3:4:5:6", "2001:db8:1:f0::", 60 },
        { "2001:db8:1:ff::", "2001:db8:1:fe::", 63 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address, wanted;
        assert_true(address_parse(text_of(rows[i].address), &address));
        assert_true(address_parse(text_of(rows[i].client), &wanted));
        struct address client = address_client_network(&address, rows[i].prefix);
        assert_memory_equal(client.bytes, wanted.bytes, sizeof wanted.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),       cmocka_unit_test(zones),     cmocka_unit_test(networks),
        cmocka_unit_test(membership),      cmocka_unit_test(endpoints), cmocka_unit_test(sockets),
        cmocka_unit_test(client_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
