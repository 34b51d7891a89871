/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: after conversion the message is 7-bit, its tree is the same, and every part decodes to the bytes it
   had; what needs no change keeps its bytes; what cannot be converted is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mail/convert.h"
#include "mail/mime.h"

#define UTF8 "\xe9\x96\xa2\xe6\x89\x8b" /* sekimori's first two characters */
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define EIGHT "Content-Transfer-Encoding: 8bit\r\n"
#define MIXED(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\r\n"
#define VERSION "MIME-Version: 1.0\r\n"

struct row {
    const char *name, *message;
    enum convert_outcome outcome;
    const char *has;   /* stands in the converted message; NULL: nothing looked for */
    const char *lacks; /* does not */
    bool is_retyped;   /* a message inside was encoded as a whole */
};

static const struct row rows[] = {
    { "nothing to do", "Subject: a\r\n\r\nbody\r\n", CONVERT_DONE, "Subject: a\r\n\r\nbody\r\n", "MIME" },
    { "empty", "", CONVERT_DONE, NULL, NULL },
    { "ISO-2022-JP is 7-bit",
      VERSION "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B4X\x1b(B\r\n", CONVERT_DONE,
      "\r\n\r\n\x1b$B4X\x1b(B\r\n", "Transfer-Encoding" },
    { "a few letters: quoted-printable",
      VERSION PLAIN EIGHT "\r\ngr\xc3\xbc\xc3\x9f von hier, und viel mehr\r\n", CONVERT_DONE,
      "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9F von hier", "8bit" },
    { "mostly Japanese: base64", VERSION PLAIN EIGHT "\r\n" UTF8 UTF8 UTF8 "\r\n", CONVERT_DONE,
      "Content-Transfer-Encoding: base64\r\n\r\n6Zai5omL6Zai5omL6Zai5omLDQo=\r\n", "8bit" },
    { "no encoding said", VERSION PLAIN "\r\nabcdefgh \xc3\xbc abc\r\n", CONVERT_DONE,
      "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", NULL },
    { "no MIME fields at all", "Subject: a\r\n\r\nabcdefgh \xfc abc\r\n", CONVERT_DONE,
      "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\nabcdefgh =FC abc\r\n",
      NULL },
    { "blank and dot, line ends", VERSION PLAIN EIGHT "\r\n.\xc3\xbc abcdefgh \r\n=\r\nlast line of it\r\n",
      CONVERT_DONE, "=2E=C3=BC abcdefgh=20\r\n=3D\r\nlast", NULL },
    { "binary", VERSION "Content-Type: application/octet-stream\r\n" EIGHT "\r\n\x01\x80\x02\r\n",
      CONVERT_DONE, "base64\r\n\r\nAYACDQo=\r\n", NULL },
    { "two encodings said", VERSION PLAIN EIGHT EIGHT "\r\nabcdefgh \xc3\xbc\r\n", CONVERT_DONE,
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "8bit" },
    { "mixed, one part 8-bit, one encoded already",
      VERSION MIXED("b") EIGHT
      "\r\n--b\r\n" PLAIN EIGHT "\r\nabcdefgh \xc3\xbc\r\n--b\r\n"
      "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n",
      CONVERT_DONE, "image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n", "8bit" },
    { "the container says 7bit",
      VERSION MIXED("b") EIGHT "\r\n--b\r\n" PLAIN EIGHT "\r\n" UTF8 "\r\n--b--\r\n", CONVERT_DONE,
      MIXED("b") "Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\n", "8bit" },
    { "nested",
      VERSION MIXED("b") "\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n" EIGHT
                         "\r\n--c\r\n" PLAIN EIGHT "\r\n" UTF8
                         "\r\n--c\r\nContent-Type: text/html; charset=shift_jis\r\n" EIGHT
                         "\r\n<p>\x8a\xd6\x8e\xe7 and a lot of text</p>\r\n--c--\r\n--b\r\n" PLAIN
                         "\r\nseven\r\n--b--\r\n",
      CONVERT_DONE, "charset=utf-8\r\n\r\nseven\r\n--b--\r\n", "8bit" },
    { "message in a message",
      VERSION MIXED("b") "\r\n--b\r\nContent-Type: message/rfc822\r\n" EIGHT
                         "\r\nSubject: inside\r\n" VERSION PLAIN EIGHT "\r\n" UTF8 "\r\n--b--\r\n",
      CONVERT_DONE, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n", "8bit" },
    { "signed, returned in a report",
      VERSION
      "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n" EIGHT
      "\r\n--r\r\n\r\nhello\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n"
      "--r\r\nContent-Type: message/rfc822\r\n" EIGHT "\r\n" VERSION
      "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" PLAIN EIGHT "\r\n" UTF8
      "\r\n--b--\r\n--r--\r\n",
      CONVERT_DONE, "--r\r\nContent-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nTUlNRS",
      "8bit", .is_retyped = true },
    { "an 8-bit address, returned in a report",
      VERSION "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n" EIGHT
              "Content-Type: message/rfc822\r\n\r\nTo: \x8a\xd6@b\r\n\r\nx\r\n--r--\r\n",
      CONVERT_DONE, "--r\r\nContent-Transfer-Encoding: base64\r\nContent-Type: message/global\r\n\r\nVG86",
      "8bit", .is_retyped = true },
    { "message/global",
      VERSION MIXED("b") "\r\n--b\r\nContent-Type: message/global\r\n" EIGHT "\r\nSubject: " UTF8
                         "\r\n\r\nx\r\n--b--\r\n",
      CONVERT_DONE, "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\n", "8bit",
      .is_retyped = true },
    { "message/rfc822 with an 8-bit address that no report returns",
      VERSION MIXED("b") "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nTo: " UTF8
                         "@b\r\n\r\nx\r\n--b--\r\n",
      CONVERT_HEADER_8BIT, NULL, NULL },
    { "part without end of line", VERSION PLAIN EIGHT "\r\nabcdefgh \xc3\xbc", CONVERT_DONE,
      "abcdefgh =C3=BC", "8bit" },
    { "part without a header", VERSION MIXED("b") "\r\n--b\r\n\r\nabcdefgh \xc3\xbc\r\n--b--\r\n",
      CONVERT_DONE,
      "--b\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\n",
      NULL },
    { "8-bit header", "Subject: " UTF8 "\r\n\r\nbody\r\n", CONVERT_DONE,
      "Subject: =?UTF-8?B?6Zai5omL?=\r\n\r\nbody", NULL },
    { "in words between others", "Subject: Re: " UTF8 " " UTF8 " and so on\r\n\r\nbody\r\n", CONVERT_DONE,
      "Subject: Re: =?UTF-8?B?6Zai5omLIOmWouaJiw==?= and so on\r\n", NULL },
    { "in a folded field", "Subject: a\r\n " UTF8 "\r\n\tb\r\n\r\nbody\r\n", CONVERT_DONE,
      "Subject: a\r\n =?UTF-8?B?6Zai5omL?=\r\n\tb\r\n", NULL },
    { "in Shift_JIS, as the part says",
      VERSION "Content-Type: text/plain; charset=shift_jis\r\nSubject: \x8a\xd6\x8e\xe7\r\n\r\nbody\r\n",
      CONVERT_DONE, "Subject: =?UTF-8?B?6Zai5a6I?=\r\n", NULL },
    { "phrases",
      "From: " UTF8 " <a@b.example>, " UTF8 "<c@d.example>\r\nTo: \"" UTF8
      " (x)\" <a@b.example>\r\n\r\nx\r\n",
      CONVERT_DONE,
      "From: =?UTF-8?B?6Zai5omL?= <a@b.example>, =?UTF-8?B?6Zai5omL?= <c@d.example>\r\n"
      "To: =?UTF-8?B?6Zai5omLICh4KQ==?= <a@b.example>\r\n",
      NULL },
    { "a comment", "To: a@b.example (" UTF8 " (" UTF8 ") x)\r\n\r\nx\r\n", CONVERT_DONE,
      "To: a@b.example (=?UTF-8?B?6Zai5omL?= (=?UTF-8?B?6Zai5omL?=) x)\r\n", NULL },
    { "a group", "To: " UTF8 ": a@b.example;\r\n\r\nx\r\n", CONVERT_DONE,
      "To: =?UTF-8?B?6Zai5omL?= : a@b.example;\r\n", NULL },
    { "an address", "To: " UTF8 "@b.example\r\n\r\nx\r\n", CONVERT_HEADER_8BIT, NULL, NULL },
    { "an address in brackets", "To: x <" UTF8 "@b.example>\r\n\r\nx\r\n", CONVERT_HEADER_8BIT, NULL, NULL },
    { "a quoted local part", "To: \"" UTF8 "\"@b.example\r\n\r\nx\r\n", CONVERT_HEADER_8BIT, NULL, NULL },
    { "domains", "To: a@" UTF8 ".example, x <b@" UTF8 ".example>\r\n\r\nx\r\n", CONVERT_DONE,
      "To: a@xn--kput65i.example, x <b@xn--kput65i.example>\r\n", NULL },
    { "what is no domain", "To: <a@\xe2\x80\xae.example>\r\n\r\nx\r\n", CONVERT_HEADER_8BIT, NULL, NULL },
    { "a field name", "S" UTF8 ": x\r\nSubject: y\r\n\r\nx\r\n", CONVERT_HEADER_8BIT, NULL, NULL },
    { "a quote without an end", "To: \"" UTF8 "\r\n\r\nx\r\n", CONVERT_DONE, "To: \"=?UTF-8?B?6Zai5omL?=\r\n",
      NULL },
    { "a file name",
      VERSION MIXED("b") "\r\n--b\r\nContent-Type: image/png; name=\"" UTF8 ".png\"; x=y\r\n"
                         "Content-Disposition: attachment; filename=" UTF8 UTF8 UTF8 UTF8
                         ".png\r\n\r\nx\r\n--b--\r\n",
      CONVERT_DONE,
      "image/png; name*=UTF-8''%E9%96%A2%E6%89%8B.png; x=y\r\nContent-Disposition: attachment; "
      "filename*0*=UTF-8''%E9%96%A2%E6%89%8B%E9%96%A2%E6%89%8B%E9%96%A2%E6%89%8B;\r\n "
      "filename*1*=%E9%96%A2%E6%89%8B.png\r\n",
      NULL, .is_retyped = true },
    { "a boundary",
      VERSION "Content-Type: multipart/mixed; x=\xff\xff; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
      CONVERT_DONE, "; boundary=b\r\n\r\n--b\r\n", NULL },
    { "8-bit header of a part", VERSION MIXED("b") "\r\n--b\r\nX-A: \xc3\xbc\r\n\r\nx\r\n--b--\r\n",
      CONVERT_DONE, "--b\r\nX-A: =?UTF-8?B?w7w=?=\r\n\r\nx\r\n", NULL },
    { "signed",
      VERSION "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" PLAIN EIGHT "\r\n" UTF8
              "\r\n--b--\r\n",
      CONVERT_SIGNED, NULL, NULL },
    { "signed, 7-bit inside",
      VERSION "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" PLAIN "\r\nx\r\n--b--\r\n",
      CONVERT_DONE, "--b\r\n" PLAIN "\r\nx\r\n--b--\r\n", "Transfer" },
    { "8-bit preamble", VERSION MIXED("b") "\r\n" UTF8 "\r\n--b\r\n\r\nx\r\n--b--\r\n", CONVERT_STRUCTURE,
      NULL, NULL },
    { "8-bit epilogue", VERSION MIXED("b") "\r\n--b\r\n\r\nx\r\n--b--\r\n" UTF8 "\r\n", CONVERT_STRUCTURE,
      NULL, NULL },
    { "8-bit in quoted-printable",
      VERSION PLAIN "Content-Transfer-Encoding: quoted-printable\r\n\r\n=41" UTF8 "\r\n", CONVERT_STRUCTURE,
      NULL, NULL },
};

static bool is_7bit(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] > 127) return false;
    return true;
}

