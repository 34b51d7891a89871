/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte forms of questions and answers about an hour: the same when read back, refused when cut or wrong;
   and never longer than lookup takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge/sender_rate.h"

enum { SUBJECT_LIMIT = 10240 }; /* of ipc/ask_lookup.h */

static void subject(void **state)
{
    static const struct text recipients[] = { { "a@x.test", 8 }, { "b@x.test", 8 } };
    struct arena *arena = arena_new(0);
    struct rate_subject put = { .about = RATE_ABOUT_SIGNUPS,
                                .sender = TEXT("site.test"),
                                .recipient_total = 7,
                                .recipient_count = 2,
                                .recipients = recipients },
                        got;
    struct buffer bytes = { 0 };
    assert_true(address_parse(TEXT("192.0.2.1"), &put.client));
    rate_subject_put(&put, &bytes);
    struct text text = buffer_text(&bytes);
    for (size_t i = 0; i < text.length; i++)
        assert_false(rate_subject_get(arena, text_slice(text, 0, i), &got));
    assert_true(rate_subject_get(arena, text, &got));
    assert_true(got.about == put.about && got.recipient_total == 7 && got.recipient_count == 2);
    assert_true(address_equal(&got.client, &put.client) && text_equal(got.sender, put.sender));
    assert_true(text_equal(got.recipients[1], recipients[1]));
    buffer_free(&bytes);
    arena_free(arena);
}

/* Addresses as long as strangers like, and more of them than are told. */
static void longest(void **state)
{
    enum { MANY = 1000 };
    static char name[RATE_TEXT_MOST];
    struct text recipients[MANY];
    struct arena *arena = arena_new(0);
    struct buffer bytes = { 0 };
    struct rate_subject got;
    memset(name, 'x', sizeof name);
    for (size_t i = 0; i < MANY; i++) recipients[i] = text_from(name, sizeof name);
    const struct rate_subject put = { .sender = text_from(name, sizeof name),
                                      .recipient_total = MANY,
                                      .recipient_count = MANY,
                                      .recipients = recipients };
    rate_subject_put(&put, &bytes);
    assert_true(buffer_length(&bytes) <= SUBJECT_LIMIT);
    assert_true(rate_subject_get(arena, buffer_text(&bytes), &got));
    assert_int_equal(got.recipient_count, RATE_RECIPIENTS_MOST);
    buffer_free(&bytes);
    arena_free(arena);
}

static void answer(void **state)
{
    static const struct {
        struct rate_answer answer;
        const char *says;
    } rows[] = {
        { { .cause = RATE_RECIPIENTS, .count = 11, .until_ms = 5, .is_first = true },
          "11 recipients in an hour" },
        { { .cause = RATE_REFUSED, .count = 5, .of = 9 }, "5 of 9 recipients refused in an hour" },
        { { .cause = RATE_SPAM, .count = 3 }, "3 messages like spam in an hour" },
        { { .cause = RATE_NETWORKS, .count = 8 }, "sent from 8 networks in an hour" },
        { { .cause = RATE_SIGNUPS, .count = 15, .recipients = 3 }, "sign-up mail of 15 domains in an hour" },
        { { .cause = RATE_FINE }, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 }, says = { 0 };
        struct rate_answer got;
        rate_answer_put(&rows[i].answer, &bytes);
        struct text text = buffer_text(&bytes);
        for (size_t cut = 0; cut < text.length; cut++)
            assert_false(rate_answer_get(text_slice(text, 0, cut), &got));
        assert_true(rate_answer_get(text, &got));
        assert_true(got.cause == rows[i].answer.cause && got.recipients == rows[i].answer.recipients &&
                    got.is_first == rows[i].answer.is_first && got.until_ms == rows[i].answer.until_ms);
        rate_answer_say(&got, &says);
        assert_true(text_equal(buffer_text(&says), text_of(rows[i].says)));
        buffer_free(&says);
        buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(subject), cmocka_unit_test(longest),
                                        cmocka_unit_test(answer) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
