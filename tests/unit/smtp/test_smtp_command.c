/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Command lines. A row is a line and how it must be understood: the verb and all that was given with it, or
   the reply that it earns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "smtp/command.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X100 X50 X50

static void describe_path(const struct smtp_command *command, struct buffer *out)
{
    static const char *const bodies[] = { "", " body=7", " body=8" }, *const rets[] = { "", " ret=full",
                                                                                        " ret=hdrs" };
    buffer_printf(out, "<%.*s>", TEXT_ARG(command->mailbox.address));
    if (command->given & PARAMETER_SIZE) buffer_printf(out, " size=%llu", (unsigned long long)command->size);
    buffer_printf(out, "%s%s", bodies[command->body], rets[command->ret]);
    if (command->given & PARAMETER_SMTPUTF8) buffer_printf(out, " utf8");
    if (command->envid.length) buffer_printf(out, " envid=%.*s", TEXT_ARG(command->envid));
    if (command->notify) buffer_printf(out, " notify=%u", command->notify);
    if (command->orcpt.length) buffer_printf(out, " orcpt=%.*s", TEXT_ARG(command->orcpt));
}

static void describe_attributes(const struct smtp_command *command, struct buffer *out)
{
    for (int i = 0; i < XCLIENT_COUNT; i++)
        if (command->has_attribute[i]) buffer_printf(out, "%d=%.*s ", i, TEXT_ARG(command->attribute[i]));
}

static void describe(struct text line, bool strict, struct buffer *out)
{
    static const char *const verbs[VERB_COUNT] = { "unknown", "EHLO",     "HELO", "MAIL",   "RCPT", "DATA",
                                                   "BDAT",    "RSET",     "NOOP", "QUIT",   "VRFY", "EXPN",
                                                   "HELP",    "STARTTLS", "AUTH", "XCLIENT" };
    struct arena *arena = arena_new(0);
    struct smtp_command command;
    struct smtp_error error = smtp_command_parse(arena, line, strict, &command);
    if (error.code) {
        buffer_printf(out, "%u %s%s", error.code, error.enhanced, command.is_out_of_step ? " end" : "");
        assert_true(error.text && error.text[0]);
    } else {
        assert_false(command.is_out_of_step);
        buffer_printf(out, "%s ", verbs[command.verb]);
        if (command.verb == VERB_MAIL || command.verb == VERB_RCPT) describe_path(&command, out);
        if (command.verb == VERB_XCLIENT) describe_attributes(&command, out);
        if (command.verb == VERB_BDAT)
            buffer_printf(out, "%llu%s", (unsigned long long)command.size, command.is_last ? " last" : "");
        buffer_add_text(out, command.argument);
    }
    arena_free(arena);
}

struct row {
    const char *line;
    size_t length;
    const char *lenient;
    const char *strict; /* NULL: the same */
};

#define ROW(line, lenient)                    \
    {                                         \
        line, sizeof(line) - 1, lenient, NULL \
    }
#define ROW2(line, lenient, strict)             \
    {                                           \
        line, sizeof(line) - 1, lenient, strict \
    }

static void check(const struct row *row, bool strict)
{
    const char *expected = strict && row->strict ? row->strict : row->lenient;
    struct buffer got = { 0 };
    describe(text_from(row->line, row->length), strict, &got);
    if (!text_equal(text_trim(buffer_text(&got)), text_of(expected)))
        fail_msg("%s (%s)\n  gives    %.*s\n  expected %s", row->line, strict ? "strict" : "lenient",
                 TEXT_ARG(buffer_text(&got)), expected);
    buffer_free(&got);
}

static void check_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&rows[i], false);
        check(&rows[i], true);
    }
}

#define CHECK_ALL(rows) check_all(rows, sizeof rows / sizeof *rows)

