/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which mail is shaped like the confirmation of a sign-up; and, what counts more, which is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spam/signup_shape.h"
#include "spam/text_fold.h"

static const struct row {
    const char *header, *subject, *text;
    bool is_signup;
} rows[] = {
    { "List-Unsubscribe: <https://x.test/>\n", "Welcome to Our Shop", "", true },
    { "Auto-Submitted: auto-generated\n", "Please confirm your e-mail address", "", true },
    { "From: <noreply@x.test>\n", "Confirm your subscription to News", "", true },
    { "From: x <list-request@x.test>\n", "Your confirmation is REQUIRED: please confirm", "", true },
    { "Precedence: bulk\n", "会員登録のご案内", "", true },
    { "Precedence: bulk\n", "【仮登録】メールアドレスの確認", "", true },
    { "Feedback-ID: x\n", "Bestätige deine Registrierung", "", true },
    { "Precedence: bulk\n", "Hello!", "Thank you for registering. Verify your email by this link.", true },
    { "Precedence: bulk\n", "お客様へ", "ご登録ありがとうございます。メールアドレスの確認のため", true },
    /* one word in a text is little */
    { "Precedence: bulk\n", "Hello!", "Welcome to the seminar. See you there.", false },
    /* by a person */
    { "From: <sato@x.test>\n", "Welcome to our laboratory", "", false },
    { "Auto-Submitted: no\n", "Welcome to our laboratory", "", false },
    /* what a fraud is told of by */
    { "Auto-Submitted: auto-generated\n", "Your payment: please confirm", "", false },
    { "Auto-Submitted: auto-generated\n", "お振込みのお知らせ（ご登録ありがとうございます）", "", false },
    { "From: <noreply@bank.test>\n", "ログインのお知らせ",
      "ご登録いただきありがとうございます。会員登録の情報", false },
    { "From: <noreply@x.test>\n", "Your verification code", "verify your email, thank you for registering",
      false },
    { "From: <noreply@x.test>\n", "Password changed", "", false },
    { "From: <noreply@x.test>\n", "ご注文ありがとうございます", "会員登録完了。仮登録", false },
    { "From: <noreply@x.test>\n", "[list] minutes of the meeting", "", false },
    { "", "", "", false },
};

static struct text folded(struct buffer *room, const char *text)
{
    buffer_clear(room);
    text_fold(text_of(text), room, NULL);
    return buffer_text(room);
}

static void shapes(void **state)
{
    const struct header_limits limits = { .bytes = 10000, .fields = 100 };
    struct buffer subject = { 0 }, text = { 0 };
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        struct arena *arena = arena_new(0);
        struct header header;
        header_parse(arena, text_of(row->header), &limits, &header);
        if (signup_shape_has(&header, folded(&subject, row->subject), folded(&text, row->text)) !=
            row->is_signup)
            fail_msg("%s / %s: not %d", row->header, row->subject, row->is_signup);
        arena_free(arena);
    }
    buffer_free(&subject);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shapes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