static void lines_are_short(const char *name, struct text text)
{
    struct text line;
    while (text_next_line(&text, &line))
        if (line.length > 998) fail_msg("%s: a line of %zu", name, line.length);
}

/* Part by part: the same kind and type, the same decoded bytes. */
static void trees_agree(const char *name, struct text before, struct text after)
{
    struct arena *arena = arena_new(0);
    const struct mime *a = mime_parse(arena, before, &mime_limits_default, MIME_FIRST);
    const struct mime *b = mime_parse(arena, after, &mime_limits_default, MIME_FIRST);
    struct buffer room_a = { 0 }, room_b = { 0 };
    if (a->count != b->count) fail_msg("%s: %zu parts became %zu", name, a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        if (a->parts[i].kind != b->parts[i].kind || !text_equal(a->parts[i].type, b->parts[i].type))
            fail_msg("%s: part %zu is another one", name, i);
        if (a->parts[i].kind != MIME_LEAF) continue;
        struct text was = mime_decode(&a->parts[i], &room_a, NULL),
                    is = mime_decode(&b->parts[i], &room_b, NULL);
        if (!text_equal(was, is))
            fail_msg("%s: part %zu was \"%.*s\", is \"%.*s\"", name, i, TEXT_ARG(was), TEXT_ARG(is));
    }
    buffer_free(&room_a);
    buffer_free(&room_b);
    arena_free(arena);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct text message = text_of(row->message);
        struct buffer out = { 0 };
        buffer_add_text(&out, TEXT("kept")); /* it appends */
        enum convert_outcome outcome = convert_to_7bit(message, &out);
        if (outcome != row->outcome) fail_msg("%s: outcome %d, not %d", row->name, outcome, row->outcome);
        struct text converted = text_slice(buffer_text(&out), 4, buffer_length(&out));
        if (outcome == CONVERT_DONE) {
            assert_true(text_starts(buffer_text(&out), TEXT("kept")));
            if (!is_7bit(converted)) fail_msg("%s: still 8-bit", row->name);
            lines_are_short(row->name, converted);
            if (!row->is_retyped) trees_agree(row->name, message, converted);
            if (is_7bit(message)) assert_true(text_equal(message, converted));
            if (row->has && text_find(converted, text_of(row->has)) == converted.length)
                fail_msg("%s: \"%s\" is not in \"%.*s\"", row->name, row->has, TEXT_ARG(converted));
            if (row->lacks && text_find(converted, text_of(row->lacks)) < converted.length)
                fail_msg("%s: \"%s\" is in \"%.*s\"", row->name, row->lacks, TEXT_ARG(converted));
        }
        buffer_free(&out);
    }
}

