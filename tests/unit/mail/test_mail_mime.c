/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Trees and readings. A row is a message; its tree is written "type[decoded bytes]", children in
   parentheses, findings behind "!"; its further readings as "how:bytes". "~" in a message is CRLF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "mail/reading.h"
#include "mail/reading_inner.h"
#include "mail_row.h"

static void add_visible(struct buffer *out, struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] != '\r') buffer_add_char(out, text.at[i] == '\n' ? '~' : text.at[i]);
}

/* What was decoded from something else is noise: its length tells enough. */
static void add_bytes(struct buffer *out, struct text bytes)
{
    bool noise = false;
    for (size_t i = 0; i < bytes.length; i++) noise |= (uint8_t)bytes.at[i] >= 0x7f;
    if (noise)
        buffer_printf(out, "[%zu]", bytes.length);
    else
        add_visible(out, bytes);
}

static void describe_part(const struct mime *mime, uint32_t index, struct buffer *out)
{
    const struct mime_part *part = &mime->parts[index];
    struct buffer room = { 0 };
    buffer_add_text(out, part->type);
    if (part->name.length) buffer_printf(out, ":%.*s", TEXT_ARG(part->name));
    if (part->kind == MIME_LEAF) {
        struct finding_set findings = { 0 };
        buffer_add_char(out, '[');
        add_visible(out, mime_decode(part, &room, &findings));
        buffer_add_char(out, ']');
    }
    buffer_free(&room);
    if (!part->children) return;
    const char *before = "(";
    for (uint32_t i = index + 1; i < mime->count; i++) {
        if (mime->parts[i].parent != index) continue;
        buffer_add_text(out, text_of(before));
        describe_part(mime, i, out);
        before = " ";
    }
    buffer_add_char(out, ')');
}

static void describe_findings(const struct finding_set *findings, struct buffer *out)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(findings, (enum finding)i)) buffer_printf(out, " !%s", finding_name((enum finding)i));
}

static void expect(const char *row, const char *what, struct buffer *got, const char *expected)
{
    if (!text_equal(buffer_text(got), text_of(expected)))
        fail_msg("\n%s\n%s\ngives    %.*s\nexpected %s", row, what, TEXT_ARG(buffer_text(got)), expected);
    buffer_free(got);
}

static void check_tree(const char *row, const struct mime_limits *limits, enum mime_choice choice,
                       const char *expected)
{
    struct arena *arena = arena_new(0);
    struct buffer got = { 0 };
    struct mime *mime = mime_parse(arena, mail_from_row(arena, row), limits, choice);
    describe_part(mime, 0, &got);
    describe_findings(&mime->findings, &got);
    expect(row, choice == MIME_FIRST ? "first" : "last", &got, expected);
    arena_free(arena);
}

/* A header that brings no finding of its own. */
#define H "MIME-Version: 1.0~Content-Type: "
#define MIXED H "multipart/mixed; boundary=b~~"

