/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is read out of mail to the node's own addresses, and what is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "report/missed/answer.h"
#include "report/missed/request_mail.h"

#define TICKET "0123456789ABCDEFGHJKMNPQRSTVWXYZ0123456789abcdefghjkmnpqrstvwxyz"
#define MIXED "Subject: Fwd\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nlook\r\n"
#define MESSAGE(word) "From: a@b.example\r\nSubject: " word "\r\n\r\n" word "\r\n"

/* Mails, and the messages attached to them with a bar between. */
static const char *const enclosures[][2] = {
    { "Subject: inline\r\n\r\n> buy\r\n", "" },
    { "", "" },
    { MIXED "--B\r\nContent-Type: message/rfc822\r\n\r\n" MESSAGE("one") "--B--\r\n", MESSAGE("one") },
    { MIXED "--B\r\nContent-Type: message/rfc822\r\n\r\n" MESSAGE(
          "one") "--B\r\nContent-Type: MESSAGE/global\r\n\r\n" MESSAGE("two") "--B--\r\n",
      MESSAGE("one") "|" MESSAGE("two") },
    { "Content-Type: message/rfc822\r\n\r\n" MESSAGE("bare"), MESSAGE("bare") },
    /* against RFC 2046 section 5.2.1, but some do it */
    { MIXED "--B\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "U3ViamVjdDogeAoKeAo=\r\n--B--\r\n",
      "Subject: x\n\nx\n" },
    { MIXED "--B\r\nContent-Type: application/octet-stream; name=\"Buy.EML\"\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nSubject: q=3D\r\n\r\nq\r\n--B--\r\n",
      "Subject: q=\r\n\r\nq\r\n" },
    { MIXED "--B\r\nContent-Type: application/octet-stream; name=buy.exe\r\n\r\nMZ\r\n--B--\r\n", "" },
    /* what is attached to what is attached belongs to it */
    { MIXED "--B\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n" MESSAGE(
          "deep") "--B--\r\n",
      "Content-Type: message/rfc822\r\n\r\n" MESSAGE("deep") },
    { MIXED "--B\r\nContent-Type: message/rfc822\r\n\r\n\r\n--B--\r\n", "" }, /* nothing in it */
};

