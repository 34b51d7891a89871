/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whom From names: rows, then sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "auth/from_domains.h"

#define VALUE(literal) literal, sizeof(literal) - 1

static const struct row {
    const char *value;
    size_t length;
    const char *domains, *oddities; /* separated by a blank each */
} rows[] = {
    { VALUE(" a@b.test"), "b.test", "" },
    { VALUE(" A <a@B.Test>\t"), "b.test", "" },
    { VALUE(" \"A, B\" <a@b.test>"), "b.test", "" },
    { VALUE(" A\r\n <a@b.test>"), "b.test", "" },
    { VALUE(" a@b.test."), "b.test", "" },
    { VALUE(" \"a@x.test>\"@b.test"), "b.test", "" },
    { VALUE(" \"a\\\"@x.test\" <a@b.test>"), "b.test", "address-in-name" },
    { VALUE(" (a@x.test) A <a(b)@(c)b.test(d)>"), "b.test", "" },
    { VALUE(" a @ b . test"), "b.test", "" },
    { VALUE(" A (((x))) <a@b.test>"), "b.test", "" },
    { VALUE(" =?utf-8?q?J=C3=BCrgen?= <a@b.test>"), "b.test", "" },
    { VALUE(" \346\227\245\346\234\254 <a@b\303\274cher.test>"), "xn--bcher-kva.test", "" },
    /* several */
    { VALUE(" a@b.test, c@d.test"), "b.test d.test", "several-addresses several-domains" },
    { VALUE(" a@b.test, c@B.test"), "b.test", "several-addresses" },
    { VALUE(" <a@b.test><c@d.test>"), "b.test d.test", "several-addresses several-domains" },
    { VALUE(" a@b.test c@d.test"), "b.test d.test", "several-addresses several-domains no-brackets" },
    { VALUE(" <a@b.test, c@d.test>"), "b.test d.test", "several-addresses several-domains no-brackets" },
    { VALUE(" <a@b.test; c@d.test>"), "b.test d.test", "several-addresses several-domains no-brackets" },
    { VALUE(" , ,a@b.test,"), "b.test", "" },
    { VALUE(" G: a@b.test, A <c@d.test>;"), "b.test d.test", "several-addresses several-domains group" },
    { VALUE(" nobody:;"), "", "missing group" },
    /* names that are addresses */
    { VALUE(" a@x.test <a@b.test>"), "b.test", "address-in-name" },
    { VALUE(" a@b.test <a@B.TEST>"), "b.test", "" },
    { VALUE(" \"a@x.test\" <a@b.test>"), "b.test", "address-in-name" },
    { VALUE(" =?utf-8?q?a=40x=2Etest?= <a@b.test>"), "b.test", "address-in-name" },
    { VALUE(" <a@b.test> a@x.test"), "b.test", "address-in-name" },
    { VALUE(" a@x.test: c@b.test;"), "b.test", "group address-in-name" },
    { VALUE(" A @ home <a@b.test>"), "b.test", "" },
    /* broken */
    { VALUE(""), "", "missing" },
    { VALUE(" <>"), "", "missing" },
    { VALUE(" root"), "", "missing no-domain" },
    { VALUE(" A <root>"), "", "missing no-domain no-brackets" },
    { VALUE(" a@"), "", "no-domain" },
    { VALUE(" a@[192.0.2.1]"), "", "bad-domain" },
    { VALUE(" a@b..test"), "", "bad-domain" },
    { VALUE(" a@b.test!x"), "b.test", "bad-domain" },
    { VALUE(" A <a@b.test"), "b.test", "unclosed" },
    { VALUE(" A a@b.test>"), "b.test", "unclosed no-brackets" },
    { VALUE(" A <<a@b.test>>"), "b.test", "unclosed" },
    { VALUE(" A (b <a@b.test>"), "b.test", "unclosed" },
    { VALUE(" A \"b <a@b.test>"), "b.test", "unclosed" },
    { VALUE(" A (\"b\" \"<a@b.test>"), "b.test", "unclosed" },
    { VALUE(" A) <a@b.test>"), "b.test", "unclosed" },
    { VALUE(" <@x.test,@y.test:a@b.test>"), "b.test", "route" },
    { VALUE(" a@b.test\0.evil.test"), "b.test b.test.evil.test", "several-addresses several-domains nul" },
    { VALUE(" A\0 <a@b.test>"), "b.test", "no-domain nul" },
    { VALUE(" A\001 <a@b.test>"), "b.test", "control" },
    { VALUE(" A\377 <a@b.test>"), "b.test", "not-utf8" },
    { VALUE(" ((((((((((((((((((x)))))))))))))))))) a@b.test"), "b.test", "deep-comment" },
};

static struct text oddities_of(struct arena *arena, const struct from_domains *from)
{
    struct text words = TEXT("");
    for (int i = 0; i < FROM_ODDITY_COUNT; i++) {
        if (!from_has(from, (enum from_oddity)i)) continue;
        words = arena_printf(arena, "%.*s%s%s", TEXT_ARG(words), words.length ? " " : "",
                             from_oddity_name((enum from_oddity)i));
    }
    return words;
}