static void plain_verbs(void **state)
{
    static const struct row rows[] = {
        ROW("EHLO mx.example.jp", "EHLO mx.example.jp"),
        ROW("ehlo [192.0.2.1]", "EHLO [192.0.2.1]"),
        ROW("HELO [IPv6:2001:db8::1]", "HELO [IPv6:2001:db8::1]"),
        ROW("HELO my_pc", "HELO my_pc"),
        ROW("HELO  two.blanks ", "HELO two.blanks"),
        ROW("EHLO \xe4\xbe\x8b.jp", "EHLO \xe4\xbe\x8b.jp"),
        ROW("EHLO", "501 5.5.4"),
        ROW("EHLO ", "501 5.5.4"),
        ROW("EHLO two words", "501 5.5.4"),
        ROW("EHLO a(b)", "501 5.5.4"),
        ROW("EHLO <a>", "501 5.5.4"),
        ROW("EHLO \xff\xfe", "501 5.5.4"),
        ROW("EHLO a\x01", "501 5.5.4"),
        ROW("DATA", "DATA"),
        ROW("data ", "DATA"),
        ROW("DATA now", "501 5.5.4"),
        ROW("RSET", "RSET"),
        ROW("RSET x", "501 5.5.4"),
        ROW("QUIT", "QUIT"),
        ROW("NOOP", "NOOP"),
        ROW("NOOP anything at all", "NOOP anything at all"),
        ROW("VRFY someone", "VRFY someone"),
        ROW("EXPN list", "EXPN list"),
        ROW("HELP", "HELP"),
        ROW("HELP MAIL", "HELP MAIL"),
        ROW("STARTTLS", "STARTTLS"),
        ROW("STARTTLS now", "501 5.5.4"),
        ROW("AUTH PLAIN AGEAYg==", "AUTH PLAIN AGEAYg=="),
        ROW("", "500 5.5.1"),
        ROW(" ", "500 5.5.1"),
        ROW("MAILFROMX", "500 5.5.1"),
        ROW("GETTING on", "500 5.5.1"),
    };
    CHECK_ALL(rows);
}

/* What ends the session: behind it nobody knows what is a command. */
static void out_of_step(void **state)
{
    static const struct row rows[] = {
        ROW("GET / HTTP/1.1", "500 5.5.1 end"),
        ROW("get /", "500 5.5.1 end"),
        ROW("POST", "500 5.5.1 end"),
        ROW("CONNECT mx.example.jp:25 HTTP/1.0", "500 5.5.1 end"),
        ROW("PROPFIND / HTTP/1.1", "500 5.5.1 end"),
        ROW("PRI * HTTP/2.0", "500 5.5.1 end"),
        ROW("Host: mx.example.jp", "500 5.5.1 end"),
        ROW("Subject:hello", "500 5.5.1 end"),
        ROW("MAILFROM:<a@b>", "500 5.5.1 end"),
        ROW("X-2: a", "500 5.5.1 end"),
        ROW(".", "500 5.5.1 end"),
        ROW("220 mx.example.jp", "500 5.5.1 end"),
        ROW("\x16\x03\x01", "500 5.5.1 end"),
        ROW("\xe6\x97\xa5", "500 5.5.1 end"),
        ROW("NOOP\rRSET", "500 5.5.2 end"),
        ROW("NOOP\nRSET", "500 5.5.2 end"),
        ROW("NOOP\r", "500 5.5.2 end"),
        ROW("NOOP a\0b", "500 5.5.2 end"),
        ROW("NOOP\0", "500 5.5.2 end"),
        ROW("MAIL FROM:<a\0b@example.jp>", "500 5.5.2 end"),
        ROW("RCPT TO:<a@example.jp>\0", "500 5.5.2 end"),
        ROW("\0MAIL FROM:<a@example.jp>", "500 5.5.2 end"),
        ROW("XCLIENT ADDR=192.0.2.1\0", "500 5.5.2 end"),
        ROW("BDAT 5\0", "500 5.5.2 end"),
        ROW("\0", "500 5.5.2 end"),
        ROW("BDAT", "501 5.5.4 end"),
        ROW("BDAT x", "501 5.5.4 end"),
        ROW("BDAT 5 FIRST", "501 5.5.4 end"),
        ROW("BDAT 5 LAST LAST", "501 5.5.4 end"),
        ROW("BDAT 0x10", "501 5.5.4 end"),
        ROW("BDAT +5", "501 5.5.4 end"),
        ROW("BDAT -5", "501 5.5.4 end"),
        ROW("BDAT 5LAST", "501 5.5.4 end"),
        ROW("BDAT 99999999999999999999", "501 5.5.4 end"),
    };
    CHECK_ALL(rows);
}