/* What a forwarded mail says of being a newsletter: "name domain", "+" where it came tagged. */
static void newsletters(void **state)
{
    static const struct {
        const char *mail, *said; /* NULL: it is none */
    } wishes[] = {
        { "X-Sekimori-Class: newsletter;\r\n\tname=w.shop.test;\r\n\tdomain=shop.test\r\n\r\n",
          "w.shop.test shop.test" },
        { "X-Sekimori-Class: newsletter; name=w.shop.test; domain=shop.test; tagged=yes\r\nSubject: "
          "x\r\n\r\n",
          "w.shop.test shop.test+" },
        { "Subject: x\r\nX-Sekimori-Class: Newsletter; DOMAIN=b.test; NAME=a.test; tagged=no\r\n\r\n",
          "a.test b.test" },
        { "Subject: x\r\n\r\nX-Sekimori-Class: newsletter; name=a.test; domain=b.test\r\n", NULL },
        { "X-Sekimori-Class: spam; name=a.test; domain=b.test\r\n\r\n", NULL },
        { "X-Sekimori-Class: newsletter; name=a.test\r\n\r\n", NULL },
        { "X-Sekimori-Class: newsletter; name=; domain=b.test\r\n\r\n", NULL },
        { "X-Sekimori-Class: newsletter; name=a.test; domain=b.test\r\n"
          "X-Sekimori-Class: newsletter; name=c.test; domain=d.test\r\n\r\n",
          NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        struct arena *arena = arena_new(0);
        struct newsletter_wish wish;
        bool is = request_mail_newsletter(arena, text_of(wishes[i].mail), &wish);
        struct text said = is ? arena_printf(arena, "%.*s %.*s%s", TEXT_ARG(wish.name), TEXT_ARG(wish.domain),
                                             wish.is_wanted ? "+" : "")
                              : TEXT_NONE;
        if (is != (wishes[i].said != NULL) || (is && !text_equal(said, text_of(wishes[i].said))))
            fail_msg("row %zu: %.*s", i, TEXT_ARG(said));
        arena_free(arena);
    }
}

static void messages_that_are_attached(void **state)
{
    for (size_t i = 0; i < sizeof enclosures / sizeof *enclosures; i++) {
        struct arena *arena = arena_new(0);
        struct text list[REQUEST_MAIL_MESSAGES_MOST], rest = text_of(enclosures[i][1]);
        size_t left, count = request_mail_enclosed(arena, text_of(enclosures[i][0]), list,
                                                   REQUEST_MAIL_MESSAGES_MOST, &left);
        for (size_t k = 0; k < count; k++) {
            size_t bar = text_find_char(rest, '|');
            if (!text_equal(text_trim(list[k]), text_trim(text_slice(rest, 0, bar))))
                fail_msg("row %zu, message %zu: %.*s", i, k, TEXT_ARG(list[k]));
            rest = text_slice(rest, bar + 1, rest.length);
        }
        assert_int_equal(rest.length, 0);
        assert_int_equal(left, 0);
        arena_free(arena);
    }
}

static void more_than_are_taken(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer mail = { 0 };
    struct text list[REQUEST_MAIL_MESSAGES_MOST];
    size_t left;
    buffer_add_text(&mail, TEXT(MIXED));
    for (int i = 0; i < REQUEST_MAIL_MESSAGES_MOST + 3; i++)
        buffer_add_text(&mail, TEXT("--B\r\nContent-Type: message/rfc822\r\n\r\n" MESSAGE("m")));
    assert_int_equal(
        request_mail_enclosed(arena, buffer_text(&mail), list, REQUEST_MAIL_MESSAGES_MOST, &left),
        REQUEST_MAIL_MESSAGES_MOST);
    assert_int_equal(left, 3);
    buffer_free(&mail);
    arena_free(arena);
}

/* Headers, and the ticket in them. */
static const char *const subjects[][2] = {
    { "Subject: release " TICKET "\r\n\r\n", TICKET },
    { "Subject: " TICKET, TICKET },
    { "SUBJECT: Re: Re: [x] " TICKET " (was: y)\r\n\r\n", TICKET },
    { "Subject: =?utf-8?q?release?=\r\n =?utf-8?q?_" TICKET "?=\r\n\r\n", TICKET },
    { "Subject: =?iso-2022-jp?b?GyRCMnJKfBsoQg==?=\r\n " TICKET "\r\n\r\n", TICKET },
    { "Subject: x\r\n\r\nSubject: " TICKET "\r\n", "" }, /* nothing from the body */
    { "X-Subject: " TICKET "\r\n\r\n", "" },
    { "Subject: release%20" TICKET "\r\n\r\n", TICKET }, /* a mail program that does not read links */
    { "Subject: " TICKET "0\r\n\r\n", "" },
    { "Subject: 20" TICKET "\r\n\r\n", "" },
    { "Subject: 0" TICKET "\r\n\r\n", "" },
    { "Subject: " TICKET "\xe3\x81\x82\r\n\r\n", TICKET },
    { "Subject:\r\n\r\n", "" },
    { "", "" },
};

static void tickets(void **state)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        struct arena *arena = arena_new(0);
        enum ticket_wish wish = TICKET_RELEASE;
        struct text found = request_mail_ticket(arena, text_of(subjects[i][0]), &wish);
        assert_int_equal(wish, TICKET_RELEASE);
        if (!text_equal(found, text_of(subjects[i][1]))) fail_msg("row %zu: %.*s", i, TEXT_ARG(found));
        arena_free(arena);
    }
}

static void wishes(void **state)
{
    static const struct {
        const char *before;
        enum ticket_wish wish;
    } rows[] = {
        { "release ", TICKET_RELEASE },
        { "Re: BLOCK ", TICKET_BLOCK },
        { "allow%20", TICKET_ALLOW },
        { "approve ", TICKET_APPROVE },
        { "blocked ", TICKET_RELEASE },
        { "block: ", TICKET_RELEASE },
        { "block", TICKET_RELEASE /* no ticket */ },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        enum ticket_wish wish = TICKET_RELEASE;
        request_mail_ticket(arena, arena_printf(arena, "Subject: %s" TICKET "\r\n\r\n", rows[i].before),
                            &wish);
        if (wish != rows[i].wish) fail_msg("%s: %d", rows[i].before, wish);
        arena_free(arena);
    }
}

