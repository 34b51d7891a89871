/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a list file says what it says: each entry is found and nothing else, the smallest network and the
   longest name decide, and a file that is none is refused with the line. */
#include "blocklist/blocklist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct blocklist_limits limits = { 1 << 20, 1000, NULL, 0 };

struct opened {
    struct buffer image;
    struct blocklist list;
};

static struct opened compiled(enum blocklist_kind kind, const char *file)
{
    struct opened opened = { 0 };
    struct blocklist_problem problem = { 0 };
    bool is_list = blocklist_compile(kind, text_of(file), &limits, &opened.image, &problem);
    if (!is_list) fail_msg("line %u: %s", problem.line, problem.says);
    assert_true(blocklist_open(buffer_text(&opened.image), &opened.list));
    assert_int_equal(blocklist_kind_of(&opened.list), kind);
    return opened;
}

/* The line that decides, 0 for none. */
static uint32_t line_of_address(const struct blocklist *list, const char *text)
{
    struct address address;
    struct blocklist_entry entry = { 0 };
    assert_true(address_parse(text_of(text), &address));
    return blocklist_has_address(list, &address, &entry) ? entry.line : 0;
}

static void test_networks(void **state)
{
    static const struct {
        const char *address;
        uint32_t line;
    } rows[] = {
        { "192.0.1.255", 0 },      { "192.0.2.0", 3 },          { "192.0.2.127", 3 },
        { "192.0.2.128", 4 },      { "192.0.2.129", 5 },        { "192.0.2.130", 4 },
        { "192.0.2.255", 4 },      { "192.0.3.0", 0 },          { "10.0.0.0", 6 },
        { "10.255.255.255", 6 },   { "9.255.255.255", 0 },      { "11.0.0.0", 0 },
        { "255.255.255.255", 10 }, { "255.255.255.254", 0 },    { "2001:db8::1", 7 },
        { "2001:db8:0:1::1", 8 },  { "2001:db8:0:2::", 7 },     { "2001:db7:ffff::", 0 },
        { "2001:db9::", 0 },       { "::ffff:192.0.2.129", 5 }, { "203.0.113.7", 9 },
        { "203.0.113.8", 0 },      { "198.51.100.255", 12 },    { "198.51.101.0", 12 },
        { "198.52.0.0", 0 },       { "198.50.255.255", 0 },
    };
    struct opened opened = compiled(BLOCKLIST_NETWORKS, "# networks\n"
                                                        "\n"
                                                        "192.0.2.0/24 a network\n"
                                                        "192.0.2.128/25\tits upper half\r\n"
                                                        "  192.0.2.129  # one of it\n"
                                                        "10.0.0.0/8\n"
                                                        "2001:db8::/32\n"
                                                        "2001:db8:0:1::/64 below\n"
                                                        "203.0.113.7 one\n"
                                                        "255.255.255.255 the last\n"
                                                        "192.0.2.0/24 said again\n"
                                                        "198.51.0.0/16 two tops");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (line_of_address(&opened.list, rows[i].address) != rows[i].line)
            fail_msg("%s: line %u, not %u", rows[i].address, line_of_address(&opened.list, rows[i].address),
                     rows[i].line);
    struct blocklist_entry entry;
    struct address address;
    assert_true(address_parse(TEXT("192.0.2.200"), &address));
    assert_true(blocklist_has_address(&opened.list, &address, &entry));
    assert_true(text_equal(entry.reason, TEXT("its upper half")));
    assert_true(address_parse(TEXT("192.0.2.129"), &address));
    assert_true(blocklist_has_address(&opened.list, &address, &entry));
    assert_true(text_equal(entry.reason, TEXT("one of it")));
    assert_false(blocklist_has_name(&opened.list, TEXT("example.com"), &entry));
    buffer_free(&opened.image);
}

/* Random prefixes, each address asked of the image and of a walk over all of them. */
static void test_networks_as_a_walk(void **state)
{
    enum { NETWORKS = 400, ASKED = 4000 };
    struct network networks[NETWORKS];
    struct buffer file = { 0 };
    char room[ADDRESS_TEXT_SIZE];
    srandom(7);
    for (int i = 0; i < NETWORKS; i++) {
        struct address address = {
            { [10] = 0xff, [11] = 0xff, 10, (uint8_t)(random() & 3), (uint8_t)random(), (uint8_t)random() }
        };
        uint8_t bits = (uint8_t)(96 + 18 + random() % 15);
        for (unsigned bit = bits; bit < 128; bit++) address.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        networks[i] = (struct network){ address, bits };
        buffer_printf(&file, "%s/%u\n", address_print(&address, room), bits - 96);
    }
    buffer_add_char(&file, '\0');
    struct opened opened = compiled(BLOCKLIST_NETWORKS, buffer_text(&file).at);
    unsigned hits = 0;
    for (int i = 0; i < ASKED; i++) {
        struct address address = {
            { [10] = 0xff, [11] = 0xff, 10, (uint8_t)(random() & 7), (uint8_t)random(), (uint8_t)random() }
        };
        uint32_t expected = 0, bits = 0;
        for (uint32_t k = 0; k < NETWORKS; k++)
            if (network_has(&networks[k], &address) && networks[k].bits > bits) {
                expected = k + 1;
                bits = networks[k].bits;
            }
        assert_int_equal(line_of_address(&opened.list, address_print(&address, room)), expected);
        hits += expected != 0;
    }
    assert_in_range(hits, 100, ASKED - 100); /* both answers were asked for */
    buffer_free(&opened.image);
    buffer_free(&file);
}

