/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The transfer encodings. A row is encoded bytes, what they decode to and what is found on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "mail/decode.h"
#include "mail/digest.h"

static void name_findings(const struct finding_set *findings, struct buffer *out)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(findings, (enum finding)i))
            buffer_printf(out, "%s%s", buffer_length(out) ? " " : "", finding_name((enum finding)i));
}

static void compare(const char *in, struct text got, const char *expected, const struct finding_set *findings,
                    const char *expected_findings)
{
    struct buffer names = { 0 };
    name_findings(findings, &names);
    if (!text_equal(got, text_of(expected)))
        fail_msg("%s gives \"%.*s\", not \"%s\"", in, TEXT_ARG(got), expected);
    if (!text_equal(buffer_text(&names), text_of(expected_findings)))
        fail_msg("%s finds \"%.*s\", not \"%s\"", in, TEXT_ARG(buffer_text(&names)), expected_findings);
    buffer_free(&names);
}

static void base64(void **state)
{
    static const struct {
        const char *in;
        const char *
            out[DECODE_MODES]; /* restart, skip, stop, strict, lines, paragraphs, whole; NULL: as the first */
        const char *findings;
    } rows[] = {
        { "", { "" }, "" },
        { "TQ==", { "M" }, "" },
        { "TWE=", { "Ma" }, "" },
        { "TWFu", { "Man" }, "" },
        { "TWFu\r\nTWFu\r\n", { "ManMan" }, "" },
        { "TW\r\nFu", { "Man", NULL, NULL, NULL, "M\x16", "Man", "" }, "base64-uneven-line" },
        { "T W F u", { "Man", NULL, NULL, NULL, NULL, NULL, "" }, "" },
        { "TWE", { "Ma", NULL, NULL, NULL, NULL, NULL, "" }, "base64-missing-padding" },
        { "TWFuT", { "Man", NULL, NULL, NULL, NULL, NULL, "" }, "base64-lone-digit" },
        { "TW!Fu", { "Man", NULL, NULL, "M", NULL, NULL, "" }, "base64-junk" },
        { "TWFu*TWFu", { "ManMan", NULL, NULL, "Man", NULL, NULL, "" }, "base64-junk" },
        { "TQ==TWFu", { "MMan", "M\x04\xd6\x16", "M", "M", "M", "M", "M" }, "base64-inner-padding" },
        { "TWE=\r\nTWE=\r\n",
          { "MaMa", "Ma\x13X", "Ma", "Ma", "MaMa", "Ma", "MaMa" },
          "base64-inner-padding" },
        { "TWFu====", { "Man" }, "" },
        { "=TWFu", { "Man", NULL, "", "", "", "", "" }, "base64-inner-padding" },
        { "TWFu--\r\nxx",
          { "Man\xc7", NULL, NULL, "Man", NULL, NULL, "" },
          "base64-junk base64-missing-padding" },
    };
    char room[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct finding_set findings = { 0 };
        struct text in = text_of(rows[i].in);
        size_t length = decode_base64(in, DECODE_RESTART, room, &findings);
        compare(rows[i].in, text_from(room, length), rows[i].out[0], &findings, rows[i].findings);
        for (int mode = 1; mode < DECODE_MODES; mode++) {
            const char *due = rows[i].out[mode] ? rows[i].out[mode] : rows[i].out[0];
            length = decode_base64(in, (enum decode_base64_mode)mode, room, NULL);
            if (!text_equal(text_from(room, length), text_of(due)))
                fail_msg("%s in mode %d gives \"%.*s\"", rows[i].in, mode, (int)length, room);
        }
    }
}

static void base64_long_line(void **state)
{
    char in[120], room[124];
    struct finding_set findings = { 0 };
    memset(in, 'A', sizeof in);
    assert_int_equal(decode_base64(text_from(in, 76), DECODE_RESTART, room, &findings), 57);
    assert_true(finding_set_is_empty(&findings));
    assert_int_equal(decode_base64(text_from(in, 120), DECODE_RESTART, room, &findings), 90);
    assert_true(finding_has(&findings, FINDING_BASE64_LONG_LINE));
}

static void quoted(void **state)
{
    static const struct {
        const char *in, *out, *findings;
    } rows[] = {
        { "", "", "" },
        { "plain\r\ntext", "plain\r\ntext", "" },
        { "=41=42", "AB", "" },
        { "=e3=81=82", "\xe3\x81\x82", "" },
        { "a=\r\nb", "ab", "" },
        { "a=\nb", "ab", "" },
        { "a= \t\r\nb", "ab", "" },
        { "a=", "a", "" },
        { "a=\r", "a", "" },
        { "a=4", "a=4", "quoted-bad-escape" },
        { "a=ZZb", "a=ZZb", "quoted-bad-escape" },
        { "a==41", "a=A", "quoted-bad-escape" },
        { "a= b", "a= b", "quoted-bad-escape" },
        { "\xe3\x81\x82", "\xe3\x81\x82", "quoted-8bit" },
    };
    char room[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct finding_set findings = { 0 };
        size_t length = decode_quoted(text_of(rows[i].in), room, &findings);
        compare(rows[i].in, text_from(room, length), rows[i].out, &findings, rows[i].findings);
    }
}

