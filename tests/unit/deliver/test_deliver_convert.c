/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a message with 8-bit content becomes a 7-bit one that says the same, or is refused. A row is a
   message and what it becomes, line ends written as LF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/convert.h"

struct row {
    const char *name, *message;
    enum convert_outcome outcome;
    const char *converted;
};

#define HEAD "MIME-Version: 1.0\n"
#define LATIN "Content-Type: text/plain; charset=iso-8859-1\n"
#define ENCODING "Content-Transfer-Encoding: "

static const struct row rows[] = {
    { "nothing to do", "Subject: a\n\nb\n", CONVERT_DONE, "Subject: a\n\nb\n" },
    { "8bit is declared", HEAD LATIN ENCODING "8bit\n\ncaf\xe9 au lait, encore\n", CONVERT_DONE,
      HEAD LATIN ENCODING "quoted-printable\n\ncaf=E9 au lait, encore\n" },
    { "nothing is declared", "Subject: a\n\ncaf\xe9 au lait\n", CONVERT_DONE,
      "Subject: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n" ENCODING
      "quoted-printable\n\ncaf=E9 au lait\n" },
    { "encoding twice", HEAD LATIN ENCODING "8bit\n" ENCODING "7bit\nX: y\n\ncaf\xe9 au lait\n", CONVERT_DONE,
      HEAD LATIN ENCODING "quoted-printable\nX: y\n\ncaf=E9 au lait\n" },
    { "mostly 8-bit text", HEAD "Content-Type: text/plain; charset=utf-8\n\n\xe3\x81\x82\xe3\x81\x84\n",
      CONVERT_DONE, HEAD "Content-Type: text/plain; charset=utf-8\n" ENCODING "base64\n\n44GC44GEDQo=\n" },
    { "blanks, equals and dots", HEAD LATIN "\n\xe9 \n=\n.\n\ttabs\t\n\n.. and a few more letters here\n",
      CONVERT_DONE,
      HEAD LATIN ENCODING
      "quoted-printable\n\n=E9=20\n=3D\n=2E\n\ttabs=09\n\n=2E. and a few more letters here\n" },
    { "long line",
      HEAD LATIN "\n\xe9"
                 "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345\n",
      CONVERT_DONE,
      HEAD LATIN ENCODING "quoted-printable\n\n"
                          "=E9"
                          "123456789012345678901234567890123456789012345678901234567890123456789012=\n"
                          "3456789012345\n" },
    { "not text", HEAD "Content-Type: application/x\n\n\xff\xfe and text and text and text\n", CONVERT_DONE,
      HEAD "Content-Type: application/x\n" ENCODING
           "base64\n\n//4gYW5kIHRleHQgYW5kIHRleHQgYW5kIHRleHQNCg==\n" },
    { "one part of two",
      HEAD "Content-Type: multipart/mixed; boundary=b\n" ENCODING "8bit\n\n--b\n\nplain\n--b\n" LATIN
           "\ncaf\xe9 au lait\n--b--\n",
      CONVERT_DONE,
      HEAD "Content-Type: multipart/mixed; boundary=b\n" ENCODING "7bit\n\n--b\n\nplain\n--b\n" LATIN ENCODING
           "quoted-printable\n\ncaf=E9 au lait\n--b--\n" },
    { "message inside",
      HEAD "Content-Type: message/rfc822\n" ENCODING "8bit\n\nSubject: in\n" LATIN "\ncaf\xe9 au lait\n",
      CONVERT_DONE,
      HEAD "Content-Type: message/rfc822\n" ENCODING "7bit\n\nSubject: in\n" LATIN ENCODING
           "quoted-printable\n\ncaf=E9 au lait\n" },
    { "header", "Subject: \xe3\x81\x82\n\nb\n", CONVERT_DONE, "Subject: =?UTF-8?B?44GC?=\n\nb\n" },
    { "header of a part",
      HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: \xe3\x81\x82\n\nplain\n--b--\n",
      CONVERT_DONE,
      HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: =?UTF-8?B?44GC?=\n\nplain\n--b--\n" },
    { "an address in a header", "To: <\xe3\x81\x82@a.test>\n\nb\n", CONVERT_HEADER_8BIT, NULL },
    { "header inside what is signed",
      HEAD "Content-Type: multipart/signed; boundary=b\n\n--b\nX: \xe3\x81\x82\n\nplain\n--b--\n",
      CONVERT_SIGNED, NULL },
    { "signed", HEAD "Content-Type: multipart/signed; boundary=b\n\n--b\n" LATIN "\ncaf\xe9\n--b--\n",
      CONVERT_SIGNED, NULL },
    { "preamble", HEAD "Content-Type: multipart/mixed; boundary=b\n\ncaf\xe9\n--b\n\nplain\n--b--\n",
      CONVERT_STRUCTURE, NULL },
    { "base64 with 8-bit junk", HEAD LATIN ENCODING "base64\n\nY2Fm\xe9\n", CONVERT_STRUCTURE, NULL },
};

static void crlf(const char *text, struct buffer *out)
{
    for (; *text; text++) {
        if (*text == '\n') buffer_add_char(out, '\r');
        buffer_add_char(out, *text);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer message = { 0 }, wanted = { 0 }, out = { 0 };
        crlf(rows[i].message, &message);
        if (rows[i].converted) crlf(rows[i].converted, &wanted);
        enum convert_outcome outcome = convert_to_7bit(buffer_text(&message), &out);
        if (outcome != rows[i].outcome) fail_msg("%s: %s", rows[i].name, convert_reason(outcome));
        if (outcome == CONVERT_DONE && !text_equal(buffer_text(&out), buffer_text(&wanted)))
            fail_msg("%s:\n%.*s", rows[i].name, TEXT_ARG(buffer_text(&out)));
        buffer_free(&message);
        buffer_free(&wanted);
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests_name("deliver convert", tests, NULL, NULL);
}
