/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Edits as data: built, joined, walked, encoded. A row is a message, what is asked for, what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "mail/edits.h"
#include "mail/encoded_word.h"

static const struct header_limits LIMITS = { 64 << 20, 200000, false, false, false };

static void check_result(const struct edits *edits, struct text original, const char *expected)
{
    struct buffer out = { 0 }, wire = { 0 }, again = { 0 };
    struct arena *arena = arena_new(0);
    struct edits decoded;
    edits_apply(edits, original, &out);
    if (!text_equal(buffer_text(&out), text_of(expected)))
        fail_msg("\ngives    %.*s\nexpected %s", TEXT_ARG(buffer_text(&out)), expected);
    assert_int_equal(edits_length(edits, original.length), buffer_length(&out));
    edits_encode(edits, &wire);
    assert_true(edits_decode(arena, buffer_text(&wire), original.length, &decoded));
    edits_apply(&decoded, original, &again);
    assert_true(text_equal(buffer_text(&again), buffer_text(&out)));
    for (size_t cut = 0; cut < buffer_length(&wire); cut++)
        assert_false(edits_decode(arena, text_slice(buffer_text(&wire), 0, cut), original.length, &decoded));
    arena_free(arena);
    buffer_free(&out);
    buffer_free(&wire);
    buffer_free(&again);
}

static void adding(void **state)
{
    static const struct {
        struct {
            uint64_t offset, length;
            const char *insert;
        } edits[4];
        size_t count;
        const char *expected;
    } rows[] = {
        { { { 0 } }, 0, "0123456789" },
        { { { 0, 0, "a" } }, 1, "a0123456789" },
        { { { 10, 0, "z" } }, 1, "0123456789z" },
        { { { 0, 10, "" } }, 1, "" },
        { { { 5, 2, "x" }, { 1, 2, "y" } }, 2, "0y34x789" },
        { { { 0, 0, "a" }, { 0, 0, "b" } }, 2, "ab0123456789" },
        { { { 2, 2, "" }, { 4, 2, "" } }, 2, "016789" },
        { { { 2, 4, "x" }, { 4, 4, "y" } }, 2, "01xy89" },
        { { { 4, 4, "y" }, { 2, 4, "x" } }, 2, "01xy89" },
        { { { 2, 4, "x" }, { 2, 0, "y" } }, 2, "01xy6789" },
        { { { 2, 0, "y" }, { 2, 4, "x" } }, 2, "01yx6789" },
        { { { 2, 6, "" }, { 4, 0, "y" } }, 2, "01y89" },
        { { { 8, 1, "" }, { 1, 8, "m" }, { 0, 0, "t" } }, 3, "t0m9" },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct edits edits = { .arena = arena };
        for (size_t k = 0; k < rows[i].count; k++)
            edits_add(&edits, rows[i].edits[k].offset, rows[i].edits[k].length,
                      text_of(rows[i].edits[k].insert));
        check_result(&edits, TEXT("0123456789"), rows[i].expected);
    }
    arena_free(arena);
}

/* A list into another, at once: behind what stands at the same place, joined where it overlaps. */
static void merging(void **state)
{
    (void)state;
    static const struct edit first[] = { { 2, 2, { "a", 1 } }, { 6, 0, { "b", 1 } }, { 8, 1, { NULL, 0 } } };
    static const struct edit more[] = { { 0, 0, { "A", 1 } }, { 3, 2, { "B", 1 } }, { 6, 0, { "C", 1 } } };
    struct arena *arena = arena_new(0);
    struct edits edits = { .arena = arena }, none = { .arena = arena },
                 list = { arena, (struct edit *)more, 3, 3 };
    for (size_t i = 0; i < 3; i++) edits_add(&edits, first[i].offset, first[i].length, first[i].insert);
    edits_merge(&edits, &none);
    edits_merge(&edits, &list);
    check_result(&edits, TEXT("0123456789"), "A01aB5bC679");
    edits_merge(&none, &list);
    check_result(&none, TEXT("0123456789"), "A012B5C6789");
    arena_free(arena);
}

