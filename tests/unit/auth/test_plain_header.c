/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a plain header says, and which headers are none. Of a plain one From is read as scan reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/from_domains.h"
#include "auth/plain_header.h"
#include "base/buffer.h"

#define FROM "From: a@B.test\r\n"
#define SIGNED(d, s) "DKIM-Signature: v=1; d=" d ";\r\n\ts=" s "; b=\r\n"
#define NAMES "a@B.test b.test"

static const struct row {
    const char *header;
    const char *says; /* author and domain, signers behind "/", keys behind "/"; NULL: not plain */
} rows[] = {
    { FROM, NAMES "//" },
    { "from:a@B.test\n\nFrom: c@d.test\n", NAMES "//" },
    { "From: A B <a@B.test>\r\n\r\n", NAMES "//" },
    { "From:\r\n \"B, A\"\r\n <a@B.test>\r\nTo: x@y.test\r\n\r\n", NAMES "//" },
    { "From: a@x.test <a@B.test>\r\n", NAMES "//" },
    { "From: =?utf-8?q?J=C3=BCrgen?= <a@B.test>\r\n", NAMES "//" },
    { "From: \346\227\245\346\234\254 <a@B.test>\r\n", NAMES "//" },
    { "From: J. \"B\" O'A <a..b.@B.test>\r\n", "a..b.@B.test b.test//" },
    { SIGNED("C.test", "k1") FROM, NAMES "/c.test/k1._domainkey.c.test" },
    { FROM SIGNED("c.test", "k1") SIGNED("c.test", "K1") SIGNED("b.test", "x.y"),
      NAMES "/c.test c.test b.test/k1._domainkey.c.test x.y._domainkey.b.test" },
    { "ARC-Seal: i=1; d=c.test; s=k; cv=none; b=\r\nARC-Message-Signature: i=1; d=c.test; s=k\r\n"
      "ARC-Authentication-Results: i=1; c.test; dmarc=pass\r\n" FROM,
      NAMES "//k._domainkey.c.test" },
    /* not plain */
    { "", NULL },
    { "\r\n" FROM, NULL },
    { "To: x@y.test\r\n\r\n" FROM, NULL },
    { FROM FROM, NULL },
    { "From: \r\n", NULL },
    { "From: a\r\n", NULL },
    { "From: a@b.test, c@d.test\r\n", NULL },
    { "From: A, <a@b.test>\r\n", NULL },
    { "From: A (x) <a@b.test>\r\n", NULL },
    { "From: \"A\\\"\" <a@b.test>\r\n", NULL },
    { "From: \"A <a@b.test>\r\n", NULL },
    { "From: A <a@b.test> x\r\n", NULL },
    { "From: <c@d.test><a@b.test>\r\n", NULL },
    { "From: A: <a@b.test>;\r\n", NULL },
    { "From: A <@x.test:a@b.test>\r\n", NULL },
    { "From: A <a @b.test>\r\n", NULL },
    { "From: \"a b\"@b.test\r\n", NULL },
    { "From: a@[192.0.2.1]\r\n", NULL },
    { "From: a@b\303\274cher.test\r\n", NULL },
    { "From: >\r\n", NULL },
    { "From: <\r\n", NULL },
    { FROM SIGNED("c.test!", "k1"), NULL },
    { FROM SIGNED("c..test", "k1"), NULL },
    { FROM SIGNED("c.test", "k\r\n 1"), NULL },
    { FROM "DKIM-Signature: v=1; d=c.test; b=\r\n", NULL },
    { FROM "DKIM-Signature: v=1; d=c.test; d=d.test; s=k\r\n", NULL },
    { FROM "DKIM-Signature: what\r\n", NULL },
    { FROM SIGNED("a.test", "1") SIGNED("a.test", "2") SIGNED("a.test", "3") SIGNED("a.test", "4")
          SIGNED("a.test", "5"),
      NULL },
};

static void texts_say(const struct text *texts, uint32_t count, struct buffer *out)
{
    buffer_add_char(out, '/');
    for (uint32_t i = 0; i < count; i++) buffer_printf(out, "%s%.*s", i ? " " : "", TEXT_ARG(texts[i]));
}

static void same_as_scan(struct arena *arena, struct text message, const struct plain_header *plain)
{
    static const struct header_limits limits = { .bytes = 1 << 20, .fields = 1000 };
    struct header header;
    struct from_domains from;
    header_parse(arena, message, &limits, &header);
    from_domains_find(arena, &header, &from);
    assert_int_equal(from.count, 1);
    assert_true(text_equal(from.address, plain->author));
    assert_true(text_equal(from.domains[0], plain->domain));
}

static void row_check(const struct row *row)
{
    struct arena *arena = arena_new(0);
    struct buffer says = { 0 };
    struct plain_header plain;
    bool is_plain = plain_header_read(arena, text_of(row->header), &plain);
    buffer_printf(&says, "%.*s %.*s", TEXT_ARG(plain.author), TEXT_ARG(plain.domain));
    texts_say(plain.signers, plain.signer_count, &says);
    texts_say(plain.keys, plain.key_count, &says);
    if (is_plain != (row->says != NULL) || (is_plain && !text_equal(buffer_text(&says), text_of(row->says))))
        fail_msg("\"%s\" gives %s\"%.*s\"", row->header, is_plain ? "" : "no ", TEXT_ARG(buffer_text(&says)));
    if (is_plain) same_as_scan(arena, text_of(row->header), &plain);
    buffer_free(&says);
    arena_free(arena);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

static void test_bounds(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer text = { 0 };
    struct plain_header plain;
    (void)state;
    buffer_add_text(&text, TEXT(FROM));
    for (int i = 0; i < PLAIN_KEYS_MOST; i++)
        buffer_printf(&text, "ARC-Seal: i=%d; d=c.test; s=k%d\r\n", i, i);
    assert_true(plain_header_read(arena, buffer_text(&text), &plain));
    assert_int_equal(plain.key_count, PLAIN_KEYS_MOST);
    buffer_add_text(&text, TEXT("ARC-Seal: i=9; d=c.test; s=k9\r\n"));
    assert_false(plain_header_read(arena, buffer_text(&text), &plain));
    buffer_clear(&text);
    buffer_add_text(&text, TEXT(FROM));
    while (buffer_length(&text) <= PLAIN_BYTES_MOST) buffer_add_text(&text, TEXT("X: y\r\n"));
    assert_false(plain_header_read(arena, buffer_text(&text), &plain));
    buffer_free(&text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
