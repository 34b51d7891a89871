/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Headers cut into fields. A row is a header and how it must be understood: "name=value" of each field,
   unfolded, then the body's first bytes and the findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "mail/header.h"

static const struct header_limits LIMITS = { 1 << 20, 1000, false, false, false };

static void describe(struct text text, const struct header_limits *limits, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct header header;
    header_parse(arena, text, limits, &header);
    for (size_t i = 0; i < header.count; i++) {
        const struct header_field *field = &header.fields[i];
        struct text value = header_unfold(arena, field->value);
        buffer_printf(out, "%.*s=%.*s|", TEXT_ARG(field->name), TEXT_ARG(value));
        assert_ptr_equal(field->name.at, text.at + field->offset);
    }
    buffer_printf(out, "|%.*s", TEXT_ARG(text_slice(text, header.body_offset, header.body_offset + 8)));
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(&header.findings, (enum finding)i))
            buffer_printf(out, "|%s", finding_name((enum finding)i));
    arena_free(arena);
}

static void check(const char *text, size_t length, const struct header_limits *limits, const char *expected)
{
    struct buffer got = { 0 };
    describe(text_from(text, length), limits, &got);
    if (!text_equal(buffer_text(&got), text_of(expected)))
        fail_msg("\n%.*s\ngives    %.*s\nexpected %s", (int)length, text, TEXT_ARG(buffer_text(&got)),
                 expected);
    buffer_free(&got);
}

#define ROW(text, expected)              \
    {                                    \
        text, sizeof(text) - 1, expected \
    }

