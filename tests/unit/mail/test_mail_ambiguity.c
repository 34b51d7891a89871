/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which broken mail is ambiguous. First what people and their programs send: none of it is, and most of it
   has a finding all the same. Then what hides a file from some programs: all of it is. Mails are written by
   us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/reading.h"
#include "mail_row.h"

#define TOP "From: a@b.test~To: c@d.test~Subject: minutes~MIME-Version: 1.0~"
#define BODY "Good morning, the meeting begins at ten.~Bring the papers along, please.~~Taro Yamada~"
#define MIXED TOP "Content-Type: multipart/mixed; boundary=\"fence\"~"
#define NOTE "--fence~Content-Type: text/plain; charset=utf-8~~" BODY

/* "Good morning, the meeting begins at ten. Bring the papers along, please." and more of that. */
#define BODY64                                                                      \
    "R29vZCBtb3JuaW5nLCB0aGUgbWVldGluZyBiZWdpbnMgYXQgdGVuLg0KQnJpbmcgdGhlIHBhcGVy~" \
    "cyBhbG9uZywgcGxlYXNlLg0KDQpUYXJvIFlhbWFkYSwgdGhlIG9mZmljZSBvZiB0aGUgYm9hcmQN~" \
    "Cg==~"
/* A zip with 39 bytes in it. */
#define ZIP64                                                                       \
    "UEsDBBQAAAAAAAAAIVyt57hkJwAAACcAAAAIAAAAdG9vbC5leGUBAgMEBQYHCAkKCwwNDg8QERIT~" \
    "FBUWFxgZGhscHR4fICEiIyQlJidQSwECFAMUAAAAAAAAACFcree4ZCcAAAAnAAAACAAAAAAAAAAA~" \
    "AAAAgAEAAAAAdG9vbC5leGVQSwUGAAAAAAEAAQA2AAAATQAAAAAA~"
/* Bytes of no known format. */
#define BLOB64                                                                      \
    "qZ8Xh0cVv1jP3mWb7xUq9T2nLk5sYd4RgAe6Hf0JcQwZ8iKyXo1uNtMvSbEpCrDlGaBxF3zO7V5j~" \
    "Pq2W9kHmTn4RcYs8Ud1LvXb6ZgEa0JfIwQoCtKyN3iMuSxVhBpGrDeF5lO7z2AjWqPkHmTn4RcYs~" \
    "8Ud1LvXb6ZgEa0JfIwQoCtKyN3iMuSxVhBpGrDeF~"
#define LONG100 \
    "abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi "
#define LONG1000 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100
#define LONG LONG1000 LONG1000 LONG1000 LONG1000
#define MBOX ">From a@b.test Fri Feb 14 08:55:52 2014~"
#define ZIP "Content-Type: application/zip; name=a.zip~Content-Transfer-Encoding: base64~~" ZIP64
#define BLOB "Content-Type: application/x-thing~Content-Transfer-Encoding: base64~~" BLOB64

struct row {
    const char *name, *mail;
};

