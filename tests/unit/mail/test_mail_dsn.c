/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Delivery status notifications: what they say, and that our own parser reads them without a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "mail/convert.h"
#include "mail/dsn.h"
#include "mail/mime.h"

static const char plain[] = "From: a@example.jp\r\nSubject: hi\r\n\r\nhello\r\n";

static struct dsn sample(const struct dsn_recipient *recipients, uint32_t count)
{
    return (struct dsn){ .action = DSN_FAILED,
                         .hostname = TEXT("mx.example.jp"),
                         .sender = TEXT("a@example.jp"),
                         .message_id = TEXT("6H11F2C0G0000"),
                         .notice_id = TEXT("6H11F2C0GZZZZ"),
                         .arrived_ms = 1100000000000,
                         .now_ms = 1100000600000,
                         .until_ms = 1100400000000,
                         .recipient_count = count,
                         .recipients = recipients,
                         .original = text_of(plain) };
}

static const struct dsn_recipient unknown_user = { .address = { "nobody@other.example", 20 },
                                                   .orcpt = { "rfc822;somebody@other.example", 29 },
                                                   .status = { "5.1.1", 5 },
                                                   .remote = { "mail.other.example[192.0.2.7]:25", 32 },
                                                   .diagnostic = { "550 5.1.1 no such user", 22 },
                                                   .is_smtp_reply = true };

static void assert_has(const struct buffer *buffer, const char *wanted)
{
    struct text text = buffer_text(buffer);
    if (text_find(text, text_of(wanted)) == text.length)
        fail_msg("not there: %s\nin: %.*s", wanted, TEXT_ARG(text));
}

static void assert_lacks(const struct buffer *buffer, const char *unwanted)
{
    struct text text = buffer_text(buffer);
    if (text_find(text, text_of(unwanted)) < text.length)
        fail_msg("there: %s\nin: %.*s", unwanted, TEXT_ARG(text));
}

/* Whole, CRLF, no line over 998, 8-bit only in what says so, three parts of the right types. */
static struct mime *assert_sound(struct arena *arena, const struct buffer *buffer, const char *last_type)
{
    struct text bytes = buffer_text(buffer);
    size_t column = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        assert_int_equal(bytes.at[i] == '\n', i > 0 && bytes.at[i - 1] == '\r');
        column = bytes.at[i] == '\n' ? 0 : column + 1;
        assert_true(column <= 999);
    }
    struct mime *mime = mime_parse(arena, bytes, &mime_limits_default, MIME_FIRST);
    assert_true(text_equal(mime->parts[0].type, TEXT("multipart/report")));
    assert_int_equal(mime->parts[0].children, 3);
    assert_true(text_equal(mime->parts[1].type, TEXT("text/plain")));
    assert_true(text_equal(mime->parts[2].type, TEXT("message/delivery-status")));
    assert_true(text_equal(mime->parts[3].type, text_of(last_type)));
    assert_false(finding_set_is_doubtful(&mime->findings));
    size_t returned = (size_t)(mime->parts[3].body.at - bytes.at);
    assert_true(text_is_ascii(text_slice(bytes, 0, returned)));
    bool is_8bit = !text_is_ascii(bytes);
    const struct header_field *encoding =
        header_find(mime->parts[3].header, HEADER_CONTENT_TRANSFER_ENCODING);
    if (is_8bit) {
        assert_true(encoding && text_equal(text_trim(encoding->value), TEXT("8bit")));
        assert_non_null(header_find(mime->parts[0].header, HEADER_CONTENT_TRANSFER_ENCODING));
    }
    return mime;
}