static void blocks(void **state)
{
    static const struct {
        const char *text, *name, *bytes, *findings;
        bool found, ended;
    } rows[] = {
        { "hi\nbegin 644 a.txt\n#0V%T\n`\nend\nbye\n", "a.txt", "Cat", "", true, true },
        { "begin 644 a b.txt\r\n#0V%T\r\n`\r\nend\r\n", "a b.txt", "Cat", "", true, true },
        { "begin 644 a\n#0V%T\nno data here, a sentence\n", "a", "Cat", "", true, false },
        { "begin 644 a\njunk!\n#0V%T\njunk, too\n#0V%T\n`\nend\n", "a", "CatCat", "uuencode-bad-line", true,
          true },
        { "begin 644 a\n#0V%T\njunk!\n#0V%T\nregards\n", "a", "Cat", "", true, false },
        { "begin 644 a\n#0V%T", "a", "Cat", "", true, false },
        { "begin 0755 a\n&0V%T0V%T\n`\nend\n", "a", "CatCat", "", true, true },
        { "begin 644 a\n#0V%\n`\nend\n", "a", "Ca@", "uuencode-bad-line", true, true },
        { "begin 1 a\n#0V%T\n`\nend\n", "a", "Cat", "", true, true },
        { "begin 000644 a\n#0V%T\n`\nend\n", "a", "Cat", "", true, true },
        { "begin 644 a\n#0V%T\n\n\n#0V%T\n\n`\nend\n", "a", "CatCat", "", true, true },
        { "begin 644 a\n#0V%T\n\nA sentence that is none.\n", "a", "Cat", "", true, false },
        { "begin the day with coffee\nand cake\n", NULL, NULL, NULL, false, false },
        { "begin 644 a\n", NULL, NULL, NULL, false, false },
        { "begin 644 a\nend\n", NULL, NULL, NULL, false, false },
        { "x begin 644 a\n#0V%T\n`\nend\n", NULL, NULL, NULL, false, false },
        { "begin 999 a\n#0V%T\n`\nend\n", NULL, NULL, NULL, false, false },
    };
    char room[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decode_block block = { 0 };
        struct finding_set findings = { 0 };
        struct text text = text_of(rows[i].text);
        if (decode_find_block(text, 0, &block) != rows[i].found) fail_msg("%s", rows[i].text);
        if (!rows[i].found) continue;
        assert_true(text_equal(block.name, text_of(rows[i].name)));
        assert_int_equal(block.ended, rows[i].ended);
        size_t length = decode_uuencode(block.data, room, &findings);
        compare(rows[i].text, text_from(room, length), rows[i].bytes, &findings, rows[i].findings);
        assert_false(decode_find_block(text, block.next, &block));
    }
}

static void base64_block(void **state)
{
    struct decode_block block = { 0 };
    char room[64];
    struct text text = TEXT("begin-base64 644 x\nTWFu\nTWE=\n====\nrest");
    assert_true(decode_find_block(text, 0, &block));
    assert_true(block.form == DECODE_BASE64 && block.ended);
    size_t length = decode_base64(block.data, DECODE_RESTART, room, NULL);
    assert_true(text_equal(text_from(room, length), TEXT("ManMa")));
    assert_true(text_equal(text_slice(text, block.next, text.length), TEXT("rest")));
}

static void yenc_blocks(void **state)
{
    static const struct {
        const char *text, *name, *bytes;
        bool ended;
    } rows[] = {
        { "hi\n=ybegin line=128 size=3 name=a b.txt\nm\x8b\x9e\n=yend size=3\nbye\n", "a b.txt", "Cat",
          true },
        { "=ybegin part=1 line=128 size=3 name=a\r\n=ypart begin=1 end=3\r\nm\x8b\r\n\x9e\r\n=yend\r\n", "a",
          "Cat", true },
        { "=ybegin line=128\nm=\xcb\x9e", "", "Cat", false },
    };
    char room[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decode_block block = { 0 };
        struct text text = text_of(rows[i].text);
        assert_true(decode_find_block(text, 0, &block));
        assert_true(block.form == DECODE_YENC && block.ended == rows[i].ended);
        assert_true(text_equal(block.name, text_of(rows[i].name)));
        size_t length = decode_yenc(block.data, room);
        assert_true(text_equal(text_from(room, length), text_of(rows[i].bytes)));
        assert_false(decode_find_block(text, block.next, &block));
    }
}

/* Whoever hides a block in one of another form is not believed. */
static void blocks_in_blocks(void **state)
{
    struct decode_block block = { 0 };
    struct text text =
        TEXT("=ybegin line=9 name=a\nbegin 644 b\n#0V%T\n`\nend\n=ybegin line=9 name=c\nbegin 644 d\n#0V%T\n"
             "=ybegin line=9 name=e\n");
    char names[16] = "";
    for (size_t at = 0; decode_find_block(text, at, &block); at = block.next)
        strncat(names, block.name.at, block.name.length);
    assert_string_equal(names, "abcd"); /* e has no data */
}

static void binhex_files(void **state)
{
    struct text text = TEXT("x (This file must be converted with BinHex 4.0)\n(This file must be converted "
                            "with BinHex 4.0)\n:a:\n"
                            "(This file must be converted with BinHex 4.0)\n:b:\n");
    struct text file;
    assert_true(decode_find_binhex(text, 0, &file));
    assert_true(text_ends(file, TEXT("\n:a:")) && text_starts(file, TEXT("(This")));
    assert_true(decode_find_binhex(text, (size_t)(file.at - text.at) + file.length, &file));
    assert_true(text_ends(file, TEXT("\n:b:")));
    assert_false(decode_find_binhex(text, text.length, &file));
}

static void digests(void **state)
{
    char hex[DIGEST_HEX_SIZE];
    assert_string_equal(digest_sha256_hex(TEXT("abc"), hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(digest_sha256_hex(TEXT_NONE, hex),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64),           cmocka_unit_test(base64_long_line), cmocka_unit_test(quoted),
        cmocka_unit_test(blocks),           cmocka_unit_test(base64_block),     cmocka_unit_test(yenc_blocks),
        cmocka_unit_test(blocks_in_blocks), cmocka_unit_test(binhex_files),     cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