static void trees(void **state)
{
    static const struct {
        const char *message, *expected;
    } rows[] = {
        { "", "text/plain[]" },
        { "~body", "text/plain[body]" },
        { "A: b~~body~", "text/plain[body~]" },
        { H "TEXT/Html~~<p>", "text/html[<p>]" },
        { H "text / html~~<p>", "text/html[<p>]" },
        { H "text~~x", "text/plain[x] !content-type-syntax" },
        { H "multipart/mixed boundary=b~~--b~~one~--b--~",
          "multipart/mixed(text/plain[one]) !content-type-syntax !parameter-syntax" },
        { "Content-Type: text/html~~x", "text/html[x] !no-mime-version" },
        { H "a/b~Content-Transfer-Encoding: BASE64~~TWFu~", "a/b[Man]" },
        { H "a/b~Content-Transfer-Encoding: quoted-printable~~=41~", "a/b[A~]" },
        { H "a/b~Content-Transfer-Encoding: x-uuencode~~begin 644 x~#0V%T~`~end~", "a/b[Cat]" },
        { H "a/b; name=x.txt~Content-Disposition: attachment; filename=\"y.txt\"~~z", "a/b:y.txt[z]" },
        /* multiparts */
        { MIXED "--b~~one~--b~Content-Type: a/b~~two~--b--~", "multipart/mixed(text/plain[one] a/b[two])" },
        { MIXED "--b  ~~one~--b-- ~", "multipart/mixed(text/plain[one])" },
        { MIXED "--b~~one~~--b--", "multipart/mixed(text/plain[one~])" },
        { MIXED "--b~--b--", "multipart/mixed(text/plain[])" },
        { MIXED "--b~~--b~~--b--", "multipart/mixed(text/plain[] text/plain[])" },
        { MIXED "--b--~", "multipart/mixed" },
        { MIXED "preamble~--b~~one~--b--~epilogue", "multipart/mixed(text/plain[one]) !preamble !epilogue" },
        { MIXED "--b~hello~--b--~",
          "multipart/mixed(text/plain[hello]) !header-no-colon !header-no-separator" },
        { H "multipart/digest; boundary=b~~--b~~Subject: s~~x~--b--~",
          "multipart/digest(message/rfc822(text/plain[x]))" },
        { H "multipart/mixed; boundary=a~~--a~Content-Type: multipart/alternative; boundary=b~~"
            "--b~~one~--b~~two~--b--~~--a~~three~--a--~",
          "multipart/mixed(multipart/alternative(text/plain[one] text/plain[two]) text/plain[three])" },
        /* the same boundary inside and outside: inner first, then outer */
        { MIXED "--b~Content-Type: multipart/mixed; boundary=b~~--b~~one~--b--~~--b~~two~--b--~",
          "multipart/mixed(multipart/mixed(text/plain[one]) text/plain[two]) !ambiguous-boundary" },
        { H "multipart/mixed; boundary=bc~~--bc~Content-Type: multipart/mixed; "
            "boundary=b~~--b~~one~--b--~--bc--~",
          "multipart/mixed(multipart/mixed(text/plain[one])) !ambiguous-boundary" },
        /* messages in messages */
        { H "message/rfc822~~Subject: s~~x", "message/rfc822(text/plain[x])" },
        { H "message/rfc822~~", "message/rfc822[]" },
        { H "message/rfc822~~" MIXED "--b~~one~--b--~", "message/rfc822(multipart/mixed(text/plain[one]))" },
        { MIXED "--b~Content-Type: message/rfc822~~Subject: s~~x~--b~~two~--b--~",
          "multipart/mixed(message/rfc822(text/plain[x]) text/plain[two])" },
        { MIXED "--b~Content-Type: message/rfc822~~--b--~", "multipart/mixed(message/rfc822[])" },
        { H "message/rfc822~Content-Transfer-Encoding: base64~~QTogYg==",
          "message/rfc822[A: b] !encoded-container" },
        { H "message/partial~~x", "message/partial[x] !message-partial" },
        { H "message/delivery-status~~Reporting-MTA: dns; a~",
          "message/delivery-status[Reporting-MTA: dns; a~]" },
        /* unclosed */
        { MIXED "--b~~one~", "multipart/mixed(text/plain[one~]) !truncated-multipart" },
        { MIXED "nothing", "multipart/mixed !boundary-unused !preamble" },
        { H "multipart/mixed; boundary=a~~--a~Content-Type: multipart/mixed; "
            "boundary=b~~--b~~one~--a~~two~--a--~",
          "multipart/mixed(multipart/mixed(text/plain[one]) text/plain[two]) !no-closing-boundary" },
        { H "multipart/mixed~~--b~~one~--b--~", "multipart/mixed[--b~~one~--b--~] !no-boundary" },
        { H "multipart/mixed; boundary=\"\"~~--~", "multipart/mixed[--~] !no-boundary" },
        { MIXED "--b~~one~--bc~two~--b--~", "multipart/mixed(text/plain[one~--bc~two]) !boundary-prefix" },
        { MIXED "--b~~one~--b--~--b~~two~--b--~",
          "multipart/mixed(text/plain[one]) !delimiter-after-close !epilogue !bytes-between-parts" },
        { H "multipart/mixed; boundary*=us-ascii''b~~--b~~one~--b--~",
          "multipart/mixed(text/plain[one]) !encoded-boundary" },
        { H "multipart/mixed; boundary=\"b\\c\"~~--bc~~one~--bc--~", "multipart/mixed(text/plain[one])" },
        { H "multipart/mixed; boundary=\"b$\"~~--b$~~one~--b$--~",
          "multipart/mixed(text/plain[one]) !odd-boundary" },
        { MIXED "--b~~one~--b--~Content-Type: a/b~~x~",
          "multipart/mixed(text/plain[one]) !epilogue !bytes-between-parts" },
        /* uuencode in a text */
        { "A: b~~hi~begin 644 c.txt~#0V%T~`~end~bye~",
          "text/plain[hi~begin 644 c.txt~#0V%T~`~end~bye~](application/octet-stream:c.txt[Cat]) "
          "!uuencode-in-text" },
        { "A: b~~begin 644 c~#0V%T~", "text/plain[begin 644 c~#0V%T~](application/octet-stream:c[Cat])"
                                      " !uuencode-in-text !uuencode-no-end" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_tree(rows[i].message, &mime_limits_default, MIME_FIRST, rows[i].expected);
}

static void encodings(void **state)
{
    static const struct {
        const char *written;
        const char *expected;
    } rows[] = {
        { "7bit", "a/b[QQ==]" },
        { "8BIT", "a/b[QQ==]" },
        { "", "a/b[QQ==]" },
        { "base64", "a/b[A]" },
        { "  base64 ", "a/b[A]" },
        { "\"base64\"", "a/b[A] !quoted-transfer-encoding" },
        { "'base64'", "a/b[A] !quoted-transfer-encoding" },
        { "base64;", "a/b[A] !transfer-encoding-syntax" },
        { "base64 (comment)", "a/b[A] !transfer-encoding-syntax" },
        { "base-64", "a/b[QQ==] !unknown-transfer-encoding" },
        { "x-mine", "a/b[QQ==] !unknown-transfer-encoding" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char message[256];
        snprintf(message, sizeof message, H "a/b~Content-Transfer-Encoding: %s~~QQ==", rows[i].written);
        check_tree(message, &mime_limits_default, MIME_FIRST, rows[i].expected);
    }
}

static void last_choice(void **state)
{
    static const struct {
        const char *message, *expected;
    } rows[] = {
        { H "a/b~Content-Type: c/d~~x", "c/d[x] !duplicate-content-type" },
        { H "a/b~Content-Transfer-Encoding: 7bit~Content-Transfer-Encoding: base64~~TWFu",
          "a/b[Man] !duplicate-transfer-encoding" },
        { H "multipart/mixed; boundary=a; boundary=b~~--b~~one~--b--~",
          "multipart/mixed(text/plain[one]) !duplicate-parameter !duplicate-boundary" },
        { MIXED "--b~~one~--bc~~two~--b--~",
          "multipart/mixed(text/plain[one] text/plain[two]) !boundary-prefix" },
        { MIXED "--b~~one~--b--~--b~~two~--b--~",
          "multipart/mixed(text/plain[one] text/plain[two]) !delimiter-after-close" },
        { H "multipart/mixed~~--b~~one~--b--~", "multipart/mixed(text/plain[one]) !no-boundary" },
        { "A: b~ ~Content-Type: a/b~~x",
          "text/plain[Content-Type: a/b~~x] !header-blank-fold !header-again" },
        { "A: b~junk~Content-Type: a/b~~x", "a/b[x] !header-no-colon !no-mime-version" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_tree(rows[i].message, &mime_limits_default, MIME_LAST, rows[i].expected);
}

static void limits_reached(void **state)
{
    struct mime_limits few = mime_limits_default, flat = mime_limits_default,
                       short_header = mime_limits_default;
    few.parts = 3;
    flat.depth = 1;
    short_header.header_bytes = 20;
    check_tree(MIXED "--b~~one~--b~~two~--b~~three~--b--~", &few, MIME_FIRST,
               "multipart/mixed(text/plain[one] application/octet-stream[~two~--b~~three~--b--~])"
               " !truncated-multipart !too-many-parts");
    check_tree(MIXED "--b~Content-Type: message/rfc822~~A: b~~x~--b--~", &flat, MIME_FIRST,
               "multipart/mixed(message/rfc822[A: b~~x]) !nested-too-deep");
    check_tree("A: b~Content-Type: text/html~~x", &short_header, MIME_FIRST,
               "text/plain[x] !header-too-long");
}

static void check_readings(const char *row, const struct mime_limits *limits, const char *expected)
{
    static const char kinds[] = { ' ', '+', '*' };
    struct arena *arena = arena_new(0);
    struct buffer got = { 0 };
    struct mime *mime = mime_parse(arena, mail_from_row(arena, row), limits, MIME_FIRST);
    struct reading_list *list = reading_open(arena, mime);
    struct reading reading;
    while (reading_next(list, &reading)) {
        buffer_printf(&got, "%c%s:", kinds[reading.kind], reading.how);
        add_bytes(&got, reading.bytes);
    }
    reading_close(list);
    describe_findings(&mime->findings, &got);
    expect(row, "readings", &got, expected);
    arena_free(arena);
}

#define LONG64 "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"              /* 45 times A */
#define SHORT64 "QUFBQUFB~QUFBQUFB~QUFBQUFB~QUFBQUFB~QUFBQUFB~QUFBQUFB~QUFBQUFB~QUFBQUFB~" /* 48 */
#define LONGA "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void readings(void **state)
{
    static const struct {
        const char *message, *expected;
    } rows[] = {
        { "A: b~~x", " identity:x" },
        { MIXED "--b~~one~--b~Content-Transfer-Encoding: base64~~TWFu~--b--~", " identity:one base64:Man" },
        { MIXED "--b~~one~--b~~~--b--~", " identity:one" },
        /* nothing more is read where nothing is ambiguous */
        { "A: b~~" LONG64 "~", " identity:" LONG64 "~" },
        { H "a/b~Content-Transfer-Encoding: base64~Content-Transfer-Encoding: 7bit~~TWFu",
          " base64:Man+identity:TWFu !duplicate-transfer-encoding" },
        { H "a/b~Content-Transfer-Encoding: wrong~~=TWE=",
          " identity:=TWE=+quoted-printable:=TWE+base64:Ma*quoted-printable:" H
          "a/b~Content-Transfer-Encoding: wrong~~=TWE !unknown-transfer-encoding" },
        { H "a/b~Content-Transfer-Encoding: base64~~TQ==TWFu",
          " base64:MMan+base64-skip:[4]+base64-stop:M*quoted-printable:" H
          "a/b~Content-Transfer-Encoding: base64~~TQ==TWFu !base64-inner-padding" },
        /* a part that only the other boundary shows */
        { H "multipart/mixed; boundary=a; boundary=c~~--a~~one~--c~Content-Transfer-Encoding: "
            "base64~~TWFu~--c--~--a--~",
          " identity:one~--c~Content-Transfer-Encoding: base64~~TWFu~--c--+base64:Man*quoted-printable:" H
          "multipart/mixed; boundary=a; boundary=c~~--a~~one~--c~Content-Transfer-Encoding: "
          "base64~~TWFu~--c--~--a--~"
          " !duplicate-parameter !duplicate-boundary !preamble !epilogue !bytes-between-parts "
          "!stray-boundary" },
        /* base64 that no reading of the structure finds */
        { MIXED "--b~~one~--b--~Content-Type: a/b~Content-Transfer-Encoding: base64~~" LONG64 "~",
          " identity:one*identity:" LONG64 "~*identity:Content-Type: a/b~Content-Transfer-Encoding: base64~"
          "*base64:" LONGA "*quoted-printable:" MIXED
          "--b~~one~--b--~Content-Type: a/b~Content-Transfer-Encoding: base64~~" LONG64 "~"
          " !epilogue !bytes-between-parts" },
        /* in lines so short that they look like words */
        { MIXED "--b~~one~--b--~Content-Type: a/b~~" SHORT64,
          " identity:one*identity:" SHORT64 "*base64:" LONGA "AAA*quoted-printable:" MIXED
          "--b~~one~--b--~Content-Type: a/b~~" SHORT64 " !epilogue !bytes-between-parts" },
        /* lines of a file as a store with LF has them, and without blanks that a relay added */
        { H "a/b~~one~two~", " identity:one~two~+identity-lf:one~two~" },
        { H "text/plain~~one~two~", " identity:one~two~" },
        { H "a/b~Content-Transfer-Encoding: quoted-printable~~a= ~b ~c",
          " quoted-printable:ab ~c+quoted-printable-trim:ab~c+quoted-printable-lf:ab ~c"
          "+quoted-printable-trim-lf:ab~c" },
        /* a mail as a file, a part that no boundary of ours divides, a block in a decoded text */
        { H "a/b~Content-Transfer-Encoding: "
            "base64~~Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpUV0Z1",
          " base64:Content-Transfer-Encoding: base64~~TWFu+base64:Man" },
        { H "text/plain~Content-Transfer-Encoding: base64~~YmVnaW4gNjQ0IGEKIzg2JUIKZW5kCg==",
          " base64:begin 644 a~#86%B~end~+uuencode:aab" },
        { H "text/plain; boundary=c~~--c~Content-Transfer-Encoding: base64~~TWFu~--c--~",
          " identity:--c~Content-Transfer-Encoding: base64~~TWFu~--c--~+base64:Man*quoted-printable:" H
          "text/plain; boundary=c~~--c~Content-Transfer-Encoding: base64~~TWFu~--c--~ !stray-boundary" },
        { H "a/b~\x01"
            "Content-Transfer-Encoding: base64~~TWFu",
          " identity:TWFu+base64:Man+quoted-printable:TWFu !header-odd-name !content-odd-name" },
        /* a message under an encoding is opened too */
        { H "message/rfc822~Content-Transfer-Encoding: "
            "base64~~Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpUV0Z1",
          " base64:Content-Transfer-Encoding: base64~~TWFu+base64:Man*identity:"
          "Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpUV0Z1 !encoded-container" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_readings(rows[i].message, &mime_limits_default, rows[i].expected);
}

static void readings_bounded(void **state)
{
    struct mime_limits small = mime_limits_default;
    small.decoded_bytes = 5;
    check_readings(MIXED "--b~~one~--b~~two~--b--~", &small, " identity:one !decoded-too-large");
}

/* A file of short lines that holds nothing else is whole, however many they are. */
static void readings_of_short_lines(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer bytes = { 0 };
    struct reading reading;
    buffer_printf(&bytes, "Content-Type: application/octet-stream\r\n\r\n");
    while (buffer_length(&bytes) < 4 << 20) buffer_printf(&bytes, "1\r\n23\r\n");
    struct mime *mime = mime_parse(arena, buffer_text(&bytes), &mime_limits_default, MIME_FIRST);
    struct reading_list *list = reading_open(arena, mime);
    while (reading_next(list, &reading)) assert_true(reading.bytes.length > 0);
    assert_false(finding_has(&mime->findings, FINDING_DECODED_TOO_LARGE));
    reading_close(list);
    buffer_free(&bytes);
    arena_free(arena);
}

/* Nothing is read any more, in what lies inside neither. */
static void readings_given_up(void **state)
{
    struct arena *arena = arena_new(0);
    struct text message = mail_from_row(arena, MIXED "--b~~one~--b--~");
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct reading_list *list = reading_open(arena, mime);
    assert_true(reading_inner_may_begin(list, 1));
    assert_false(reading_list_give_up(list));
    assert_false(reading_inner_may_begin(list, 1));
    assert_false(reading_list_may_spend(list, 1));
    assert_true(finding_has(&mime->findings, FINDING_DECODED_TOO_LARGE));
    reading_close(list);
    arena_free(arena);
}

static void notes(void **state)
{
    struct arena *arena = arena_new(0);
    struct text message = mail_from_row(arena, MIXED "--b~~one~--bc~two~--b--~");
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    assert_int_equal(mime->note_count, 1);
    assert_int_equal(mime->notes[0].finding, FINDING_BOUNDARY_PREFIX);
    assert_int_equal(mime->notes[0].part, 1);
    assert_int_equal(mime->notes[0].offset, text_find(message, TEXT("--bc")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(encodings),
        cmocka_unit_test(last_choice),
        cmocka_unit_test(limits_reached),
        cmocka_unit_test(readings),
        cmocka_unit_test(readings_bounded),
        cmocka_unit_test(readings_of_short_lines),
        cmocka_unit_test(readings_given_up),
        cmocka_unit_test(notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