static void test_failed(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 }, text = { 0 };
    struct dsn dsn = sample(&unknown_user, 1);
    dsn.envid = TEXT("QQ314159");
    dsn_compose(&dsn, &out);
    struct mime *mime = assert_sound(arena, &out, "message/rfc822");
    assert_has(&out, "From: Mail Delivery System <MAILER-DAEMON@mx.example.jp>\r\nTo: <a@example.jp>\r\n");
    assert_has(&out, "Auto-Submitted: auto-replied\r\n");
    assert_has(&out, "Date: Tue, 9 Nov 2004 11:43:20 +0000\r\n");
    assert_has(&out, "Original-Envelope-Id: QQ314159\r\nReporting-MTA: dns; mx.example.jp\r\n");
    assert_has(&out, "Arrival-Date: Tue, 9 Nov 2004 11:33:20 +0000\r\n\r\n");
    assert_has(&out, "Original-Recipient: rfc822;somebody@other.example\r\n"
                     "Final-Recipient: rfc822;nobody@other.example\r\n"
                     "Action: failed\r\nStatus: 5.1.1\r\n"
                     "Remote-MTA: dns; mail.other.example\r\n"
                     "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n");
    assert_has(&out, "\r\n\r\nFrom: a@example.jp\r\nSubject: hi\r\n\r\nhello\r\n");
    struct text people = mime_decode(&mime->parts[1], &text, NULL);
    assert_true(text_find(people, TEXT("<nobody@other.example>")) < people.length);
    assert_true(text_find(people, TEXT("could not be delivered")) < people.length);
    assert_true(text_find(people, TEXT("配送できませんでした")) < people.length);
    buffer_free(&text);
    buffer_free(&out);
    arena_free(arena);
}