static void fields(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *expected;
    } rows[] = {
        ROW("", "|"),
        ROW("\r\nbody", "|body"),
        ROW("A: b\r\n\r\nbody", "A=b||body"),
        ROW("A: b\nC: d\n\nbody", "A=b|C=d||body"),
        ROW("A:b\r\nC:\r\n\r\n", "A=b|C=||"),
        ROW("Subject: one\r\n two\r\n\tthree\r\n\r\nx", "Subject=one two three||x"),
        ROW("Subject:\r\n two\r\n\r\nx", "Subject=two||x"),
        ROW("A: b: c\r\n\r\n", "A=b: c||"),
        ROW("A: b\r\n", "A=b|||header-no-separator"),
        ROW("A: b", "A=b|||header-no-separator"),
        ROW("A: b\r\nhello there\r\nC: d\r\n\r\nx", "A=b||hello th|header-no-colon|header-no-separator"),
        ROW("A: b\r\nhello there: x\r\n\r\n", "A=b||hello th|header-no-colon|header-no-separator"),
        ROW("From me@example.org Mon Jan 1\r\nA: b\r\n\r\nx", "A=b||x"),
        ROW("A: b\r\nFrom me\r\n\r\nx", "A=b||From me\r|header-no-colon|header-no-separator"),
        ROW(">From me\r\nA: b\r\n\r\nx", "A=b||x|header-mbox-line"),
        ROW("A: b\r\n>>From me\r\n\tx: y\r\n>From me\r\nC: d\r\n\r\nx", "A=b|C=d||x|header-mbox-line"),
        ROW("A: b\r\nFrom me Mon Jan 1 09:10:11 2001\r\nC: d\r\n\r\nx", "A=b|C=d||x|header-mbox-line"),
        ROW("From me\r\n x\r\nA: b\r\n\r\nx", "A=b||x|header-starts-folded"),
        ROW("A: b\r\n>From: me\r\n\r\nx", "A=b|>From=me||x"),
        ROW("A: b\r\n>from me\r\n\r\nx", "A=b||>from me|header-no-colon|header-no-separator"),
        ROW("A: b\r\nFrom 1:2 3:4:5\r\n\r\nx", "A=b||From 1:2|header-no-colon|header-no-separator"),
        ROW("A : b\r\n\r\n", "A=b|||header-space-before-colon"),
        ROW("Content-Type : b\r\n\r\n", "Content-Type=b|||content-space-before-colon"),
        ROW(": b\r\n\r\n", "=b|||header-empty-name"),
        ROW("A: \xe3\x81\x82\r\n\r\n", "A=\xe3\x81\x82|||header-8bit"),
        ROW("A\xff: b\r\n\r\n", "A\xff=b|||header-8bit|header-odd-name"),
        ROW("A: b\0c\r\n\r\n", "A=bc|||header-nul"),
        ROW("A: b\rc\r\n\r\n", "A=b\rc|||header-bare-cr"),
        ROW("A: b\r\nC: d\n\r\n", "A=b|C=d|||mixed-line-ends"),
        ROW(" a\r\nB: c\r\n\r\n", "| a\r\nB: c|header-starts-folded|header-no-separator"),
        ROW("A: b\r\n \t\r\nC: d\r\n\r\nx", "A=b|C=d||x|header-blank-fold"),
        ROW("From: a\r\nFrom: b\r\n\r\n", "From=a|From=b|||duplicate-field"),
        ROW("Received: a\r\nReceived: b\r\nX: 1\r\nX: 2\r\n\r\n", "Received=a|Received=b|X=1|X=2||"),
        ROW("Content-Type: a/b\r\ncontent-type: c/d\r\n\r\n",
            "Content-Type=a/b|content-type=c/d|||duplicate-content-type"),
        ROW("Content-Type: a/b\r\ncontent-type:  a/b\r\n\r\n",
            "Content-Type=a/b|content-type=a/b|||duplicate-field"),
        ROW("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            "Content-Transfer-Encoding=7bit|Content-Transfer-Encoding=base64|||duplicate-transfer-encoding"),
        ROW("Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\n",
            "Content-Disposition=inline|Content-Disposition=attachment|||duplicate-disposition"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(rows[i].text, rows[i].length, &LIMITS, rows[i].expected);
}

static void junk_skipped(void **state)
{
    static const struct header_limits limits = { 1 << 20, 1000, true, true, false };
    static const struct {
        const char *text;
        size_t length;
        const char *expected;
    } rows[] = {
        ROW("A: b\r\nhello there\r\nC: d\r\n\r\nx", "A=b|C=d||x|header-no-colon"),
        ROW(" a\r\nB: c\r\n\r\nx", "B=c||x|header-starts-folded"),
        ROW("A: b\r\n \t\r\nC: d\r\n\r\nx", "A=b||C: d\r\n\r\n|header-blank-fold"),
        ROW(" \r\nx", "|x|header-blank-fold"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(rows[i].text, rows[i].length, &limits, rows[i].expected);
}

static void mbox_lines(void **state)
{
    static const struct header_limits ends = { .bytes = 1 << 20, .fields = 1000, .mbox_ends = true };
    static const struct header_limits last = { .bytes = 1 << 20, .fields = 1000, .skip_junk = true };
    static const char text[] = "A: b\r\n>From me\r\n fold\r\nC: d\r\n\r\nx";
    check(text, sizeof text - 1, &LIMITS, "A=b|C=d||x|header-mbox-line");
    check(text, sizeof text - 1, &ends, "A=b||>From me|header-mbox-line|header-no-separator");
    check(text, sizeof text - 1, &last, "A=b >From me fold|C=d||x|header-mbox-line");
}

static void first_mbox_line(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        { "From me Mon Jan 1\r\nA: b\r\n", 19 },
        { "From me\n fold\n\tfold\nA: b\n", 20 },
        { "From me", 7 },
        { "From me\r\n \r\n", 12 },
        { "From: me\r\n", 0 },
        { ">From me\r\n", 0 },
        { "from me\r\n", 0 },
        { "A: b\r\nFrom me\r\n", 0 },
        { "", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (header_mbox_length(text_of(rows[i].text)) != rows[i].length)
            fail_msg("%s: %zu", rows[i].text, header_mbox_length(text_of(rows[i].text)));
}

static void limits_reached(void **state)
{
    static const struct header_limits few = { 1 << 20, 2, false, false, false },
                                      small = { 12, 100, false, false, false };
    static const char text[] = "A: b\r\nC: d\r\nE: f\r\n\r\nbody";
    check(text, sizeof text - 1, &few, "A=b|C=d||body|too-many-fields");
    check(text, sizeof text - 1, &small, "A=b|C=d||body|header-too-long");
}

static void lookups(void **state)
{
    struct arena *arena = arena_new(0);
    struct header header;
    struct text text = TEXT("To: a\r\nX-One: 1\r\nSUBJECT: s\r\nto: b\r\nx-one: 2\r\n\r\n");
    header_parse(arena, text, &LIMITS, &header);
    assert_true(text_equal(text_trim(header_find(&header, HEADER_TO)->value), TEXT("a")));
    assert_true(text_equal(text_trim(header_find_last(&header, HEADER_TO)->value), TEXT("b")));
    assert_true(text_equal(text_trim(header_find_last(&header, HEADER_SUBJECT)->value), TEXT("s")));
    assert_null(header_find(&header, HEADER_FROM));
    assert_null(header_find_last(&header, HEADER_FROM));
    assert_true(text_equal(text_trim(header_find_name(&header, TEXT("X-ONE"))->value), TEXT("1")));
    assert_null(header_find_name(&header, TEXT("X-On")));
    assert_int_equal(header_count_name(&header, TEXT("x-one")), 2);
    assert_int_equal(header_id_of(TEXT("content-TRANSFER-encoding")), HEADER_CONTENT_TRANSFER_ENCODING);
    assert_int_equal(header_id_of(TEXT("Content-Transfer-Encodin")), HEADER_OTHER);
    arena_free(arena);
}

static void names(void **state)
{
    for (int i = 0; i < FINDING_COUNT; i++) {
        enum finding back;
        assert_non_null(finding_name((enum finding)i));
        assert_true(finding_from_name(text_of(finding_name((enum finding)i)), &back));
        assert_int_equal(back, i);
    }
    enum finding none;
    assert_false(finding_from_name(TEXT("no-such-finding"), &none));
    struct finding_set set = { 0 };
    finding_add(&set, FINDING_PREAMBLE);
    assert_false(finding_set_is_doubtful(&set));
    finding_add(&set, FINDING_WRONG_CHARSET);
    finding_add(&set, FINDING_BASE64_JUNK);
    assert_true(finding_set_is_doubtful(&set));
    assert_false(finding_set_calls_for(&set, CONSEQUENCE_HOLD));
    assert_false(finding_set_calls_for(&set, CONSEQUENCE_LIMIT));
    finding_add(&set, FINDING_MESSAGE_PARTIAL);
    assert_true(finding_set_calls_for(&set, CONSEQUENCE_HOLD));
}

static void missing(void **state)
{
    static const struct {
        const char *text;
        bool is_missing;
    } rows[] = {
        { "", false },
        { "\r\nbody\r\n", false },
        { "Subject: a\r\n\r\nb", false },
        { "Disk full on host1\r\n\r\nSubject: a\r\n", true },
        { "Disk full on host1", true },
        { "Disk full on host1\r\nplease: look\r\n", true },
        { "a line\r\nSubject: a\r\n\r\nb", false },
        { "  indented\r\n\r\nb", true },
        { "  indented\r\nTo: a\r\n\r\nb", false },
        { "From a@b Fri Feb 14 08:55:52 2014\r\nSubject: a\r\n\r\nb", false },
        { "From a@b Fri Feb 14 08:55:52 2014\r\nfoo: a\r\n\r\nb", false },
        { "From a@b Fri Feb 14 08:55:52 2014\r\nfoo\r\n\r\nb", true },
        { ": nameless\r\n\r\nb", true },
        { "please look: here\r\n\r\nb", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (header_is_missing(text_of(rows[i].text)) != rows[i].is_missing) fail_msg("%s", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing),    cmocka_unit_test(fields),          cmocka_unit_test(junk_skipped),
        cmocka_unit_test(mbox_lines), cmocka_unit_test(first_mbox_line), cmocka_unit_test(limits_reached),
        cmocka_unit_test(lookups),    cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