static void byte_form_of_none(void **state)
{
    (void)state;
    struct edits edits = { 0 };
    struct buffer wire = { 0 };
    edits_encode(&edits, &wire);
    assert_true(text_equal(buffer_text(&wire), edits_none));
    assert_true(edits_are_whole(edits_none, 0));
    buffer_free(&wire);
}

static void forged_fields(void **state)
{
    static const struct text names[] = { { "X-Spam-Flag", 11 }, { "X-Virus-Scanned", 15 } };
    struct arena *arena = arena_new(0);
    struct header header;
    struct edits edits = { .arena = arena };
    struct text message =
        TEXT("x-spam-flag: NO\r\nFrom: a\r\nX-Sekimori-Id: 1\r\n folded\r\n"
             "X-Spam-Flags: stays\r\nX-VIRUS-SCANNED:\r\n by\r\n me\r\nX-Sekimori: 2\r\n\r\nbody\r\n");
    header_parse(arena, message, &LIMITS, &header);
    edits_insert_top(&edits, TEXT("Received: here\r\n"));
    edits_insert_top(&edits, TEXT("X-Spam-Flag: YES\r\n"));
    assert_int_equal(edits_remove_fields(&edits, &header, names, 2), 2);
    assert_int_equal(edits_remove_prefixed(&edits, &header, TEXT("X-Sekimori-")), 1);
    check_result(&edits, message,
                 "Received: here\r\nX-Spam-Flag: YES\r\nFrom: a\r\nX-Spam-Flags: stays\r\nX-Sekimori: "
                 "2\r\n\r\nbody\r\n");
    arena_free(arena);
}

static void many_forged_fields(void **state)
{
    enum { FIELDS = 50000 };
    struct arena *arena = arena_new(0);
    struct buffer message = { 0 }, out = { 0 };
    struct header header;
    struct edits edits = { .arena = arena };
    static const struct text name = { "X-Spam-Flag", 11 };
    for (int i = 0; i < FIELDS; i++)
        buffer_printf(&message, "X-Spam-Flag: a\r\nX-Sekimori-A: b\r\nX: %d\r\n", i);
    buffer_printf(&message, "\r\nbody");
    header_parse(arena, buffer_text(&message), &LIMITS, &header);
    assert_int_equal(edits_remove_fields(&edits, &header, &name, 1), FIELDS);
    assert_int_equal(edits_remove_prefixed(&edits, &header, TEXT("X-Sekimori-")), FIELDS);
    edits_apply(&edits, buffer_text(&message), &out);
    assert_int_equal(text_find(buffer_text(&out), TEXT("X-S")), buffer_length(&out));
    assert_true(text_starts(buffer_text(&out), TEXT("X: 0\r\nX: 1\r\n")));
    buffer_free(&message);
    buffer_free(&out);
    arena_free(arena);
}