static void mail_and_rcpt(void **state)
{
    static const struct row rows[] = {
        ROW("MAIL FROM:<a@example.jp>", "MAIL <a@example.jp>"),
        ROW("mail from:<a@example.jp>", "MAIL <a@example.jp>"),
        ROW("MAIL FROM:<>", "MAIL <>"),
        ROW2("MAIL FROM: <a@example.jp>", "MAIL <a@example.jp>", "501 5.1.7"),
        ROW2("MAIL FROM:a@example.jp", "MAIL <a@example.jp>", "501 5.1.7"),
        ROW2("MAIL FROM:a@example.jp SIZE=3", "MAIL <a@example.jp> size=3", "501 5.1.7"),
        ROW("MAIL FROM:<@x.jp,@y.jp:a@example.jp>", "MAIL <a@example.jp>"),
        ROW("MAIL FROM:<\"a b>c\"@example.jp> SIZE=1", "MAIL <\"a b>c\"@example.jp> size=1"),
        ROW("MAIL FROM:<\"a\\\">\"@example.jp>", "MAIL <\"a\\\">\"@example.jp>"),
        ROW("MAIL FROM:<a@example.jp>SIZE=1", "501 5.5.4"),
        ROW("MAIL FROM:<a@example.jp> ", "MAIL <a@example.jp>"),
        ROW("MAIL FROM:<a@example.jp", "501 5.1.7"),
        ROW("MAIL FROM:a@example.jp>", "501 5.1.7"),
        ROW("MAIL FROM:", "501 5.1.7"),
        ROW("MAIL", "501 5.5.4"),
        ROW("MAIL TO:<a@b>", "501 5.5.4"),
        ROW("MAIL FROM <a@b>", "501 5.5.4"),
        ROW("MAIL FROM:<a b@example.jp>", "501 5.1.7"),
        ROW("MAIL FROM:<a@exa mple.jp>", "501 5.1.7"),
        ROW("MAIL FROM:<a@-bad>", "501 5.1.8"),
        ROW("MAIL FROM:<postmaster>", "MAIL <postmaster>"),
        ROW2("MAIL FROM:<a..b@docomo.ne.jp>", "MAIL <a..b@docomo.ne.jp>", "501 5.1.7"),
        ROW2("RCPT TO:<a.@ezweb.ne.jp>", "RCPT <a.@ezweb.ne.jp>", "553 5.1.3"),
        ROW2("RCPT TO:<.a@ezweb.ne.jp>", "RCPT <.a@ezweb.ne.jp>", "553 5.1.3"),
        ROW("RCPT TO:<a@example.jp>", "RCPT <a@example.jp>"),
        ROW("RCPT TO:<Postmaster>", "RCPT <Postmaster>"),
        ROW("RCPT TO:<nobody>", "553 5.1.3"),
        ROW("RCPT TO:<>", "553 5.1.3"),
        ROW("RCPT TO:<a@[1.2.3]>", "553 5.1.2"),
        ROW("RCPT TO:<\xe5\x88\xa9@\xe4\xbe\x8b.jp>", "RCPT <\xe5\x88\xa9@\xe4\xbe\x8b.jp>"),
        ROW("RCPT TO:<\xe5\x88@b.jp>", "553 5.1.3"),
    };
    CHECK_ALL(rows);
}