/* Any bytes in a text part come back as they were, with lines of every length around the limit. */
static void test_any_bytes_come_back(void **state)
{
    (void)state;
    static const char *const types[] = { "text/plain", "application/octet-stream" };
    uint32_t seed = 1;
    for (unsigned round = 0; round < 600; round++) {
        struct buffer message = { 0 }, out = { 0 };
        buffer_printf(&message, VERSION "Content-Type: %s\r\n" EIGHT "\r\n", types[round % 2]);
        for (unsigned k = 0; k < round * 3 % 400; k++) {
            seed = seed * 1103515245 + 12345;
            unsigned char byte = (unsigned char)(seed >> 16);
            bool is_high = round % 3 == 0 || byte % 16 == 0;
            byte = is_high ? byte | 128 : "abc .=\t-From"[byte % 12];
            if (seed >> 24 == 7)
                buffer_add_text(&message, TEXT("\r\n"));
            else
                buffer_add_char(&message, (char)byte);
        }
        buffer_add_text(&message, TEXT("\xff\r\n"));
        assert_int_equal(convert_to_7bit(buffer_text(&message), &out), CONVERT_DONE);
        assert_true(is_7bit(buffer_text(&out)));
        trees_agree("any bytes", buffer_text(&message), buffer_text(&out));
        struct text rest = buffer_text(&out), line;
        while (text_next_line(&rest, &line)) assert_true(line.length <= 76);
        buffer_free(&message);
        buffer_free(&out);
    }
}

static void test_reasons(void **state)
{
    (void)state;
    for (int i = 0; i < CONVERT_OUTCOME_COUNT; i++)
        assert_true(strlen(convert_reason((enum convert_outcome)i)) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_any_bytes_come_back),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests_name("mail convert", tests, NULL, NULL);
}