static struct text domains_of(struct arena *arena, const struct from_domains *from)
{
    struct text words = TEXT("");
    for (uint32_t i = 0; i < from->count; i++)
        words = arena_printf(arena, "%.*s%s%.*s", TEXT_ARG(words), i ? " " : "", TEXT_ARG(from->domains[i]));
    return words;
}

/* Of a message whose header is `text`. */
static struct from_domains find(struct arena *arena, struct text text)
{
    static const struct header_limits limits = { .bytes = 16 << 20, .fields = 10000 };
    struct header header;
    struct from_domains from;
    header_parse(arena, text, &limits, &header);
    from_domains_find(arena, &header, &from);
    return from;
}

static struct text field(struct arena *arena, const char *value, size_t length)
{
    char *text = arena_alloc(arena, length + 16);
    memcpy(text, "From:", 5);
    memcpy(text + 5, value, length);
    memcpy(text + 5 + length, "\r\n", 2);
    return text_from(text, length + 7);
}

static void test_rows(void **state)
{
    size_t bad = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct from_domains from = find(arena, field(arena, rows[i].value, rows[i].length));
        struct text domains = domains_of(arena, &from), oddities = oddities_of(arena, &from);
        if (!text_equal(domains, text_of(rows[i].domains)) ||
            !text_equal(oddities, text_of(rows[i].oddities))) {
            print_error("\"%s\"\n gives \"%.*s\" (%.*s), not \"%s\" (%s)\n", rows[i].value, TEXT_ARG(domains),
                        TEXT_ARG(oddities), rows[i].domains, rows[i].oddities);
            bad++;
        }
        arena_free(arena);
    }
    assert_int_equal(bad, 0);
}

static void test_fields(void **state)
{
    struct arena *arena = arena_new(0);
    struct from_domains from = find(arena, TEXT("To: x@y.test\r\nFrom: a@b.test\r\nfrom : c@d.test\r\n\r\n"));
    assert_true(text_equal(domains_of(arena, &from), TEXT("b.test d.test")));
    assert_true(from_has(&from, FROM_SEVERAL_FIELDS));
    assert_true(text_equal(from.address, TEXT("a@b.test")));
    from = find(arena, TEXT("To: x@y.test\r\n\r\nFrom: a@b.test\r\n"));
    assert_int_equal(from.count, 0);
    assert_true(from_has(&from, FROM_MISSING));
    arena_free(arena);
}

/* `count` times "piece", between head and tail. */
static struct text many(struct arena *arena, const char *head, const char *piece, size_t count,
                        const char *tail)
{
    size_t one = strlen(piece), at = strlen(head);
    char *text = arena_alloc(arena, at + one * count + strlen(tail) + 1);
    memcpy(text, head, at);
    for (size_t i = 0; i < count; i++, at += one) memcpy(text + at, piece, one);
    memcpy(text + at, tail, strlen(tail));
    return text_from(text, at + strlen(tail));
}

static void test_sizes(void **state)
{
    struct arena *arena = arena_new(0);
    struct from_domains from = find(arena, many(arena, "", "From: a@b.test\r\n", 100, "\r\n"));
    assert_true(from.count == 1 && from.addresses == FROM_FIELDS_MOST && from_has(&from, FROM_TOO_MANY));
    struct text deep = many(arena, "From: ", "(", 10000, "x");
    deep = arena_printf(arena, "%.*s%.*s a@b.test\r\n", TEXT_ARG(deep),
                        TEXT_ARG(many(arena, "", ")", 10000, "")));
    from = find(arena, deep);
    assert_true(from.count == 1 && from_has(&from, FROM_DEEP_COMMENT) && !from_has(&from, FROM_UNCLOSED));
    from = find(arena, many(arena, "From: ", "(", 10000, " a@b.test\r\n"));
    assert_true(from.addresses == 1 && from_has(&from, FROM_DEEP_COMMENT) && from_has(&from, FROM_UNCLOSED));
    from = find(arena, many(arena, "From: ", "a@b.test,", 100000, "\r\n"));
    assert_true(from.addresses == FROM_ADDRESSES_MOST && from_has(&from, FROM_TOO_MANY));
    from = find(arena, many(arena, "From: ", "\"<(\\", 2000000, "\r\n"));
    assert_true(from_has(&from, FROM_TOO_MANY));
    from = find(arena, many(arena, "From: a@b.test", " ", 8000000, "\r\n"));
    assert_true(from.count == 1);
    from = find(arena, many(arena, "From: ", "=?utf-8?q?a=40?=", 15000, "<a@b.test>\r\n"));
    assert_true(from.count == 1);
    arena_free(arena);
}

static void test_many_domains(void **state)
{
    struct arena *arena = arena_new(0);
    struct from_domains from = { 0 };
    for (int i = 0; i < 40; i++) from_domains_add(arena, arena_printf(arena, "a@b%d.test", i), &from);
    assert_true(from.count == FROM_DOMAINS_MOST && from_has(&from, FROM_TOO_MANY));
    arena_free(arena);
}

/* Work is bounded: who needs more than this is killed. */
static const struct rlimit cpu_seconds = { 20, 20 };

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_domains),
    };
    setrlimit(RLIMIT_CPU, &cpu_seconds);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
