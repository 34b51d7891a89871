/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each way to hide a file that another parser was found to see through: the file is a reading from its first
   byte on. tests/fuzz/differential looks for more of them. A row has "~" for a line end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/reading.h"
#include "mail_row.h"

static const char payload[] = "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123";

static const struct {
    const char *name, *mail;
} rows[] = {
    { "uuencode, no name", "From: a@b.test~MIME-Version: 1.0~~begin 644~"
                           "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                           "2:70@:7,@8V%R=F5D.B P,3(S~`~end~" },
    { "uuencode, a long mode", "From: a@b.test~MIME-Version: 1.0~~begin 6444444444 x~"
                               "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                               "2:70@:7,@8V%R=F5D.B P,3(S~`~end~" },
    { "uuencode, capitals", "From: a@b.test~MIME-Version: 1.0~~BEGIN 644 x~"
                            "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                            "2:70@:7,@8V%R=F5D.B P,3(S~`~END~" },
    { "uuencode, no begin", "From: a@b.test~MIME-Version: 1.0~~see the file~"
                            "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                            "2:70@:7,@8V%R=F5D.B P,3(S~end~" },
    { "uuencode, a line that is none between",
      "From: a@b.test~MIME-Version: 1.0~~begin~"
      "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~~~"
      "hello~2:70@:7,@8V%R=F5D.B P,3(S~" },
    { "uuencode, behind blanks", "From: a@b.test~MIME-Version: 1.0~~begin 644~"
                                 " M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                                 " 2:70@:7,@8V%R=F5D.B P,3(S~" },
    { "uuencode, a byte behind each line",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Transfer-Encoding: x-uuencode~~begin 644 x~"
      "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@AAAA~"
      "2:70@:7,@8V%R=F5D.B P,3(SAAAA~`~end~" },
    { "uuencode, a shorter line first", "From: a@b.test~MIME-Version: 1.0~~begin~#0V%T~"
                                        "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
                                        "2:70@:7,@8V%R=F5D.B P,3(S~end~" },
    { "uuencode without a name in quoted-printable",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Transfer-Encoding: quoted-printable~~=62=65=67=69=6E=20=31~"
      "=4D=28=52=24=4F=38=46=45=4E=2B=57=2D=48=28=26=25=4E=39=22=21=53=3A=37=41=54=3E=32=21=42=3E=37=31=45="
      "3C=52=21=42=39=36=41=49=3B=46=30=40=3A=37=30=4C=28=27=2D=4F=28=27=31=48=38=37=30=40~"
      "=32=3A=37=30=40=3A=37=2C=40=38=56=25=52=3D=46=35=44=2E=42=20=50=2C=33=28=53~"
      "=65=6E=64~" },
    { "uuencode that another block begins",
      "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding: uuencode~"
      "~begin 644 x~`~begin~"
      "M(R$O8FEN+W-H(&%N9\"!S:7AT>2!B>71E<R!B96AI;F0@:70L('-O('1H870@~"
      "2:70@:7,@8V%R=F5D.B P,3(S~end~" },
    { "base64 of a text",
      "From: a@b.test~MIME-Version: 1.0~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "base64 of a text, a word behind it", "From: a@b.test~MIME-Version: 1.0~~"
                                            "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQg~"
                                            "aXQgaXMgY2FydmVkOiAwMTIz~end~" },
    { "base64 of an unknown name, words behind its padding",
      "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding: tbase64~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIzeA==on~" },
    { "base64 with a line that is none",
      "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding: xbase64x~"
      "~IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhp~ ld~"
      "bmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "base64 of a quoted-printable text",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Transfer-Encoding: quoted-printable~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "yEnc in two",
      "From: a@b.test~MIME-Version: 1.0~~"
      "=ybegin part=1 total=2 line=128 size=63 name=x~=ypart begin=1 end=31~"
      "MKY\214\223\230Y\235\222J\213\230\216J\235\223\242\236\243J\214\243\236\217\235J\214\217\222\223\230~="
      "yend size=31~"
      "=ybegin part=2 total=2 line=128 size=63 name=x~"
      "=ypart begin=32 "
      "end=63~\216J\223\236VJ\235\231J\236\222\213\236J\223\236J\223\235J\215\213\234\240\217\216dJZ[\\]~"
      "=yend size=32~" },
    { "yEnc in a file",
      "From: a@b.test~MIME-Version: 1.0~Content-Type: application/x~~"
      "=ybegin line=128 size=63 name=x~"
      "MKY\214\223\230Y\235\222J\213\230\216J\235\223\242\236\243J\214\243\236\217\235J\214\217\222\223\230"
      "\216J\223\236VJ\235\231J\236\222\213\236J\223\236J\223\235J\215\213\234\240\217\216dJZ[\\]\001~"
      "=yend size=63~" },
    { "a CR ends each line", "From: a@b.test~MIME-Version: 1.0~"
                             "Content-Type: multipart/mixed; boundary=one~~"
                             "--one\015Content-Transfer-Encoding: "
                             "base64\015\015IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQga"
                             "XMgY2FydmVkOiAwMTIz\015--one--\015" },
    { "two CR before each LF",
      "From: a@b.test\015~MIME-Version: 1.0\015~"
      "Content-Transfer-Encoding: base64\015~\015~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "a soft line break that a CR ends",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Transfer-Encoding: quoted-printable~~"
      "=23=21=2F=62=69=6E=2F=73=68=20=61=6E=64=20=73=69=78=74=79=20=62=79=74=65=73=20=62=65=68=69=\015=6E=64="
      "20=69=74=2C=20=73=6F=20=74=68=61=74=20=69=74=20=69=73=20=63=61=72=76=65=64=3A=20=30=31=32=33~" },
    { "an empty line before the header",
      "~From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding: base64~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "a second header",
      ":~~Content-Transfer-Encoding quoted-printable~~"
      "=23=21=2F=62=69=6E=2F=73=68=20=61=6E=64=20=73=69=78=74=79=20=62=79=74=65=73=20=62=65=68=69=6E=64=20="
      "69=74=2C=20=73=6F=20=74=68=61=74=20=69=74=20=69=73=20=63=61=72=76=65=64=3A=20=30=31=32=33~" },
    { "no colon", "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding base64~~"
                  "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "no colon, in a mail in base64",
      "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding: base64~~"
      "TUlNRS1WZXJzaW9uOiAxLjANCi1Db250ZW50LVRyYW5zZmVyLUVuY29kaW5nIGJhc2U2NA0KDQpJeUV2WW1sdUwzTm9JR0Z1WkNCem"
      "FYaDBlU0JpZVhSbGN5QmlaV2hwYm1RZ2FYUXNJSE52SUhSb1lYUWdhWFFnYVhNZ1kyRnlkbVZrT2lBd01USXoNCg==~" },
    { "a byte behind the name",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Transfer-Encoding\213: quoted-printable~~"
      "=23=21=2F=62=69=6E=2F=73=68=20=61=6E=64=20=73=69=78=74=79=20=62=79=74=65=73=20=62=65=68=69=6E=64=20="
      "69=74=2C=20=73=6F=20=74=68=61=74=20=69=74=20=69=73=20=63=61=72=76=65=64=3A=20=30=31=32=33~" },
    { "a quote before the name",
      "From: a@b.test~MIME-Version: 1.0~\"Content-Transfer-Encoding: base64~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "an underscore in the name",
      "From: a@b.test~MIME-Version: 1.0~Content_Transfer_Encoding: base64~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "a blank in the name",
      "From: a@b.test~MIME-Version: 1.0~Content- Transfer-Encoding: base64~~"
      "IyEvYmluL3NoIGFuZCBzaXh0eSBieXRlcyBiZWhpbmQgaXQsIHNvIHRoYXQgaXQgaXMgY2FydmVkOiAwMTIz~" },
    { "multipart without a subtype", "From: a@b.test~MIME-Version: 1.0~"
                                     "Content-Type: multipart/; boundary=one~--one~"
                                     "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~"
                                     "--one--~" },
    { "a boundary without a type", "From: a@b.test~MIME-Version: 1.0~Content-Type: boundary=one~~"
                                   "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~-one~" },
    { "an empty boundary", "From: a@b.test~MIME-Version: 1.0~"
                           "Content-Type: multipart/mixed; boundary=\"\"~~--~~"
                           "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~--~" },
    { "a boundary behind one hyphen", "From: a@b.test~MIME-Version: 1.0~"
                                      "Content-Type: multipart/mixed; boundary=one~~-one~~"
                                      "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~"
                                      "-one--~" },
    { "a boundary behind three", "From: a@b.test~MIME-Version: 1.0~"
                                 "Content-Type: multipart/mixed; boundary=one~~---one~~"
                                 "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~"
                                 "---one--~" },
    { "a boundary behind none", "From: a@b.test~MIME-Version: 1.0~"
                                "Content-Type: multipart/mixed; boundary=one~~one~~"
                                "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~one~" },
    { "a boundary behind blanks and quotes",
      "From: a@b.test~MIME-Version: 1.0~"
      "Content-Type: multipart/mixed; boundary=one~~ -\"one~~"
      "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~"
      " -\"one~" },
    { "before the first part", "From: a@b.test~MIME-Version: 1.0~"
                               "Content-Type: multipart; boundary=one~~"
                               "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~"
                               "--one~~x~--one--~" },
    { "parts in base64, an empty line before their header",
      "From: a@b.test~MIME-Version: 1.0~Content-Transfer-Encoding xbase64~~"
      "LS1vbmUNCg0KQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluDQpDb250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBiYXNlNjQNCg0KSXlFdl"
      "ltbHVMM05vSUdGdVpDQnphWGgwZVNCaWVYUmxjeUJpWldocGJtUWdhWFFzSUhOdklIUm9ZWFFnYVhRZ2FYTWdZMkZ5ZG1Wa09pQXdN"
      "VEl6DQo=~" },
    { "behind empty lines", "From: a@b.test~MIME-Version: 1.0~Content-Type: application/x~~~~ ~"
                            "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~" },
    { "behind a field without an end",
      "From: a@b.test~MIME-Version: 1.0~Content-Type: x~--~e:~"
      "#!/bin/sh and sixty bytes behind it, so that it is carved: 0123~--~" },
};

static bool is_read(struct text message)
{
    struct arena *arena = arena_new(0);
    struct reading_list *list =
        reading_open(arena, mime_parse(arena, message, &mime_limits_default, MIME_FIRST));
    struct reading reading;
    bool is_found = false;
    while (reading_next(list, &reading)) is_found |= text_starts(reading.bytes, text_of(payload));
    reading_close(list);
    arena_free(arena);
    return is_found;
}

static void what_others_read_is_read(void **state)
{
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!is_read(mail_from_row(arena, rows[i].mail))) fail_msg("unseen: %s", rows[i].name);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_others_read_is_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