static const struct row plain[] = {
    /* types */
    { "type without subtype", TOP "Content-Type: text~~" BODY },
    { "subtype without type", TOP "Content-Type: plain~~" BODY },
    { "empty type", TOP "Content-Type:~~" BODY },
    { "no semicolon", TOP "Content-Type: text/plain charset=utf-8~~" BODY },
    { "comma for a semicolon", TOP "Content-Type: text/plain, charset=utf-8~~" BODY },
    { "only a semicolon", TOP "Content-Type: ;~~" BODY },
    { "quoted type", TOP "Content-Type: \"text/plain\"; charset=\"utf-8\"~~" BODY },
    { "type in two words", TOP "Content-Type: text plain~~" BODY },
    { "type with two slashes", TOP "Content-Type: text/plain/utf-8~~" BODY },
    { "no MIME-Version", "From: a@b.test~Content-Type: text~~" BODY },
    { "the charset for a type", TOP "Content-Type: utf-8~~" BODY },
    { "type of HTML alone", TOP "Content-Type: html~~<p>Good morning, the meeting begins at ten</p>~" },
    { "unclosed quote", TOP "Content-Type: text/plain; charset=\"utf-8~~" BODY },
    { "the same type twice", TOP "Content-Type: text/plain~Content-Type: text/plain~~" BODY },
    { "two types of text", TOP "Content-Type: text/plain~Content-Type: text/html; charset=utf-8~~" BODY },
    { "space before the colon", TOP "Content-Type : text/plain; charset=utf-8~~" BODY },
    /* transfer encodings */
    { "7bit;", TOP "Content-Transfer-Encoding: 7bit;~~" BODY },
    { "8bits", TOP "Content-Transfer-Encoding: 8bits~~" BODY },
    { "7-bit", TOP "Content-Transfer-Encoding: 7-bit~~" BODY },
    { "8 bit", TOP "Content-Transfer-Encoding: 8 bit~~" BODY },
    { "binary;", TOP "Content-Transfer-Encoding: binary;~~" BODY },
    { "none", TOP "Content-Transfer-Encoding: none~~" BODY },
    { "utf-8 as an encoding", TOP "Content-Transfer-Encoding: utf-8~~" BODY },
    { "\"8bit\" in quotes", TOP "Content-Transfer-Encoding: \"8bit\"~~" BODY },
    { "empty encoding", TOP "Content-Transfer-Encoding:~~" BODY },
    { "encoding with a comment", TOP "Content-Transfer-Encoding: 8bit (yes)~~" BODY },
    { "two encodings that change nothing",
      TOP "Content-Transfer-Encoding: 7bit~Content-Transfer-Encoding: 8bit~~" BODY },
    { "unknown encoding, links with = and digits",
      TOP "Content-Transfer-Encoding: 8bits~~See https://example.test/?id=10&page=12&x=1f for it, or~"
          "https://example.test/a/very/long/path/that/fills/the/line/on/its/own?x=00&y=01~" },
    { "unknown encoding, form feeds and a bell", TOP "Content-Transfer-Encoding: 8bits~~" BODY "\f\a\b~" },
    { "unknown encoding, hashes one a line",
      TOP "Content-Transfer-Encoding: 8bits~~"
          "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae~"
          "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9~" },
    { "unknown encoding, a signature in its armour",
      TOP "Content-Transfer-Encoding: 8bits~~" BODY
          "~-----BEGIN PGP SIGNATURE-----~Version: GnuPG v2~~" BLOB64 "=aB3d~-----END PGP SIGNATURE-----~" },
    /* quoted-printable and base64 of text */
    { "quoted-printable with bare =",
      TOP "Content-Transfer-Encoding: quoted-printable~~a=b, c=d and https://example.test/?id=3D10=~~" BODY },
    { "HTML in quoted-printable with bare =",
      TOP "Content-Type: text/html~Content-Transfer-Encoding: quoted-printable~~"
          "<a href=\"http://example.test/?a=b\">=E9t=E9</a><br clear=3Dall>~" },
    { "base64 with stray characters", TOP "Content-Transfer-Encoding: base64~~" BODY64 "!~" },
    { "base64 without its padding",
      TOP "Content-Transfer-Encoding: base64~~R29vZCBtb3JuaW5nLCB0aGUgbWVldGluZyBiZWdpbnMgYXQgdGVuLg~" },
    { "base64 in two pieces", TOP "Content-Transfer-Encoding: base64~~" BODY64 BODY64 },
    { "base64 with a list's footer",
      TOP "Content-Transfer-Encoding: base64~~" BODY64
          "~_______________________________________________~board mailing list~board@d.test~" },
    { "base64 in a part, a parameter on a line of its own",
      MIXED "Content-Transfer-Encoding: 8bits~~--fence~Content-Type: text/plain;~"
            " charset=\"utf-8\";format=flowed~Content-Transfer-Encoding:base64~~" BODY64 "~--fence--~" },
    /* header lines */
    { "no header", "Disk full on host1~~please look at it soon, it is urgent~" },
    { "no header, one paragraph", "Disk full on host1~please look at it soon~it is urgent~" },
    { "only a body", "~" BODY },
    { "From line of an mbox in the header", TOP ">From a@b.test Fri Feb 14 08:55:52 2014~~" BODY },
    { "From line first", "From a@b.test Fri Feb 14 08:55:52 2014~" TOP "~" BODY },
    { ">From first", ">From a@b.test Fri Feb 14 08:55:52 2014~" TOP "~" BODY },
    { "line without a colon", TOP "X-Mailer Foo 1.0~Content-Type: text/plain~~" BODY },
    { "line without a colon before a long signature",
      TOP "this is no field~DKIM-Signature: v=1; a=rsa-sha256; d=b.test; s=k;~ b=" BLOB64 "~" BODY },
    { "blank folded line of a filter's report",
      TOP "X-Spam-Report:~ *  1.0 SOME_RULE matched~ ~ *  0.5 ANOTHER_RULE matched~"
          "Content-Type: text/plain; charset=utf-8~~" BODY },
    { "the same with a tab",
      TOP "X-Spam-Report: Content preview:  Good morning,~\t~\tContent analysis details~"
          "Content-Transfer-Encoding: 8bit~~" BODY },
    { "blank folded line before base64", TOP "X-Spam-Report: points~ ~ 1.0 SOME_RULE~"
                                             "Content-Transfer-Encoding: base64~~" BODY64 },
    { "blank folded line before a long signature",
      TOP "X-Spam-Report: points~ ~ 1.0 SOME_RULE~DKIM-Signature: v=1; d=b.test; b=" BLOB64 "~" BODY },
    { "header that begins with a blank", " X-First: 1~" TOP "~" BODY },
    { "header without end", "From: a@b.test~Subject: nothing else~" },
    /* boundaries */
    { "declared and unused boundary", MIXED "~" BODY },
    { "field of 4,000 octets", TOP "X-Long: " LONG "~Content-Type: text~~" BODY },
    { "multipart without boundary", TOP "Content-Type: multipart/mixed~~" BODY },
    { "multipart without boundary, dashes in the text",
      TOP "Content-Type: multipart/alternative~~" BODY "-----Original Message-----~From: c@d.test~~" BODY },
    { "empty boundary", TOP "Content-Type: multipart/mixed; boundary=\"\"~~" BODY },
    { "boundary with odd characters",
      TOP "Content-Type: multipart/alternative; boundary=\"a*b&c\"~~--a*b&c~~" BODY "--a*b&c--~" },
    { "boundary of 90 characters", TOP
      "Content-Type: multipart/mixed;~ "
      "boundary=\"------------------------------------------------------------"
      "------------------------012345\"~~"
      "----------------------------------------------------------------------------------------012345~~" BODY
      "----------------------------------------------------------------------------------------012345--~" },
    { "inner boundary begins with the outer one",
      MIXED "~--fence~Content-Type: multipart/alternative; boundary=\"fence_alt\"~~--fence_alt~"
            "Content-Type: text/plain~~" BODY "--fence_alt~Content-Type: text/html~~<p>Good morning</p>~"
            "--fence_alt--~~--fence--~" },
    { "inner boundary is the outer one", MIXED
      "~--fence~Content-Type: multipart/alternative; boundary=\"fence\"~~--fence~"
      "Content-Type: text/plain~~" BODY "--fence~Content-Type: text/html~~<p>Good morning</p>~--fence--~" },
    { "no closing boundary", MIXED "~" NOTE },
    { "inner boundary never closed",
      MIXED "~--fence~Content-Type: multipart/alternative; boundary=in~~--in~~" BODY
            "--in~Content-Type: text/html~~<p>Good morning</p>~--fence~~" BODY "--fence--~" },
    { "boundary and more on its line", MIXED "~" NOTE "--fence_2~" BODY "--fence--~" },
    { "preamble and epilogue", MIXED "~This is a message in MIME format.~" NOTE "--fence--~~" BODY },
    { "list's footer behind the closing line",
      MIXED "~" NOTE "--fence--~_______________________________________________~board mailing list~"
            "http://lists.d.test/mailman/listinfo/board-of-the-society-of-friends~" },
    { "list's footer as a part behind the closing line", MIXED
      "~" NOTE "--fence--~~--fence~Content-Type: text/plain~~board mailing list~board@d.test~--fence--~" },
    { "footer with fields of its own behind the closing line",
      MIXED "~" NOTE "--fence--~Content-Type: text/plain; charset=us-ascii~~board mailing list~" },
    /* attachments that every program shows */
    { "file beside 8bits",
      MIXED "~--fence~Content-Transfer-Encoding: 8bits~~" BODY "--fence~" ZIP "--fence--~" },
    { "file, blank folded line",
      TOP "X-Spam-Report: points~ ~ 1.0 SOME_RULE~"
          "Content-Type: multipart/mixed; boundary=\"fence\"~~" NOTE "--fence~" ZIP "--fence--~" },
    { "file of no format, blank folded line",
      TOP "X-Spam-Report: points~ ~ 1.0 SOME_RULE~"
          "Content-Type: multipart/mixed; boundary=\"fence\"~~" NOTE "--fence~" BLOB "--fence--~" },
    { "file, boundaries that begin alike",
      MIXED "~--fence~Content-Type: multipart/alternative; boundary=fence_2~~--fence_2~~" BODY "--fence_2--~"
            "--fence~" ZIP "--fence--~" },
    { "file, list's footer", MIXED "~" NOTE "--fence~" ZIP "--fence--~board mailing list~" },
    { "file, footer as a part",
      MIXED "~" NOTE "--fence~" ZIP "--fence--~~--fence~~board mailing list~--fence--~" },
    { "file, its base64 with a footer inside",
      MIXED "~" NOTE "--fence~" ZIP "~board mailing list~--fence--~" },
    { "file, encoding misspelt",
      MIXED "~" NOTE "--fence~Content-Type: application/zip~Content-Transfer-Encoding: base-64~~" ZIP64
            "--fence--~" },
    { "file, encoding with a semicolon",
      MIXED "~" NOTE "--fence~Content-Type: application/zip~Content-Transfer-Encoding: base64;~~" ZIP64
            "--fence--~" },
    { "file, name with a broken quote", MIXED
      "~" NOTE "--fence~Content-Disposition: attachment; filename=\"minutes of May.zip~" ZIP "--fence--~" },
    { "file, name with quotes inside",
      MIXED "~" NOTE "--fence~Content-Disposition: attachment; filename=\"the \"big\" one.zip\"~" ZIP
            "--fence--~" },
    { "file, two dispositions", MIXED
      "~" NOTE "--fence~Content-Disposition: inline~Content-Disposition: attachment; filename=a.zip~" ZIP
      "--fence--~" },
    { "file, never closed", MIXED "~" NOTE "--fence~" ZIP },
    /* the line of an mbox */
    { "file, mbox line before its fields", TOP MBOX ZIP },
    { "file, mbox line first", MBOX TOP ZIP },
    { "file, mbox line three times", MBOX TOP MBOX "X-A: 1~" MBOX ZIP },
    { "file, mbox lines of several quotes", TOP ">" MBOX ">>>" MBOX ZIP },
    { "file, mbox line not quoted", TOP "From a@b.test Fri Feb 14 08:55:52 2014~" ZIP },
    { "file, mbox line first, then a quoted one", "From a@b.test Fri Feb 14 08:55:52 2014~" MBOX TOP ZIP },
    { "file, mbox line first and folded", "From a@b.test Fri Feb 14 08:55:52 2014~ remote from b~" TOP ZIP },
    { "file, mbox line folded", TOP MBOX " remote from b~" ZIP },
    { "file, mbox line between its fields",
      TOP "Content-Type: application/zip; name=a.zip~" MBOX "Content-Transfer-Encoding: base64~~" ZIP64 },
    { "file of no format, mbox line between its fields",
      TOP "Content-Type: application/x-thing~" MBOX "Content-Transfer-Encoding: base64~~" BLOB64 },
    { "file, mbox line behind its fields",
      TOP "Content-Type: application/zip~Content-Transfer-Encoding: base64~" MBOX "X-A: 1~~" ZIP64 },
    { "file in quoted-printable, mbox line between its fields",
      TOP "Content-Type: application/pdf~" MBOX
          "Content-Transfer-Encoding: quoted-printable~~%PDF-1.4=0A=E2=E3=CF=D3=0A=00=01=02~" },
    { "file in uuencode, mbox line between its fields", TOP
      "Content-Type: application/octet-stream~" MBOX "Content-Transfer-Encoding: uuencode~~begin 644 a.exe~"
      "M35J0  ,    $    __\\  +@         0                           ~~end~" },
    { "mbox line before a long signature",
      MBOX "DKIM-Signature: v=1; a=rsa-sha256; d=b.test; s=k;~"
           " b=qZ8Xh0cVv1jP3mWb7xUq9T2nLk5sYd4RgAe6Hf0JcQwZ8iKyXo1uNtMvSbEpCrDlGaBxF3zO7V5j~"
           " Pq2W9kHmTn4RcYs8Ud1LvXb6ZgEa0JfIwQoCtKyN3iMuSxVhBpGrDeF5lO7z2AjWqPkHmTn4RcYs==~" TOP ZIP },
    { "mbox line before base64 of a text", TOP MBOX "Content-Transfer-Encoding: base64~~" BODY64 },
    { "mbox line between the fields of a text",
      TOP "Content-Type: text/plain~" MBOX "Content-Transfer-Encoding: quoted-printable~~=E3=81=82 " BODY },
    { "mbox line before a multipart", MBOX MIXED "~" NOTE "--fence~" ZIP "--fence~" BLOB "--fence--~" },
    { "mbox line behind the type of a multipart", MIXED MBOX "~" NOTE "--fence~" ZIP "--fence--~" },
    { "mbox lines in a part", MIXED "~" NOTE "--fence~" MBOX ZIP "--fence~" MBOX BLOB "--fence--~" },
    { "mbox line in a part, between its fields",
      MIXED "~" NOTE "--fence~Content-Type: application/x-thing; name=a.b~" MBOX
            "Content-Transfer-Encoding: base64~~" BLOB64 "--fence--~" },
    { "mbox line in a mail in a mail",
      MIXED "~" NOTE "--fence~Content-Type: message/rfc822~~" MBOX TOP ZIP "--fence--~" },
    { "mbox line, HTML and its pictures",
      TOP MBOX "Content-Type: multipart/related; boundary=\"fence\"~~--fence~Content-Type: text/html~~"
               "<p>Good morning</p>~--fence~Content-Type: image/png~Content-Transfer-Encoding: base64~~"
               "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA~"
               "AABJRU5ErkJggg==~--fence--~" },
    { "mail in base64 in a mail, with a file",
      MIXED "~" NOTE "--fence~Content-Type: message/rfc822~Content-Transfer-Encoding: base64~~"
            "RnJvbTogYUBiLnRlc3QNClN1YmplY3Q6IG9sZA0KTUlNRS1WZXJzaW9uOiAxLjANCkNvbnRlbnQt~"
            "VHlwZTogbXVsdGlwYXJ0L21peGVkOyBib3VuZGFyeT1pbg0KDQotLWluDQoNCkdvb2QgbW9ybmlu~"
            "Zw0KLS1pbg0KQ29udGVudC1UeXBlOiBhcHBsaWNhdGlvbi96aXANCg0KUEsDBCBpcyBoZXJlAA0K~"
            "LS1pbi0tDQo=~"
            "--fence--~" },
    { "mail in base64 in a mail",
      MIXED "~" NOTE "--fence~Content-Type: message/rfc822~Content-Transfer-Encoding: "
            "base64~~RnJvbTogYUBiLnRlc3QNClN1YmplY3Q6IG9sZA0KDQpHb29kIG1vcm5pbmcNCg==~"
            "--fence--~" },
};

