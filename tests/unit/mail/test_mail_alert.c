/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Alerts to the administrator: what they say, and that our own parser reads them without a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mail/alert.h"
#include "mail/mime.h"

static struct alert sample(void)
{
    return (struct alert){ .hostname = TEXT("wall.example.jp"),
                           .admin = TEXT("postmaster@example.jp"),
                           .alert_id = TEXT("6H11F2C0GZZZZ"),
                           .now_ms = 1100000600000,
                           .message_id = TEXT("6H11F2C0G0000"),
                           .client = TEXT("10.2.0.25"),
                           .sender = TEXT("saburo@econ.example.jp"),
                           .recipient = TEXT("friend@faraway.example"),
                           .reason = TEXT("virus found: Some-Worm"),
                           .quiet_ms = 3600000 };
}

static void assert_has(struct text text, const char *wanted)
{
    if (text_find(text, text_of(wanted)) == text.length)
        fail_msg("not there: %s\nin: %.*s", wanted, TEXT_ARG(text));
}

/* Header and decoded body, as the administrator's mail program sees them. */
static void read_back(struct alert alert, const char *const *header, const char *const *body)
{
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 }, decoded = { 0 };
    alert_compose(&alert, &out);
    struct text bytes = buffer_text(&out);
    for (size_t i = 0; i < bytes.length; i++) {
        assert_true((unsigned char)bytes.at[i] < 0x80);
        assert_int_equal(bytes.at[i] == '\n', i > 0 && bytes.at[i - 1] == '\r');
    }
    struct mime *mime = mime_parse(arena, bytes, &mime_limits_default, MIME_FIRST);
    assert_true(text_equal(mime->parts[0].type, TEXT("text/plain")));
    assert_false(finding_set_is_doubtful(&mime->findings));
    for (; *header; header++) assert_has(bytes, *header);
    struct text text = mime_decode(&mime->parts[0], &decoded, NULL);
    for (; *body; body++) assert_has(text, *body);
    buffer_free(&decoded);
    buffer_free(&out);
    arena_free(arena);
}

static void test_says_who_and_what(void **state)
{
    static const char *const header[] = { "To: <postmaster@example.jp>\r\n",
                                          "Subject: A virus from inside was stopped /\r\n =?UTF-8?B?",
                                          "Date: Tue, 9 Nov 2004 11:43:20 +0000\r\n",
                                          "Message-ID: <6H11F2C0GZZZZ@wall.example.jp>\r\n",
                                          "Auto-Submitted: auto-generated\r\n",
                                          NULL };
    static const char *const body[] = { "  virus found: Some-Worm\n",
                                        "  client:    10.2.0.25\n",
                                        "  sender:    saburo@econ.example.jp\n",
                                        "  recipient: friend@faraway.example\n",
                                        "  log:       6H11F2C0G0000\n",
                                        "in the next 60 minutes",
                                        "これから 60 分間",
                                        NULL };
    read_back(sample(), header, body);
}

/* A reason is a name that a signature file gave: no line break or byte over 127 gets into the header. */
static void test_odd_reason(void **state)
{
    static const char *const header[] = { "Subject: A virus from inside was stopped /\r\n", NULL };
    static const char *const body[] = { "  sender:    <>\n", "Bcc: x@y.example", NULL };
    struct alert alert = sample();
    alert.reason = TEXT("a\r\nBcc: x@y.example \x80");
    alert.sender = TEXT_NONE;
    read_back(alert, header, body);
    struct buffer out = { 0 };
    alert_compose(&alert, &out);
    assert_int_equal(text_find(buffer_text(&out), TEXT("Bcc")), buffer_length(&out));
    buffer_free(&out);
}

/* Each kind names whom it is about, in both languages, and when the next one may come. */
static void test_kinds(void **state)
{
    static const char *const header[] = { "Auto-Submitted: auto-generated\r\n", NULL };
    static const char *const body[] = { "  sender:    saburo@econ.example.jp\n", "60 minutes", "60 分間",
                                        NULL };
    struct alert alert = sample();
    for (alert.kind = 0; alert.kind < ALERT_KINDS; alert.kind++) {
        read_back(alert, header, body);
        assert_true(*alert_word(alert.kind) && *alert_subject(alert.kind, false));
        assert_string_not_equal(alert_subject(alert.kind, false), alert_subject(alert.kind, true));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_says_who_and_what),
                                        cmocka_unit_test(test_odd_reason), cmocka_unit_test(test_kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