static void test_delayed_and_relayed(void **state)
{
    static const struct {
        enum dsn_action action;
        const char *wanted[3];
    } rows[] = {
        { DSN_DELAYED, { "Action: delayed\r\n", "Will-Retry-Until: ", "Auto-Submitted: auto-generated" } },
        { DSN_RELAYED, { "Action: relayed\r\n", "Last-Attempt-Date: ", "Auto-Submitted: auto-generated" } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(0);
        struct buffer out = { 0 };
        struct dsn dsn = sample(&unknown_user, 1);
        dsn.action = rows[i].action;
        dsn.ret = RETURN_FULL; /* only a failure sends all back */
        dsn_compose(&dsn, &out);
        assert_sound(arena, &out, "text/rfc822-headers");
        for (int k = 0; k < 3; k++) assert_has(&out, rows[i].wanted[k]);
        assert_lacks(&out, "\r\nhello\r\n");
        buffer_free(&out);
        arena_free(arena);
    }
}

/* A server that takes 7 bits only gets the notice all the same, and what it returns is the same text. */
static void returned_in_7_bits(const struct buffer *notice, struct text original, const char *type)
{
    struct arena *arena = arena_new(0);
    struct buffer converted = { 0 }, room = { 0 };
    assert_int_equal(convert_to_7bit(buffer_text(notice), &converted), CONVERT_DONE);
    assert_true(text_is_ascii(buffer_text(&converted)));
    struct mime *mime = mime_parse(arena, buffer_text(&converted), &mime_limits_default, MIME_FIRST);
    assert_int_equal(mime->parts[0].children, 3);
    bool is_encoded = !text_is_ascii(original) && text_equal(mime->parts[3].type, TEXT("message/global"));
    if (is_encoded) {
        struct text back = mime_decode(&mime->parts[3], &room, NULL);
        assert_true(text_starts(back, original));
    } else {
        assert_true(text_equal(mime->parts[3].type, text_of(type)));
    }
    buffer_free(&converted);
    buffer_free(&room);
    arena_free(arena);
}

/* What comes back of the message. */
static void test_returned(void **state)
{
    enum { BIG = DSN_FULL_UNSTATED_MOST + 100, HUGE = DSN_FULL_MOST + 100 };
    static const struct {
        enum envelope_return ret;
        const char *header, *body;
        size_t body_length; /* the body is repeated up to it */
        const char *type;
    } rows[] = {
        { RETURN_UNSTATED, "Subject: x\r\n", "text\r\n", 0, "message/rfc822" },
        { RETURN_HEADERS, "Subject: x\r\n", "text\r\n", 0, "text/rfc822-headers" },
        { RETURN_FULL, "Subject: x\r\n", "text\r\n", 0, "message/rfc822" },
        { RETURN_UNSTATED, "Subject: x\r\n", "text\r\n", BIG, "text/rfc822-headers" },
        { RETURN_FULL, "Subject: x\r\n", "text\r\n", BIG, "message/rfc822" },
        { RETURN_FULL, "Subject: x\r\n", "text\r\n", HUGE, "text/rfc822-headers" },
        { RETURN_FULL, "Subject: x\r\n", "\xe6\x97\xa5\r\n", 0, "message/rfc822" },
        { RETURN_UNSTATED, "Subject: x\r\n", "\x93\xfa\r\n", 0, "message/rfc822" },
        { RETURN_FULL, "Subject: \xe6\x97\xa5\r\n", "text\r\n", 0, "message/global" },
        { RETURN_FULL, "Subject: \x93\xfa\r\n", "text\r\n", 0, "message/rfc822" },
        { RETURN_HEADERS, "Subject: \xe6\x97\xa5\r\n", "\xe6\x97\xa5\r\n", 0, "text/rfc822-headers" },
        { RETURN_HEADERS, "Subject: \x93\xfa\r\n", "text\r\n", 0, "text/rfc822-headers" },
        { RETURN_HEADERS, "Subject: x\r\n", "\xe6\x97\xa5\r\n", 0, "text/rfc822-headers" },
        { RETURN_FULL, "Subject: x\r\n", "no end of line ", 5000, "text/rfc822-headers" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(0);
        struct buffer out = { 0 }, original = { 0 };
        buffer_printf(&original, "%s\r\n", rows[i].header);
        do buffer_add_text(&original, text_of(rows[i].body));
        while (buffer_length(&original) < rows[i].body_length);
        struct dsn dsn = sample(&unknown_user, 1);
        dsn.ret = rows[i].ret;
        dsn.original = buffer_text(&original);
        dsn_compose(&dsn, &out);
        assert_sound(arena, &out, rows[i].type);
        if (strncmp(rows[i].type, "message/", 8) == 0) { /* every byte comes back */
            char *bytes = memory_string(buffer_text(&original));
            assert_has(&out, bytes);
            free(bytes);
        }
        returned_in_7_bits(&out, buffer_text(&original), rows[i].type);
        buffer_free(&out);
        buffer_free(&original);
        arena_free(arena);
    }
}

/* Hostile replies, long ones, addresses that are not ASCII. */
static void test_odd_recipients(void **state)
{
    static const struct {
        struct dsn_recipient recipient;
        const char *wanted, *unwanted;
    } rows[] = {
        { { .address = { "a@b.example", 11 },
            .status = { "5.0.0", 5 },
            .diagnostic = { "evil\r\nAction: delivered\r\n\r\n--=_x", 33 } },
          "Diagnostic-Code: x-sekimori; evil",
          "\r\nAction: delivered" },
        { { .address = { "\xe6\x97\xa5\xe6\x9c\xac@b.example", 16 },
            .status = { "5.6.7", 5 },
            .diagnostic = { "no SMTPUTF8", 11 } },
          "Final-Recipient: utf-8;\\x{65E5}\\x{672C}@b.example\r\n",
          "rfc822;" },
        { { .address = { "a@b.example", 11 }, .status = { "5.0.0", 5 }, .diagnostic = { "caf\xe9", 4 } },
          "Diagnostic-Code: x-sekimori; caf\\xE9\r\n",
          "\xe9" },
        { { .address = { "a@b.example", 11 },
            .status = { "5.0.0", 5 },
            .diagnostic = { "550 \xe6\x97\xa5\xe6\x9c\xac", 10 } },
          "Diagnostic-Code: x-sekimori; 550 \\x{65E5}\\x{672C}\r\n",
          "\xe6" },
        { { .address = { "a@b.example", 11 },
            .status = { "5.0.0", 5 },
            .diagnostic = { "550 \xe6\x97\xa5\xe6\x9c", 9 } }, /* cut in a character */
          "Diagnostic-Code: x-sekimori; 550 \\x{65E5}\\xE6\\x9C\r\n",
          "\xe6" },
        { { .address = { "a@b.example", 11 },
            .orcpt = { "utf-8;\xe6\x97\xa5@b.example", 19 },
            .status = { "5.0.0", 5 },
            .diagnostic = { "no", 2 } },
          "Original-Recipient: utf-8;\\x{65E5}@b.example\r\n",
          "\xe6" },
        { { .address = { "a@b.example", 11 },
            .status = { "4.4.7", 5 },
            .remote = { "none", 4 },
            .diagnostic = { "expired", 7 } },
          "Status: 4.4.7\r\nDiagnostic-Code: ",
          "Remote-MTA" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(0);
        struct buffer out = { 0 };
        struct dsn dsn = sample(&rows[i].recipient, 1);
        dsn.ret = RETURN_HEADERS;
        dsn_compose(&dsn, &out);
        assert_sound(arena, &out, "text/rfc822-headers");
        assert_has(&out, rows[i].wanted);
        assert_lacks(&out, rows[i].unwanted);
        buffer_free(&out);
        arena_free(arena);
    }
}

/* What a server said is text in UTF-8 for people, whatever charset it said it in. */
static void test_replies_in_any_charset(void **state)
{
    static const struct {
        struct text reply;
        const char *wanted; /* in the people's part */
    } rows[] = {
        { TEXT("550 no such user"), "550 no such user" },
        { TEXT("550 \xe3\x81\x9d\xe3\x81\xae\xe3\x82\x88\xe3\x81\x86\xe3\x81\xaa\xe5\xae\x9b\xe5\x85\x88"),
          "550 そのような宛先" },
        { TEXT("550 "
               "\x82\xbb\x82\xcc\x82\xe6\x82\xa4\x82\xc8\x88\xb6\x90\xe6\x82\xcd\x82\xa0\x82\xe8\x82\xdc\x82"
               "\xb9\x82\xf1"),
          "550 そのような宛先はありません" },
        { TEXT("550 \x1b$B$=$N$h$&$J08@h\x1b(B"), "550 そのような宛先" },
        { TEXT("550 caf\xe9"), "550 caf" },
        { TEXT("550 \x82\xbb\x82\xcc\x82\xe6\x82\xa4\x82\xc8\x88\xb6\x90\xe6\x82"), "550 " },
        { TEXT("550 a\x01\x7f"), "550 a  " },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(0);
        struct buffer out = { 0 }, text = { 0 };
        struct dsn_recipient recipient = unknown_user;
        recipient.diagnostic = rows[i].reply;
        struct dsn dsn = sample(&recipient, 1);
        dsn_compose(&dsn, &out);
        struct mime *mime = assert_sound(arena, &out, "message/rfc822");
        struct text people = mime_decode(&mime->parts[1], &text, NULL);
        assert_true(utf8_is_valid(people));
        if (text_find(people, text_of(rows[i].wanted)) == people.length)
            fail_msg("%s is not in %.*s", rows[i].wanted, TEXT_ARG(people));
        buffer_free(&text);
        buffer_free(&out);
        arena_free(arena);
    }
}

/* Senders whose address has a form in ASCII get a notice in ASCII. */
static void test_to(void **state)
{
    char longest[2000];
    memset(longest, 'x', sizeof longest);
    const struct {
        struct text sender;
        const char *wanted;
    } rows[] = {
        { TEXT("a@example.jp"), "\r\nTo: <a@example.jp>\r\n" },
        { TEXT("a@\xe4\xbe\x8b\xe3\x81\x88.jp"), "\r\nTo: <a@xn--r8jz45g.jp>\r\n" },
        { TEXT("\xe3\x81\x82@\xe4\xbe\x8b\xe3\x81\x88.jp"),
          "\r\nTo: <\xe3\x81\x82@\xe4\xbe\x8b\xe3\x81\x88.jp>\r\n" },
        { text_from(longest, sizeof longest), "\r\nTo: undisclosed-recipients:;\r\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = { 0 };
        struct dsn dsn = sample(&unknown_user, 1);
        dsn.sender = rows[i].sender;
        dsn_compose(&dsn, &out);
        assert_has(&out, rows[i].wanted);
        buffer_free(&out);
    }
}

static void test_long_reply_and_many_recipients(void **state)
{
    enum { MANY = 300 };
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 };
    struct text long_reply = arena_text(arena, TEXT(""));
    char *word = arena_alloc(arena, 5001);
    memset(word, 'x', 5000);
    long_reply = arena_printf(arena, "550 some words then %s", word);
    struct dsn_recipient *recipients = arena_alloc_array(arena, MANY, sizeof *recipients);
    for (int i = 0; i < MANY; i++) {
        recipients[i] = unknown_user;
        recipients[i].address = arena_printf(arena, "user%d@other.example", i);
        recipients[i].diagnostic = long_reply;
    }
    struct dsn dsn = sample(recipients, MANY);
    dsn_compose(&dsn, &out);
    assert_sound(arena, &out, "message/rfc822");
    assert_has(&out, "Final-Recipient: rfc822;user299@other.example\r\n");
    buffer_free(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed),
        cmocka_unit_test(test_delayed_and_relayed),
        cmocka_unit_test(test_returned),
        cmocka_unit_test(test_odd_recipients),
        cmocka_unit_test(test_replies_in_any_charset),
        cmocka_unit_test(test_to),
        cmocka_unit_test(test_long_reply_and_many_recipients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
