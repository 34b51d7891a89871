/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Structured values. A row is a value and "main|name=value|…" in UTF-8 with the findings behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "mail/parameter.h"

static void describe(struct arena *arena, const char *value, struct buffer *out)
{
    struct parameter_list list;
    parameter_parse(arena, text_of(value), TEXT_NONE, 8, &list);
    buffer_add_text(out, list.value);
    for (size_t i = 0; i < list.count; i++) {
        struct text text = parameter_utf8(arena, &list.items[i], TEXT_NONE, &list.findings);
        buffer_printf(out, "|%.*s=%.*s", TEXT_ARG(list.items[i].name), TEXT_ARG(text));
    }
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(&list.findings, (enum finding)i))
            buffer_printf(out, " !%s", finding_name((enum finding)i));
}

static void values(void **state)
{
    static const struct {
        const char *value, *expected;
    } rows[] = {
        { "", "" },
        { "text/plain", "text/plain" },
        { "text/plain;", "text/plain" },
        { "text/plain; charset=us-ascii", "text/plain|charset=us-ascii" },
        { "text/plain; CHARSET = \"us-ascii\" ; x=y", "text/plain|charset=us-ascii|x=y" },
        { "text/plain (a; comment=(x)) ; a=b", "text/plain|a=b" },
        { "a/b; c=d (comment)", "a/b|c=d" },
        { "a/b; c=\"d;e\"; f=g", "a/b|c=d;e|f=g" },
        { "a/b; c=\"d\\\"e\\\\f\"", "a/b|c=d\"e\\f" },
        { "a/b;; c=d;", "a/b|c=d" },
        { "a/b c=d; e=f", "a/b|c=d|e=f !parameter-syntax" },
        { "(x) a (y) / (z) b (w); c=d", "a  /  b|c=d" },
        { "a b; c=d", "a b|c=d" },
        { "a/b; c", "a/b !parameter-syntax" },
        { "a/b; =d; e=f", "a/b|e=f !parameter-syntax" },
        { "a/b; c=d e=f", "a/b|c=d|e=f !parameter-syntax" },
        { "a/b; c=\"d\" e=f", "a/b|c=d|e=f !parameter-syntax" },
        { "a/b; c=\"d\"x; e=f", "a/b|c=d|e=f !parameter-syntax" },
        { "a/b; c=two words; e=f", "a/b|c=two words|e=f !parameter-unquoted" },
        { "a/b; c=\"open; e=f", "a/b|c=open; e=f !parameter-unclosed-quote" },
        { "a/b; name=\xe9\xa1\x8c.txt", "a/b|name=\xe9\xa1\x8c.txt !parameter-unquoted !parameter-8bit" },
        { "a/b; name=\"=?UTF-8?B?6aGM?=\"", "a/b|name=\xe9\xa1\x8c !parameter-encoded-word" },
        { "a/b; c=1; c=2", "a/b|c=1|c=2 !duplicate-parameter" },
        /* RFC 2231 */
        { "a/b; name*=utf-8'ja'%E9%A1%8C.txt", "a/b|name=\xe9\xa1\x8c.txt" },
        { "a/b; name*=ISO-2022-JP''%1B$BBjL%3E%1B(B",
          "a/b|name=\xe9\xa1\x8c\xe5\x90\x8d !parameter-unquoted" },
        { "a/b; name*0=one; name*1=\" two\"", "a/b|name=one two" },
        { "a/b; name*1=two; name*0=one", "a/b|name=onetwo" },
        { "a/b; name*0*=utf-8''%E9%A1; name*1*=%8C; name*2=.txt", "a/b|name=\xe9\xa1\x8c.txt" },
        { "a/b; name*0=a; name*2=c", "a/b|name=ac !parameter-section-gap" },
        { "a/b; name*0=a; name*0=b", "a/b|name=a !duplicate-parameter" },
        { "a/b; name=a; name*=utf-8''b", "a/b|name=a|name=b !parameter-mixed" },
        { "a/b; name*=utf-8''%zz%4", "a/b|name=%zz%4 !parameter-bad-percent" },
        { "a/b; name*=plain", "a/b|name=plain" },
        { "a/b; a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;i=9",
          "a/b|a=1|b=2|c=3|d=4|e=5|f=6|g=7|h=8 !too-many-parameters" },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        describe(arena, rows[i].value, &out);
        if (!text_equal(buffer_text(&out), text_of(rows[i].expected)))
            fail_msg("\n%s\ngives    %.*s\nexpected %s", rows[i].value, TEXT_ARG(buffer_text(&out)),
                     rows[i].expected);
        buffer_free(&out);
    }
    arena_free(arena);
}