static const struct row tricks[] = {
    { "file under an unknown encoding, labelled text",
      TOP "Content-Type: text/plain; name=a.zip~Content-Transfer-Encoding: x-private~~" ZIP64 },
    { "file of no format under an unknown encoding, labelled text",
      TOP "Content-Type: text/plain~Content-Transfer-Encoding: x-private~~" BLOB64 },
    { "text before it",
      TOP "Content-Type: text/plain~Content-Transfer-Encoding: x-private~~" BODY "~" ZIP64 },
    { "fields behind a line without a colon", TOP "no field~" ZIP },
    { "an mbox line between two types",
      TOP "Content-Type: text/plain~" MBOX "Content-Type: multipart/mixed; boundary=\"fence\"~~" NOTE
          "--fence~" ZIP "--fence--~" },
    { "an mbox line before the encoding, a file that is not encoded", TOP
      "Content-Type: text/plain~" MBOX "Content-Transfer-Encoding: base64~~PK\003\004 is here, in a text~" },
    { "an mbox line before the encoding, an archive that is not encoded",
      TOP "Content-Type: application/zip~" MBOX
          "Content-Transfer-Encoding: base64~~PK\003\004 is here, and not in base64~" },
    { "an mbox line before the fold with the boundary",
      TOP "Content-Type: multipart/mixed;~" MBOX " boundary=\"fence\"~~" NOTE "--fence~" ZIP "--fence--~" },
    { "an mbox line behind a line without a colon", TOP "no field~" MBOX ZIP },
    { "a CR alone before the From line", TOP "X-A: 1\r" MBOX ZIP },
    { "fields behind a blank folded line, a text for some", TOP "X-A: 1~ ~" ZIP64 "~" BODY },
    { "no header", "no header~~" ZIP64 },
    { "no header, no format", "no header~~" BLOB64 },
    { "no subtype", TOP "Content-Type: multipart; boundary=fence~~" NOTE "--fence~" ZIP "--fence--~" },
    { "unused boundary", MIXED "~" ZIP64 },
    { "unused boundary, a part of another", MIXED "~--fans~" ZIP "--fans--~" },
    { "no boundary, a part all the same", TOP "Content-Type: multipart/mixed~~--any~" ZIP "--any--~" },
    { "part behind the closing line", MIXED "~" NOTE "--fence--~~--fence~" ZIP "--fence--~" },
    { "part of no format behind the closing line", MIXED "~" NOTE "--fence--~~--fence~" BLOB "--fence--~" },
    { "part in the preamble", MIXED "~--fans~" ZIP NOTE "--fence--~" },
    { "part behind a line that begins like the boundary", MIXED "~" NOTE "--fence_2~" ZIP "--fence--~" },
    { "uuencode in the epilogue",
      MIXED "~" NOTE "--fence--~begin 644 a.exe~"
            "M35J0  ,    $    __\\  +@         0                           ~~end~" },
    { "two types", TOP "Content-Type: text/plain~Content-Type: multipart/mixed; boundary=fence~~" NOTE
                       "--fence~" ZIP "--fence--~" },
    { "two types, the first one shows it",
      TOP "Content-Type: multipart/mixed; boundary=fence~Content-Type: text/plain~~" NOTE "--fence~" ZIP
          "--fence--~" },
    { "two boundaries",
      TOP "Content-Type: multipart/mixed; boundary=fans; boundary=fence~~" NOTE "--fence~" ZIP "--fence--~" },
    { "two encodings", MIXED "~" NOTE "--fence~Content-Type: application/zip~Content-Transfer-Encoding: 7bit~"
                             "Content-Transfer-Encoding: base64~~" ZIP64 "--fence--~" },
    { "multipart in base64 that nobody need open",
      MIXED "Content-Transfer-Encoding: "
            "base64~~LS1mZW5jZQ0KQ29udGVudC1UeXBlOiBhcHBsaWNhdGlvbi9vY3RldC1zdHJlYW0NCg0K"
            "TVogaXMgaGVyZQ0KLS1mZW5jZS0tDQo=~" },
    { "piece of a message", TOP "Content-Type: message/partial; id=\"a@b\"; number=2; total=2~~" BODY },
    { "content elsewhere", TOP "Content-Type: message/external-body; access-type=URL~~" BODY },
    { "file behind a text in one base64 body",
      TOP "no field~Content-Transfer-Encoding: base64~~" BODY64 ZIP64 },
};

static bool is_ambiguous(const char *mail)
{
    struct arena *arena = arena_new(0);
    struct mime *mime = mime_parse(arena, mail_from_row(arena, mail), &mime_limits_default, MIME_FIRST);
    struct reading_list *list = reading_open(arena, mime);
    struct reading reading;
    while (reading_next(list, &reading)) assert_true(reading.bytes.length > 0);
    bool result = reading_is_ambiguous(list);
    reading_close(list);
    arena_free(arena);
    return result;
}

static void check(const struct row *rows, size_t count, bool due)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_ambiguous(rows[i].mail) == due) continue;
        print_error("%s: %s\n", rows[i].name, due ? "not ambiguous" : "ambiguous");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void broken_mail(void **state)
{
    check(plain, sizeof plain / sizeof *plain, false);
}

static void hidden_files(void **state)
{
    check(tricks, sizeof tricks / sizeof *tricks, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(broken_mail), cmocka_unit_test(hidden_files) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