static void subjects(void **state)
{
    static const struct {
        const char *prefix, *message, *expected;
    } rows[] = {
        { "[SPAM] ", "Subject: hello\r\n\r\nx", "Subject: [SPAM] hello\r\n\r\nx" },
        { "[SPAM] ", "Subject:hello\r\n\r\nx", "Subject: [SPAM] hello\r\n\r\nx" },
        { "[SPAM] ", "Subject:\r\n\r\nx", "Subject: [SPAM]\r\n\r\nx" },
        { "[SPAM] ", "Subject:  \r\n\r\nx", "Subject: [SPAM]\r\n\r\nx" },
        { "[SPAM] ", "From: a\r\n\r\nx", "From: a\r\nSubject: [SPAM]\r\n\r\nx" },
        { "[SPAM] ", "From: a", "From: a\r\nSubject: [SPAM]\r\n" },
        { "[SPAM] ", "Subject: [SPAM] hello\r\n\r\nx", "Subject: [SPAM] hello\r\n\r\nx" },
        { "[SPAM] ", "Subject: =?us-ascii?Q?=5BSPAM=5D?= hello\r\n\r\nx",
          "Subject: =?us-ascii?Q?=5BSPAM=5D?= hello\r\n\r\nx" },
        { "[SPAM] ", "Subject: a\r\n b\r\n\r\nx", "Subject: [SPAM] a\r\n b\r\n\r\nx" },
        { "[SPAM] ", "Subject:\r\n a\r\n\r\nx", "Subject: [SPAM] a\r\n\r\nx" },
        { "[SPAM] ", "Subject: a\r\nSubject: b\r\n\r\nx", "Subject: [SPAM] a\r\nSubject: [SPAM] b\r\n\r\nx" },
        { "[SPAM] ", "Subject: =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx",
          "Subject: [SPAM] =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx" },
        { "[SPAM]", "Subject: =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx",
          "Subject: =?ISO-2022-JP?B?W1NQQU1d?= =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx" },
        /* raw bytes in three charsets: the tag is ASCII in each */
        { "[SPAM] ", "Subject: \x1b$BBjL>\x1b(B\r\n\r\nx", "Subject: [SPAM] \x1b$BBjL>\x1b(B\r\n\r\nx" },
        { "[SPAM] ", "Subject: \x91\xe8\x96\xbc\r\n\r\nx", "Subject: [SPAM] \x91\xe8\x96\xbc\r\n\r\nx" },
        { "[SPAM] ", "Subject: \xe9\xa1\x8c\r\n\r\nx", "Subject: [SPAM] \xe9\xa1\x8c\r\n\r\nx" },
        /* a tag in Japanese takes the charset of the text */
        { "【迷惑】", "Subject: =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx",
          "Subject: =?ISO-2022-JP?B?GyRCIVpMQk9HIVsbKEI=?=\r\n =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx" },
        { "【迷惑】", "Subject: =?utf-8?Q?=E9=A1=8C?=\r\n\r\nx",
          "Subject: =?utf-8?Q?=E3=80=90=E8=BF=B7=E6=83=91=E3=80=91?=\r\n =?utf-8?Q?=E9=A1=8C?=\r\n\r\nx" },
        { "【迷惑】", "Subject: \x1b$BBjL>\x1b(B\r\n\r\nx",
          "Subject: =?ISO-2022-JP?B?GyRCIVpMQk9HIVtCakw+GyhC?=\r\n\r\nx" },
        { "【迷惑】", "Subject: \xe9\xa1\x8c\r\n\r\nx", "Subject: 【迷惑】\xe9\xa1\x8c\r\n\r\nx" },
        { "【迷惑】", "Subject: hello\r\n\r\nx", "Subject: =?UTF-8?B?44CQ6L+35oOR44CR?= hello\r\n\r\nx" },
        { "【迷惑】", "From: a\r\n\r\nx", "From: a\r\nSubject: =?UTF-8?B?44CQ6L+35oOR44CR?=\r\n\r\nx" },
        { "", "From: a\r\n\r\nx", "From: a\r\n\r\nx" },
        /* text without a header: the tag is its header */
        { "[SPAM] ", "disk full\r\n\r\nlook: here", "Subject: [SPAM]\r\ndisk full\r\n\r\nlook: here" },
        { "[SPAM] ", "From a@b Fri Feb 14 08:55:52 2014\r\ndisk full\r\n",
          "Subject: [SPAM]\r\nFrom a@b Fri Feb 14 08:55:52 2014\r\ndisk full\r\n" },
        /* in the charset of the first word, wherever that stands */
        { "【迷惑】", "Subject: Re: =?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx",
          "Subject: =?ISO-2022-JP?B?GyRCIVpMQk9HIVsbKEI=?=\r\n Re: "
          "=?ISO-2022-JP?B?GyRCQmpMPhsoQg==?=\r\n\r\nx" },
        { "[迷惑] ", "Subject: Re: =?Shift_JIS?B?keg=?=\r\n\r\nx",
          "Subject: =?Shift_JIS?B?W5bAmGZd?= Re: =?Shift_JIS?B?keg=?=\r\n\r\nx" },
        /* a charset without the characters of the tag */
        { "[外部] ", "Subject: =?gb2312?B?u+HS6Q==?=\r\n\r\nx",
          "Subject: =?UTF-8?B?W+WklumDqF0g?= =?gb2312?B?u+HS6Q==?=\r\n\r\nx" },
        { "[外部] ", "Subject: =?us-ascii?Q?hello?=\r\n\r\nx",
          "Subject: =?UTF-8?Q?=5B=E5=A4=96=E9=83=A8=5D_?= =?us-ascii?Q?hello?=\r\n\r\nx" },
        { "[①] ", "Subject: =?Shift_JIS?B?keg=?=\r\n\r\nx",
          "Subject: =?UTF-8?B?W+KRoF0g?= =?Shift_JIS?B?keg=?=\r\n\r\nx" },
        /* what programs read in different byte orders is written anew */
        { "[外部] ", "Subject: =?UTF-16?B?TxqLcA==?=\r\n\r\nx",
          "Subject: =?UTF-8?B?W+WklumDqF0g5Lya6K2w?=\r\n\r\nx" },
        { "[SPAM] ", "Subject: Re:\r\n =?UTF-16?B?TxqLcA==?=\r\n\r\nx",
          "Subject: =?UTF-8?B?W1NQQU1dIFJlOiDkvJrorbA=?=\r\n\r\nx" },
        /* raw bytes become words with the tag; what is no text stays */
        { "[外部] ", "Subject: \x8e\x8a\xff\xff\r\n\r\nx",
          "Subject: =?UTF-8?B?W+WklumDqF0=?= \x8e\x8a\xff\xff\r\n\r\nx" },
        { "[①] ", "Subject: \x8e\x8a\x8b}\r\n\r\nx", "Subject: =?UTF-8?B?W+KRoF0g6Iez5oCl?=\r\n\r\nx" },
        { "[外部] ", "Subject: \x8e\x8a\x8b}\r\n\r\nx",
          "Subject: =?Shift_JIS?B?W4pPlZRdII6Ki30=?=\r\n\r\nx" },
        { "[外部] ", "Subject: Re:\r\n\r\nx", "Subject: =?UTF-8?B?W+WklumDqF0=?= Re:\r\n\r\nx" },
        /* the first line would get too long: folded between tag and word */
        { "[SPAM] ", "Subject: =?UTF-8?B?44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC?=\r\n\r\nx",
          "Subject: [SPAM]\r\n"
          " =?UTF-8?B?44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC?=\r\n\r\nx" },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct edits edits = { .arena = arena };
        struct header header;
        struct text message = text_of(rows[i].message);
        header_parse(arena, message, &LIMITS, &header);
        edits_prefix_subject(&edits, message, &header, TEXT_NONE, text_of(rows[i].prefix));
        check_result(&edits, message, rows[i].expected);
    }
    arena_free(arena);
}