static void finding_one(void **state)
{
    struct arena *arena = arena_new(0);
    struct parameter_list list;
    parameter_parse(arena, TEXT("a/b; n=1; n*=utf-8''2; n=3; m=4"), TEXT_NONE, 8, &list);
    assert_true(text_equal(parameter_find(&list, TEXT("n"), false)->value, TEXT("2")));
    assert_true(text_equal(parameter_find(&list, TEXT("n"), true)->value, TEXT("3")));
    assert_true(text_equal(parameter_find(&list, TEXT("m"), false)->value, TEXT("4")));
    assert_null(parameter_find(&list, TEXT("o"), false));
    assert_int_equal(parameter_times(&list, TEXT("n")), 3);
    arena_free(arena);
}

/* Raw bytes in file names: what is declared near them, the value, the name. */
static void raw_names(void **state)
{
    static const struct {
        const char *declared, *value, *name;
    } rows[] = {
        { "", "attachment; filename=\"\x97\\\x92\xe8\x95\\.xls\"", "予定表.xls" },
        { "", "attachment; filename=\"\x97\\\x92\xe8\x95\\\"; size=1", "予定表" },
        { "", "attachment; filename=\"\x95\\\"", "表" },
        { "utf-8", "attachment; filename=\"\x94\\\x97\xcd\x83\\.doc\"", "能力ソ.doc" },
        /* the backslash in the character is quoted, as RFC 5322 asks */
        { "", "attachment; filename=\"\x97\\\\\x92\xe8\x95\\\\.xls\"", "予定表.xls" },
        { "", "attachment; filename=\"\x97\\\x92\xe8\x95\\\\\"", "予定表" },
        /* a backslash behind the character quotes */
        { "", "attachment; filename=\"\x94\\\x97\xcd\\\"x\\\".doc\"", "能力\"x\".doc" },
        { "shift_jis", "attachment; filename=\"\xbf\xcc\xc4\\\"\\\".doc\"", "ｿﾌﾄ\"\".doc" },
        { "utf-8", "attachment; filename=\"\xe9\xa1\x8c\\\"a\\\".txt\"", "題\"a\".txt" },
        { "euc-jp", "attachment; filename=\"\xc9\xbd\\\"a\\\".txt\"", "表\"a\".txt" },
        /* without quotes there is no quoting */
        { "", "attachment; filename=\x97\\\x92\xe8\x95\\.xls", "予定表.xls" },
        /* other charsets with such bytes, where they are declared */
        { "big5", "attachment; filename=\"\xb3\\\xa5\\\xbb\\.txt\"", "許功蓋.txt" },
        { "gb2312", "attachment; filename=\"\x95\\.txt\"", "昞.txt" },
        /* raw ISO-2022-JP: quotes, backslashes and semicolons between the escapes */
        { "", "attachment; filename=\"\x1b$B$\"$$G=!(\x1b(B.txt\"", "あい能；.txt" },
        { "", "attachment; filename=\x1b$B$\"$$\x1b(B.txt; size=1", "あい.txt" },
        /* a label that is wrong */
        { "", "attachment; filename*=utf-8''%95%5C%8E%A6.txt", "表示.txt" },
        { "", "attachment; filename*=iso-8859-1''%95%5C%8E%A6.txt", "表示.txt" },
        { "", "attachment; filename*=us-ascii''%C9%BD%BC%A8.txt", "表示.txt" },
        { "shift_jis", "attachment; filename*=''%BC%BD%C3%D1", "ｼｽﾃﾑ" },
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text value = text_of(rows[i].value), declared = text_of(rows[i].declared);
        struct parameter_list list;
        parameter_parse(arena, value, declared, 8, &list);
        const struct parameter *name = parameter_find(&list, TEXT("filename"), false);
        assert_non_null(name);
        struct text utf8 = parameter_utf8(arena, name, declared, NULL);
        if (!text_equal(utf8, text_of(rows[i].name)))
            fail_msg("\n%s\ngives    %.*s\nexpected %s", rows[i].value, TEXT_ARG(utf8), rows[i].name);
        assert_false(finding_has(&list.findings, FINDING_PARAMETER_UNCLOSED_QUOTE));
    }
    arena_free(arena);
}

/* Where parts begin, every program must read the same: quoting is as RFC 5322 says. */
static void boundary_beside_raw_bytes(void **state)
{
    struct arena *arena = arena_new(0);
    struct parameter_list list;
    parameter_parse(arena, TEXT("multipart/mixed; x=\"\x95\\\"; boundary=a"), TEXT_NONE, 8, &list);
    assert_null(parameter_find(&list, TEXT("boundary"), false));
    parameter_parse(arena, TEXT("text/plain; x=\"\x95\\\"; boundary=a"), TEXT_NONE, 8, &list);
    assert_non_null(parameter_find(&list, TEXT("boundary"), false));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(finding_one),
                                        cmocka_unit_test(raw_names),
                                        cmocka_unit_test(boundary_beside_raw_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