static void parameters(void **state)
{
    static const struct row rows[] = {
        ROW("MAIL FROM:<a@b> SIZE=0", "MAIL <a@b> size=0"),
        ROW("MAIL FROM:<a@b> SIZE=9223372036854775807", "MAIL <a@b> size=9223372036854775807"),
        ROW("MAIL FROM:<a@b> SIZE=9223372036854775808", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SIZE=99999999999999999999999", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SIZE=", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SIZE", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SIZE=-1", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SIZE=1 SIZE=1", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> size=5 body=8bitmime smtputf8", "MAIL <a@b> size=5 body=8 utf8"),
        ROW("MAIL FROM:<a@b> BODY=7BIT", "MAIL <a@b> body=7"),
        ROW("MAIL FROM:<a@b> BODY=BINARYMIME", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> SMTPUTF8=1", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> RET=HDRS ENVID=q+2Bq", "MAIL <a@b> ret=hdrs envid=q+q"),
        ROW("MAIL FROM:<a@b> RET=full", "MAIL <a@b> ret=full"),
        ROW("MAIL FROM:<a@b> RET=some", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a+2", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a+", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a+gg", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a=b", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a+00b", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=a+0D+0AX", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> NOTIFY=NEVER", "555 5.5.4"),
        ROW("MAIL FROM:<a@b> AUTH=<>", "555 5.5.4"),
        ROW("MAIL FROM:<a@b> X", "555 5.5.4"),
        ROW("MAIL FROM:<a@b> =", "555 5.5.4"),
        ROW("RCPT TO:<a@b> NOTIFY=NEVER", "RCPT <a@b> notify=1"),
        ROW("RCPT TO:<a@b> NOTIFY=success,Failure,DELAY", "RCPT <a@b> notify=14"),
        ROW("RCPT TO:<a@b> NOTIFY=NEVER,DELAY", "501 5.5.4"),
        ROW("RCPT TO:<a@b> NOTIFY=DELAY,DELAY", "501 5.5.4"),
        ROW("RCPT TO:<a@b> NOTIFY=DELAY,", "501 5.5.4"),
        ROW("RCPT TO:<a@b> NOTIFY=,DELAY", "501 5.5.4"),
        ROW("RCPT TO:<a@b> NOTIFY=", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=rfc822;A+40b", "RCPT <a@b> orcpt=rfc822;A@b"),
        ROW("RCPT TO:<a@b> ORCPT=rfc822;a+00", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=rfc822;a+0Ab", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=rfc822", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=;a", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=" X100 X100 X100 "x", "MAIL <a@b> envid=" X100 X100 X100 "x"),
        ROW("RCPT TO:<a@b> ORCPT=rfc822;" X100 X100 X100 X100 X100 X100 "@b",
            "RCPT <a@b> orcpt=rfc822;" X100 X100 X100 X100 X100 X100 "@b"),
        ROW("MAIL FROM:<" X100 X100 X100 "@b>", "MAIL <" X100 X100 X100 "@b>"),
        ROW("RCPT TO:<" X100 X100 X100 "@b>", "RCPT <" X100 X100 X100 "@b>"),
        ROW("RCPT TO:<a@b> ORCPT=utf-8;\xe6\x97\xa5@b", "RCPT <a@b> orcpt=utf-8;\xe6\x97\xa5@b"),
        ROW("RCPT TO:<a@b> ORCPT=UTF-8;\\x{65E5}@b", "RCPT <a@b> orcpt=UTF-8;\\x{65E5}@b"),
        ROW("RCPT TO:<a@b> ORCPT=utf-8;+E6+97+A5@b", "RCPT <a@b> orcpt=utf-8;\xe6\x97\xa5@b"),
        ROW("RCPT TO:<a@b> ORCPT=utf-8;\xe6\x97@b", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=utf-8;+E6+97@b", "501 5.5.4"),
        ROW("RCPT TO:<a@b> ORCPT=\xe6\x97\xa5;a@b", "501 5.5.4"),
        ROW("MAIL FROM:<a@b> ENVID=\xe6\x97\xa5", "501 5.5.4"),
        ROW("RCPT TO:<a@b> SIZE=3", "555 5.5.4"),
        ROW("BDAT 100", "BDAT 100"),
        ROW("BDAT 0 LAST", "BDAT 0 last"),
        ROW("bdat 5 last", "BDAT 5 last"),
    };
    CHECK_ALL(rows);
}

static void xclient(void **state)
{
    static const struct row rows[] = {
        ROW("XCLIENT NAME=mx.example.jp ADDR=192.0.2.1", "XCLIENT 0=mx.example.jp 1=192.0.2.1"),
        ROW("XCLIENT ADDR=IPV6:2001:db8::1 PORT=2525", "XCLIENT 1=IPV6:2001:db8::1 2=2525"),
        ROW("xclient name=[UNAVAILABLE] helo=[TEMPUNAVAIL]", "XCLIENT 0= 4="),
        ROW("XCLIENT PROTO=ESMTP LOGIN=a+2Bb DESTADDR=192.0.2.9 DESTPORT=25",
            "XCLIENT 3=ESMTP 5=a+b 6=192.0.2.9 7=25"),
        ROW("XCLIENT NAME=a+0D+0AX-Forged:+20b ADDR=192.0.2.1", "501 5.5.4"),
        ROW("XCLIENT HELO=a+20(b)", "501 5.5.4"),
        ROW("XCLIENT NAME=a+00", "501 5.5.4"),
        ROW("XCLIENT ADDR=192.0.2.1+00", "501 5.5.4"),
        ROW("XCLIENT TLS=TLSv1.3+0D+0AX", "501 5.5.4"),
        ROW("XCLIENT", "501 5.5.4"),
        ROW("XCLIENT ", "501 5.5.4"),
        ROW("XCLIENT COLOUR=red", "501 5.5.4"),
        ROW("XCLIENT NAME=a+zz", "501 5.5.4"),
    };
    CHECK_ALL(rows);
}

static void long_lines(void **state)
{
    char line[COMMAND_LINE_MOST + 2];
    memset(line, 'x', sizeof line);
    memcpy(line, "NOOP ", 5);
    struct arena *arena = arena_new(0);
    struct smtp_command command;
    struct smtp_error error = smtp_command_parse(arena, text_from(line, COMMAND_LINE_MOST), false, &command);
    assert_int_equal(error.code, 0);
    error = smtp_command_parse(arena, text_from(line, COMMAND_LINE_MOST + 1), false, &command);
    assert_int_equal(error.code, 500);
    arena_free(arena);
}

static void xtext_round_trip(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer encoded = { 0 };
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    struct text back;
    xtext_encode(text_from(all, sizeof all), &encoded);
    assert_true(xtext_decode(arena, buffer_text(&encoded), &back));
    assert_true(text_equal(back, text_from(all, sizeof all)));
    for (size_t i = 0; i < buffer_length(&encoded); i++)
        assert_in_range(buffer_text(&encoded).at[i], '!', '~');
    buffer_free(&encoded);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_verbs),      cmocka_unit_test(out_of_step), cmocka_unit_test(mail_and_rcpt),
        cmocka_unit_test(parameters),       cmocka_unit_test(xclient),     cmocka_unit_test(long_lines),
        cmocka_unit_test(xtext_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