static void pieces(void **state)
{
    struct edit items[] = { { 0, 0, TEXT("top") }, { 2, 3, TEXT_NONE }, { 8, 1, TEXT("x") } };
    struct edits edits = { .items = items, .count = 3 };
    struct edit_cursor cursor = { 0 };
    struct edit_piece piece;
    assert_true(edits_next(&edits, 10, &cursor, &piece));
    assert_true(text_equal(piece.literal, TEXT("top")));
    assert_true(edits_next(&edits, 10, &cursor, &piece));
    assert_true(!piece.literal.at && piece.offset == 0 && piece.length == 2);
    assert_true(edits_next(&edits, 10, &cursor, &piece));
    assert_true(!piece.literal.at && piece.offset == 5 && piece.length == 3);
    assert_true(edits_next(&edits, 10, &cursor, &piece));
    assert_true(text_equal(piece.literal, TEXT("x")));
    assert_true(edits_next(&edits, 10, &cursor, &piece));
    assert_true(!piece.literal.at && piece.offset == 9 && piece.length == 1);
    assert_false(edits_next(&edits, 10, &cursor, &piece));
    cursor = (struct edit_cursor){ 0 };
    assert_true(edits_next(NULL, 10, &cursor, &piece));
    assert_true(piece.offset == 0 && piece.length == 10);
    assert_false(edits_next(NULL, 10, &cursor, &piece));
}