/* More than one step takes: runs are sorted by themselves and merged. */
static void test_networks_of_many_steps(void **state)
{
    enum { NETWORKS = 70000 };
    static const struct blocklist_limits wide = { 8 << 20, 2 * NETWORKS, NULL, 0 };
    struct buffer file = { 0 }, image = { 0 };
    struct blocklist_problem problem;
    struct blocklist list;
    char room[40];
    for (uint32_t i = 0; i < NETWORKS; i++) {
        uint32_t n = i * 40503u % 65536 * 2 + i / 65536; /* each once, in no order */
        buffer_printf(&file, "10.%u.%u.%u\n", n >> 16, n >> 8 & 255, n & 255);
    }
    assert_true(blocklist_compile(BLOCKLIST_NETWORKS, buffer_text(&file), &wide, &image, &problem));
    assert_true(blocklist_open(buffer_text(&image), &list));
    for (uint32_t i = 0; i < NETWORKS; i++) {
        uint32_t n = i * 40503u % 65536 * 2 + i / 65536;
        snprintf(room, sizeof room, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
        assert_int_equal(line_of_address(&list, room), i + 1);
    }
    assert_int_equal(line_of_address(&list, "10.2.0.0"), 0);
    buffer_free(&image);
    buffer_free(&file);
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        uint32_t line;
    } rows[] = {
        { "example.com", 1 },
        { "www.example.com", 1 },
        { "a.b.c.d.e.f.example.com", 1 },
        { "notexample.com", 0 },
        { "com", 0 },
        { "", 0 },
        { "mail.example.com", 2 },
        { "x.mail.example.com", 2 },
        { "xn--r8jz45g.xn--zckzah", 3 },
        { "example.net", 4 },
        { "example.org", 0 },
        { "sub.example.org", 5 },
        { ".", 0 },
        { "..", 0 },
        { "example.com.", 0 },
    };
    struct opened opened = compiled(BLOCKLIST_NAMES, "Example.COM\n"
                                                     "mail.example.com spam source\n"
                                                     "例え.テスト\n"
                                                     "example.net.\n"
                                                     "sub.example.org\n"
                                                     "EXAMPLE.com again\n");
    struct blocklist_entry entry;
    assert_int_equal(blocklist_count(&opened.list), 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t line = blocklist_has_name(&opened.list, text_of(rows[i].name), &entry) ? entry.line : 0;
        if (line != rows[i].line) fail_msg("%s: line %u, not %u", rows[i].name, line, rows[i].line);
    }
    assert_true(blocklist_has_name(&opened.list, TEXT("mail.example.com"), &entry));
    assert_true(text_equal(entry.reason, TEXT("spam source")));
    buffer_free(&opened.image);
}

static void test_hashes(void **state)
{
    uint8_t hash[BLOCKLIST_HASH_SIZE];
    struct blocklist_entry entry;
    struct opened opened = compiled(
        BLOCKLIST_HASHES, "0000000000000000000000000000000000000000000000000000000000000000\n"
                          "FFffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff  a file\n");
    memset(hash, 0, sizeof hash);
    assert_true(blocklist_has_hash(&opened.list, hash, &entry));
    assert_int_equal(entry.line, 1);
    hash[BLOCKLIST_HASH_SIZE - 1] = 1;
    assert_false(blocklist_has_hash(&opened.list, hash, &entry));
    memset(hash, 0xff, sizeof hash);
    assert_true(blocklist_has_hash(&opened.list, hash, &entry));
    assert_true(text_equal(entry.reason, TEXT("a file")));
    buffer_free(&opened.image);
}

