/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte forms of what is asked and said of senders: what is put is got again, bounds hold, and of any
   bytes that are cut or changed nothing is read but what has a meaning. */
#include "judge/sender_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void subjects(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer bytes = { 0 };
    struct text recipients[100];
    struct sender_subject got;
    for (unsigned i = 0; i < 100; i++) recipients[i] = arena_printf(arena, "%0200u@a.test", i);
    struct sender_subject subject = { .direction = DIRECTION_IN,
                                      .sender = TEXT("s@b.test"),
                                      .from = arena_printf(arena, "%0400d@b.test", 1),
                                      .recipient_count = 100,
                                      .recipients = recipients };
    assert_true(address_parse(TEXT("192.0.2.1"), &subject.client));
    sender_subject_put(&subject, &bytes);
    assert_true(buffer_length(&bytes) <= SENDER_SUBJECT_MOST);
    assert_true(sender_subject_get(arena, buffer_text(&bytes), &got));
    assert_true(address_equal(&got.client, &subject.client) && text_equal(got.sender, subject.sender));
    assert_int_equal(got.from.length, 0); /* longer than any address */
    assert_true(got.recipient_count > 30 && got.recipient_count < SENDER_RECIPIENTS_MOST);
    assert_true(text_equal(got.recipients[30], recipients[30]));
    for (size_t cut = 0; cut < buffer_length(&bytes); cut++)
        assert_false(sender_subject_get(arena, text_slice(buffer_text(&bytes), 0, cut), &got));
    buffer_free(&bytes);
    for (unsigned i = 0; i < 100; i++) recipients[i] = TEXT("a@a.test");
    sender_subject_put(&subject, &bytes);
    assert_true(sender_subject_get(arena, buffer_text(&bytes), &got));
    assert_int_equal(got.recipient_count, SENDER_RECIPIENTS_MOST);
    buffer_free(&bytes);
    arena_free(arena);
}

static void rcpt_answers(void **state)
{
    const struct sender_rcpt_answer answer = { SENDER_GREYLISTED, 299, false };
    struct sender_rcpt_answer got;
    struct buffer bytes = { 0 };
    sender_rcpt_answer_put(&answer, &bytes);
    assert_true(sender_rcpt_answer_get(buffer_text(&bytes), &got));
    assert_true(got.delay == SENDER_GREYLISTED && got.wait_s == 299 && !got.is_for_all);
    assert_false(sender_rcpt_answer_get(text_slice(buffer_text(&bytes), 0, 5), &got));
    assert_false(sender_rcpt_answer_get(TEXT("\x09\0\0\0\0\0"), &got)); /* no such delay */
    assert_false(sender_rcpt_answer_get(TEXT("\0\0\0\0\0\x02"), &got)); /* no such flag */
    buffer_free(&bytes);
}

static void histories(void **state)
{
    struct sender_history history = { .count = 0 }, got;
    struct buffer bytes = { 0 };
    const struct sender_finding bad = {
        SENDER_REPUTATION_NETWORK, 0, 40, 41, 20.5, 21, 30 * UINT64_C(86400000), TEXT("192.0.2.0/24")
    };
    sender_history_put(&history, &bytes);
    assert_true(sender_history_get(buffer_text(&bytes), &got) && got.count == 0);
    buffer_clear(&bytes);
    for (unsigned i = 0; i < SENDER_FINDINGS_MOST + 5; i++) sender_history_add(&history, &bad);
    sender_history_put(&history, &bytes);
    assert_true(sender_history_get(buffer_text(&bytes), &got));
    assert_int_equal(got.count, SENDER_FINDINGS_MOST);
    const struct sender_finding *found = sender_history_find(&got, SENDER_REPUTATION_NETWORK);
    assert_true(found->count == 40 && found->of == 41 && found->weight == 20.5 && found->weight_of == 21);
    assert_null(sender_history_find(&got, SENDER_IS_NEW));
    for (size_t cut = 0; cut < buffer_length(&bytes); cut++)
        assert_false(sender_history_get(text_slice(buffer_text(&bytes), 0, cut), &got));
    buffer_free(&bytes);
}

/* What a peer must not say. */
static void bad_findings(void **state)
{
    static const struct sender_finding bad[] = {
        { .kind = SENDER_FINDING_KINDS },   { .weight = -1 },
        { .weight_of = __builtin_nan("") }, { .weight = __builtin_inf() },
        { .about = TEXT("line\nbreak") },   { .about = TEXT("\xe3\x81\x82") },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sender_history history = { .count = 1, .findings = { bad[i] } }, got;
        struct buffer bytes = { 0 };
        sender_history_put(&history, &bytes);
        assert_false(sender_history_get(buffer_text(&bytes), &got));
        buffer_free(&bytes);
    }
}

static void words(void **state)
{
    static const struct {
        struct sender_finding finding;
        const char *en, *ja;
    } rows[] = {
        { { .kind = SENDER_REPUTATION_NETWORK,
            .count = 40,
            .of = 41,
            .span_ms = 30 * UINT64_C(86400000),
            .about = TEXT("192.0.2.0/24") },
          "net 192.0.2.0/24: 40 of 41 messages were spam in 30 days",
          "ネットワーク 192.0.2.0/24: 過去 30 日の 41 通中 40 通が迷惑メール" },
        { { .kind = SENDER_IS_NEW_TO, .count = 2, .of = 5 },
          "new to 2 of 5 recipients",
          "宛先 5 人中 2 人とは初めて" },
        { { .kind = SENDER_IS_BACK, .span_ms = 301000 },
          "it was greylisted, and came back after 301 seconds",
          "後回しにされ、301 秒後に再送された" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer en = { 0 }, ja = { 0 };
        sender_finding_say(LANGUAGE_EN, &rows[i].finding, &en);
        sender_finding_say(LANGUAGE_JA, &rows[i].finding, &ja);
        assert_true(text_equal(buffer_text(&en), text_of(rows[i].en)));
        assert_true(text_equal(buffer_text(&ja), text_of(rows[i].ja)));
        buffer_free(&en);
        buffer_free(&ja);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects),     cmocka_unit_test(rcpt_answers), cmocka_unit_test(histories),
        cmocka_unit_test(bad_findings), cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