static void refused(void **state)
{
    static const struct {
        const char *why;
        uint64_t edits[2][2];
        uint32_t count;
        uint64_t original;
        bool good;
    } rows[] = {
        { "in order", { { 0, 1 }, { 1, 1 } }, 2, 10, true },
        { "to the very end", { { 0, 0 }, { 9, 1 } }, 2, 10, true },
        { "overlapping", { { 0, 2 }, { 1, 1 } }, 2, 10, false },
        { "out of order", { { 5, 0 }, { 4, 0 } }, 2, 10, false },
        { "behind the end", { { 0, 0 }, { 9, 2 } }, 2, 10, false },
        { "starting behind the end", { { 0, 0 }, { 11, 0 } }, 2, 10, false },
        { "longer than a number", { { 0, 0 }, { 1, UINT64_MAX } }, 2, UINT64_MAX, false },
        { "more than there are", { { 0, 0 }, { 1, 1 } }, 3, 10, false },
        { "fewer than there are", { { 0, 0 }, { 1, 1 } }, 1, 10, false },
        { "far too many", { { 0, 0 }, { 1, 1 } }, UINT32_MAX, 10, false },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer wire = { 0 };
        struct edits edits;
        put_u32(&wire, rows[i].count);
        for (int k = 0; k < 2; k++) {
            put_u64(&wire, rows[i].edits[k][0]);
            put_u64(&wire, rows[i].edits[k][1]);
            put_text(&wire, TEXT("i"));
        }
        bool good = edits_decode(arena, buffer_text(&wire), rows[i].original, &edits);
        if (good != rows[i].good) fail_msg("%s: %d", rows[i].why, good);
        if (edits_are_whole(buffer_text(&wire), rows[i].original) != good) fail_msg("%s", rows[i].why);
        buffer_free(&wire);
    }
    arena_free(arena);
}

/* Tags of all lengths before Subjects of all lengths: lines stay within limits, and the text is what it was.
 */
static void subject_lines(void **state)
{
    static const char *const subjects[] = { "%.*s", "Re: %.*s =?utf-8?B?6aGM?=", "=?utf-8?Q?%.*s?=" };
    static const char *const tags[] = {
        "[SPAM] ", "[迷惑メール] ", "[これは外部から届いた迷惑メールの疑いがあるメールです。ご注意ください] "
    };
    static const size_t lengths[] = { 1, 40, 47, 48, 49, 50, 51, 52, 53, 58, 59, 60, 61, 62, 63, 980, 988 };
    char filler[1000];
    memset(filler, 'a', sizeof filler);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths * 9; i++) {
        struct arena *arena = arena_new(0);
        int length = (int)lengths[i / 9];
        if (i % 3 == 1 && length > 54) length = 54; /* longer ones are over the limit as they come */
        if (i % 3 == 2 && length > 63) length = 63;
        struct buffer raw = { 0 }, edited = { 0 }, before = { 0 }, after = { 0 };
        buffer_add_text(&raw, TEXT("Subject: "));
        buffer_printf(&raw, subjects[i % 3], length, filler);
        buffer_add_text(&raw, TEXT("\r\n\r\n"));
        struct edits edits = { .arena = arena };
        struct header header;
        header_parse(arena, buffer_text(&raw), &LIMITS, &header);
        edits_prefix_subject(&edits, buffer_text(&raw), &header, TEXT_NONE, text_of(tags[i / 3 % 3]));
        edits_apply(&edits, buffer_text(&raw), &edited);
        struct text rest = buffer_text(&edited), line;
        while (text_next_line(&rest, &line)) {
            bool has_word = text_find(line, TEXT("=?")) < line.length;
            assert_in_range(line.length, 0, has_word ? 76 : 998);
        }
        buffer_add_text(&before, text_of(tags[i / 3 % 3]));
        word_decode(header.fields[0].value, TEXT_NONE, &before, NULL);
        header_parse(arena, buffer_text(&edited), &LIMITS, &header);
        word_decode(header.fields[0].value, TEXT_NONE, &after, NULL);
        assert_true(text_equal(buffer_text(&before), buffer_text(&after)));
        buffer_free(&raw);
        buffer_free(&edited);
        buffer_free(&before);
        buffer_free(&after);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding),   cmocka_unit_test(forged_fields), cmocka_unit_test(many_forged_fields),
        cmocka_unit_test(subjects), cmocka_unit_test(subject_lines), cmocka_unit_test(pieces),
        cmocka_unit_test(refused),  cmocka_unit_test(merging),       cmocka_unit_test(byte_form_of_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