static void programs(void **state)
{
    static const struct {
        const char *header;
        bool is_automatic;
    } rows[] = {
        { "Subject: x\r\n\r\nAuto-Submitted: yes\r\n", false },
        { "Auto-Submitted: no\r\n\r\n", false },
        { "auto-submitted: NO; because=me\r\n\r\n", false },
        { "Auto-Submitted: auto-replied (vacation)\r\n\r\n", true },
        { "Auto-Submitted:\r\n auto-generated\r\n\r\n", true },
        { "Precedence: bulk\r\n\r\n", true },
        { "Precedence: first-class\r\n\r\n", false },
        { "List-Id: <x.example>\r\n\r\n", true },
        { "Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n\r\n", true },
        { "Precedence: auto_reply\r\n\r\n", true },
        { "x-autoreply:\r\n\r\n", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        if (request_mail_is_automatic(arena, text_of(rows[i].header)) != rows[i].is_automatic)
            fail_msg("row %zu", i);
        arena_free(arena);
    }
}

static void a_sender_is_answered_ten_times_an_hour(void **state)
{
    static struct answered answered;
    uint64_t now = 1795564800000;
    for (int i = 0; i < ANSWERS_AN_HOUR; i++)
        assert_true(answered_count(&answered, TEXT("a@b.example"), now));
    assert_false(answered_count(&answered, TEXT("A@B.example"), now + 3599999));
    assert_true(answered_count(&answered, TEXT("c@b.example"), now));
    assert_true(answered_count(&answered, TEXT("a@b.example"), now + 3600000));
}

static void forged_senders_are_not_answered_without_end(void **state)
{
    static struct answered answered;
    uint64_t now = 1795564800000;
    char sender[40];
    for (int i = 0; i < ANSWERED_SENDERS * 2; i++) { /* more than there are places */
        snprintf(sender, sizeof sender, "%d@b.example", i);
        assert_int_equal(answered_count(&answered, text_of(sender), now + (uint64_t)i), i < ANSWERED_SENDERS);
    }
    assert_true(answered_count(&answered, TEXT("7@b.example"), now + 1000)); /* has a place */
    assert_true(answered_count(&answered, TEXT("new@b.example"), now + 3600000));
    assert_false(answered_count(&answered, TEXT("newer@b.example"), now + 3600000));
}

static void every_reason_has_words(void **state)
{
    static const struct config config = { .hostname = { "mx.example.jp", 13 },
                                          .admin = { "p@example.jp", 12 } };
    for (int why = REDEEMED_FALSE; why <= ANSWER_NO_TICKET; why++) {
        if (why == REDEEMED_LATER) continue; /* nobody is told: it is tried again */
        assert_non_null(answer_reason(why));
        for (int language = LANGUAGE_EN; language <= LANGUAGE_JA; language++) {
            struct buffer out = { 0 };
            struct answer answer = { &config, (enum language)language, TEXT("u@example.jp"), TEXT("ID"), why,
                                     1 };
            answer_print(&answer, &out);
            struct text text = buffer_text(&out);
            assert_true(text_find(text, TEXT("To: <u@example.jp>\r\n")) < text.length);
            assert_true(text_find(text, TEXT("Auto-Submitted: auto-generated\r\n")) < text.length);
            for (size_t i = 0; i < text.length; i++) assert_true((unsigned char)text.at[i] < 0x80);
            buffer_free(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newsletters),
        cmocka_unit_test(messages_that_are_attached),
        cmocka_unit_test(more_than_are_taken),
        cmocka_unit_test(tickets),
        cmocka_unit_test(wishes),
        cmocka_unit_test(programs),
        cmocka_unit_test(a_sender_is_answered_ten_times_an_hour),
        cmocka_unit_test(forged_senders_are_not_answered_without_end),
        cmocka_unit_test(every_reason_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