static void test_an_empty_list_has_nothing(void **state)
{
    struct blocklist_entry entry;
    uint8_t hash[BLOCKLIST_HASH_SIZE] = { 0 };
    struct opened networks = compiled(BLOCKLIST_NETWORKS, "# nothing\n"),
                  names = compiled(BLOCKLIST_NAMES, ""), hashes = compiled(BLOCKLIST_HASHES, "\n\n");
    assert_int_equal(line_of_address(&networks.list, "192.0.2.1"), 0);
    assert_int_equal(line_of_address(&networks.list, "2001:db8::"), 0);
    assert_false(blocklist_has_name(&names.list, TEXT("example.com"), &entry));
    assert_false(blocklist_has_hash(&hashes.list, hash, &entry));
    buffer_free(&networks.image);
    buffer_free(&names.image);
    buffer_free(&hashes.image);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        enum blocklist_kind kind;
        uint32_t line;
        const char *file, *says;
    } rows[] = {
        { BLOCKLIST_NETWORKS, 1, "0.0.0.0/0\n", "too wide" },
        { BLOCKLIST_NETWORKS, 1, "::/0\n", "too wide" },
        { BLOCKLIST_NETWORKS, 1, "::/16\n", "too wide" }, /* it has every IPv4 address */
        { BLOCKLIST_NETWORKS, 1, "::ffff:0:0/96\n", "too wide" },
        { BLOCKLIST_NETWORKS, 2, "10.0.0.0/8\n11.0.0.0/7\n", "is no address" },
        { BLOCKLIST_NETWORKS, 2, "10.0.0.0/8\n8.0.0.0/7\n", "too wide" },
        { BLOCKLIST_NETWORKS, 1, "192.0.2.1/24\n", "host bits" },
        { BLOCKLIST_NETWORKS, 1, "198.51.100.0/24\n", "of our own" },
        { BLOCKLIST_NETWORKS, 1, "2001:db8:ffff::/48\n", "of our own" },
        { BLOCKLIST_NETWORKS, 3, "\n\nexample.com\n", "is no address" },
        { BLOCKLIST_NAMES, 1, "com\n", "too wide" },
        { BLOCKLIST_NAMES, 1, "exa mple\n", "too wide" },
        { BLOCKLIST_NAMES, 1, "a..example.com\n", "no domain name" },
        { BLOCKLIST_NAMES, 1, ".example.com\n", "no domain name" },
        { BLOCKLIST_NAMES, 1, "a@example.com\n", "no domain name" },
        { BLOCKLIST_NAMES, 1, "\xff\xfe.example.com\n", "no domain name" },
        { BLOCKLIST_HASHES, 1, "d41d8cd98f00b204e9800998ecf8427e\n", "no SHA-256" },
        { BLOCKLIST_HASHES, 1, "g000000000000000000000000000000000000000000000000000000000000000\n",
          "no SHA-256" },
        { BLOCKLIST_NAMES, 2, "example.com\n\x01\x02\n", "control character" },
    };
    struct address ours[2];
    assert_true(address_parse(TEXT("198.51.100.25"), &ours[0]));
    assert_true(address_parse(TEXT("2001:db8:ffff::25"), &ours[1]));
    struct blocklist_limits all = { 1 << 20, 1000, ours, 2 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer image = { 0 };
        struct blocklist_problem problem = { 0 };
        assert_false(blocklist_compile(rows[i].kind, text_of(rows[i].file), &all, &image, &problem));
        if (problem.line != rows[i].line || !strstr(problem.says, rows[i].says))
            fail_msg("%s: %u: %s", rows[i].file, problem.line, problem.says);
        buffer_free(&image);
    }
}

static void test_limits(void **state)
{
    struct buffer file = { 0 }, image = { 0 };
    struct blocklist_problem problem = { 0 };
    for (int i = 0; i < 1001; i++) buffer_printf(&file, "h%d.example\n", i);
    assert_false(blocklist_compile(BLOCKLIST_NAMES, buffer_text(&file), &limits, &image, &problem));
    assert_int_equal(problem.line, 1001);
    assert_string_equal(problem.says, "more than 1000 lines");
    buffer_clear(&file);
    for (int i = 0; i < 10000; i++) buffer_add_char(&file, 'a');
    buffer_add_text(&file, TEXT(".example"));
    assert_false(blocklist_compile(BLOCKLIST_NAMES, buffer_text(&file), &limits, &image, &problem));
    assert_non_null(strstr(problem.says, "…\" is longer than 253 bytes"));
    struct blocklist_limits few = { 100, 1000, NULL, 0 };
    assert_false(blocklist_compile(BLOCKLIST_NAMES, buffer_text(&file), &few, &image, &problem));
    assert_int_equal(problem.line, 0);
    assert_string_equal(problem.says, "10008 bytes, at most 100");
    buffer_free(&image);
    buffer_free(&file);
}

static void test_every_cut_is_no_image(void **state)
{
    struct opened opened = compiled(BLOCKLIST_NAMES, "example.com\nexample.net reason\n");
    struct blocklist list;
    for (size_t length = 0; length < opened.image.end; length++)
        assert_false(blocklist_open(text_slice(buffer_text(&opened.image), 0, length), &list));
    opened.image.memory[6] ^= 1;
    assert_false(blocklist_open(buffer_text(&opened.image), &list));
    buffer_free(&opened.image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_networks_as_a_walk),
        cmocka_unit_test(test_networks_of_many_steps),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_an_empty_list_has_nothing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_cut_is_no_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
