/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Senders inside: each line, what ends a hold, what is kept on disk; floods of sign-ups: who is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/codec.h"
#include "ipc/hourly_table.h"
#include "lookup/inside_senders.h"
#include "lookup/signup_floods.h"

enum { NAME = 40 };
static const uint64_t noon_ms = 12 * HOURLY_MS, today_ms = UINT64_C(1793000000000);

static struct inside_time at(uint64_t ms)
{
    return (struct inside_time){ noon_ms + ms, today_ms + ms };
}

static struct config config_of(void)
{
    static struct text exempt[] = { { "list@x.test", 11 } };
    struct config config = { 0 };
    config.inside.mode = MODE_ON;
    config.inside.recipients = 10;
    config.inside.refused = 4;
    config.inside.percent = 50;
    config.inside.spam = 3;
    config.inside.networks = 3;
    config.inside.hold_ms = 1000;
    config.inside.exempt = (struct text_list){ exempt, 1 };
    config.signups.mode = MODE_ON;
    config.signups.domains = 3;
    return config;
}

static struct rate_answer send_from(struct inside_senders *senders, const struct config *config,
                                    const char *sender, const char *client, uint32_t recipients, uint64_t ms)
{
    struct rate_subject subject = { .sender = text_of(sender), .recipient_total = recipients };
    struct rate_answer answer;
    assert_true(address_parse(text_of(client), &subject.client));
    inside_senders_message(senders, config, &subject, at(ms), &answer);
    return answer;
}

static struct rate_answer mail(struct inside_senders *senders, const struct config *config,
                               const char *sender, uint32_t recipients, uint64_t ms)
{
    return send_from(senders, config, sender, "10.2.0.5", recipients, ms);
}

static void lines(void **state)
{
    struct inside_senders *senders = inside_senders_new();
    struct config config = config_of();
    /* recipients: ten may be, the eleventh is one too many; case is no other sender */
    assert_int_equal(mail(senders, &config, "a@x.test", 10, 0).cause, RATE_FINE);
    struct rate_answer answer = mail(senders, &config, "A@X.test", 1, 0);
    assert_int_equal(answer.cause, RATE_RECIPIENTS);
    assert_true(answer.is_first && answer.count == 11 && answer.until_ms == today_ms + 1000);
    answer = mail(senders, &config, "a@x.test", 1, 500);
    assert_true(answer.cause == RATE_RECIPIENTS && answer.is_first);
    for (int i = 0; i < 9; i++) answer = mail(senders, &config, "a@x.test", 1, 500);
    assert_true(answer.cause == RATE_RECIPIENTS && !answer.is_first);
    /* spam; refusals, by number and share; networks */
    for (int i = 0; i < 3; i++) inside_senders_event(senders, RATE_EVENT_SPAM, TEXT("b@x.test"), noon_ms);
    assert_int_equal(mail(senders, &config, "b@x.test", 1, 0).cause, RATE_SPAM);
    assert_int_equal(mail(senders, &config, "c@x.test", 9, 0).cause, RATE_FINE);
    for (int i = 0; i < 4; i++) inside_senders_event(senders, RATE_EVENT_REFUSED, TEXT("c@x.test"), noon_ms);
    assert_int_equal(mail(senders, &config, "c@x.test", 0, 0).cause, RATE_FINE);
    inside_senders_event(senders, RATE_EVENT_REFUSED, TEXT("c@x.test"), noon_ms);
    answer = mail(senders, &config, "c@x.test", 0, 0);
    assert_true(answer.cause == RATE_REFUSED && answer.count == 5 && answer.of == 9);
    assert_int_equal(send_from(senders, &config, "d@x.test", "10.1.0.1", 1, 0).cause, RATE_FINE);
    assert_int_equal(send_from(senders, &config, "d@x.test", "10.1.0.2", 1, 0).cause, RATE_FINE);
    assert_int_equal(send_from(senders, &config, "d@x.test", "10.1.1.1", 1, 0).cause, RATE_FINE);
    assert_int_equal(send_from(senders, &config, "d@x.test", "2001:db8::1", 1, 0).cause, RATE_NETWORKS);
    /* who is exempt, who has no name; where nobody looks, and where it is only observed */
    assert_int_equal(mail(senders, &config, "List@x.test", 1000, 0).cause, RATE_FINE);
    assert_int_equal(mail(senders, &config, "", 1000, 0).cause, RATE_FINE);
    config.inside.mode = MODE_OBSERVE;
    answer = mail(senders, &config, "e@x.test", 11, 0);
    assert_true(answer.is_first && answer.until_ms == 0 &&
                !mail(senders, &config, "e@x.test", 1, 1).is_first);
    assert_true(mail(senders, &config, "e@x.test", 1, 2000).is_first);
    config.inside.mode = MODE_OFF;
    assert_int_equal(mail(senders, &config, "f@x.test", 1000, 0).cause, RATE_FINE);
    inside_senders_free(senders);
}

static void ends(void **state)
{
    struct inside_senders *senders = inside_senders_new();
    const struct config config = config_of();
    mail(senders, &config, "a@x.test", 11, 0);
    mail(senders, &config, "b@x.test", 11, 0);
    assert_string_equal(inside_senders_held(senders, 0, today_ms)->sender, "a@x.test");
    assert_non_null(inside_senders_held(senders, 1, today_ms));
    assert_null(inside_senders_held(senders, 2, today_ms));
    assert_false(inside_senders_release(senders, TEXT("c@x.test"), at(1)));
    assert_true(inside_senders_release(senders, TEXT("A@x.test"), at(1)));
    /* what he sent before counts no more, by release or by the end of the time */
    assert_int_equal(mail(senders, &config, "a@x.test", 10, 2).cause, RATE_FINE);
    assert_int_equal(mail(senders, &config, "b@x.test", 1, 999).cause, RATE_RECIPIENTS);
    assert_null(inside_senders_held(senders, 0, today_ms + 1000));
    assert_int_equal(mail(senders, &config, "b@x.test", 10, 1000).cause, RATE_FINE);
    assert_int_equal(mail(senders, &config, "b@x.test", 1, 1000).cause, RATE_RECIPIENTS);
    inside_senders_free(senders);
}

/* A clock that went a year ahead when he was held, and was set back: it ends in the time that it has. */
static void clock_set_back(void **state)
{
    const uint64_t year_ms = UINT64_C(365) * 24 * HOURLY_MS;
    struct inside_senders *senders = inside_senders_new();
    const struct config config = config_of();
    struct rate_subject subject = { .sender = TEXT("a@x.test"), .recipient_total = 11 };
    struct rate_answer answer;
    inside_senders_message(senders, &config, &subject, (struct inside_time){ noon_ms, today_ms + year_ms },
                           &answer);
    assert_true(answer.cause == RATE_RECIPIENTS && answer.until_ms == today_ms + year_ms + 1000);
    inside_senders_have_changed(senders);
    answer = mail(senders, &config, "a@x.test", 1, 100);
    assert_true(answer.cause == RATE_RECIPIENTS && answer.until_ms == today_ms + 1100);
    assert_true(inside_senders_have_changed(senders));
    assert_int_equal(mail(senders, &config, "a@x.test", 1, 1099).until_ms, today_ms + 1100);
    assert_int_equal(mail(senders, &config, "a@x.test", 1, 1100).cause, RATE_FINE);
    inside_senders_free(senders);
}

/* They are the same in the next process; what is no such file is refused, cut at any byte. */
static void outlive(void **state)
{
    struct inside_senders *senders = inside_senders_new(), *next = inside_senders_new();
    const struct config config = config_of();
    struct buffer bytes = { 0 };
    assert_false(inside_senders_have_changed(senders));
    mail(senders, &config, "a@x.test", 11, 0);
    assert_true(inside_senders_have_changed(senders) && !inside_senders_have_changed(senders));
    mail(senders, &config, "b@x.test", 11, 500);
    inside_senders_put(senders, today_ms + 1200, &bytes);
    struct text text = buffer_text(&bytes);
    for (size_t i = 0; i < text.length; i++) assert_false(inside_senders_get(next, text_slice(text, 0, i)));
    assert_true(inside_senders_get(next, text));
    const struct inside_held *held = inside_senders_held(next, 0, today_ms + 1200);
    assert_true(held && held->why.count == 11 && held->since_ms == today_ms + 500);
    assert_null(inside_senders_held(next, 1, today_ms + 1200)); /* a's had ended */
    assert_int_equal(mail(next, &config, "b@x.test", 1, 1200).cause, RATE_RECIPIENTS);
    buffer_free(&bytes);
    inside_senders_free(next);
    inside_senders_free(senders);
}

/* More than there is room for: whose hold ends first gives way; and it fits the file. */
static void many(void **state)
{
    struct inside_senders *senders = inside_senders_new();
    const struct config config = config_of();
    struct buffer bytes = { 0 };
    for (uint64_t i = 0; i < INSIDE_HELD_MOST + 3; i++) {
        char name[RATE_TEXT_MOST + 1];
        snprintf(name, sizeof name, "%0*u@x.test", RATE_TEXT_MOST - 7, (unsigned)i);
        assert_int_equal(mail(senders, &config, name, 11, i).cause, RATE_RECIPIENTS);
    }
    assert_non_null(inside_senders_held(senders, INSIDE_HELD_MOST - 1, today_ms + 300));
    assert_null(inside_senders_held(senders, INSIDE_HELD_MOST, today_ms + 300));
    inside_senders_put(senders, today_ms, &bytes);
    assert_true(buffer_length(&bytes) <= SENDER_RATES_FILE_BYTES - 4);
    buffer_free(&bytes);
    inside_senders_free(senders);
}

static struct rate_answer signup(struct signup_floods *floods, const struct config *config, unsigned domain,
                                 const struct text *recipients, uint32_t count, uint64_t ms)
{
    char name[NAME];
    snprintf(name, sizeof name, "noreply@Site%u.test", domain);
    const struct rate_subject subject = { .about = RATE_ABOUT_SIGNUPS,
                                          .sender = text_of(name),
                                          .recipient_total = count,
                                          .recipient_count = count,
                                          .recipients = recipients };
    struct rate_answer answer;
    signup_floods_message(floods, config, &subject, noon_ms + ms, &answer);
    return answer;
}

static void floods(void **state)
{
    static const struct text both[] = { { "other@x.test", 12 }, { "user@x.test", 11 } };
    struct signup_floods *floods = signup_floods_new();
    struct config config = config_of();
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(signup(floods, &config, 1, &both[1], 1, 0).cause, RATE_FINE);
    assert_int_equal(signup(floods, &config, 2, &both[1], 1, 1).cause, RATE_FINE);
    struct rate_answer answer = signup(floods, &config, 3, both, 2, 2);
    assert_true(answer.cause == RATE_SIGNUPS && answer.count == 3 && answer.recipients == 2 &&
                answer.is_first);
    answer = signup(floods, &config, 3, &both[1], 1, 3);
    assert_true(answer.cause == RATE_SIGNUPS && answer.recipients == 1 && !answer.is_first);
    /* an hour later all but the last is forgotten */
    assert_int_equal(signup(floods, &config, 3, &both[1], 1, HOURLY_MS + 2).cause, RATE_FINE);
    config.signups.mode = MODE_OFF;
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(signup(floods, &config, i, both, 2, 4).cause, RATE_FINE);
    signup_floods_free(floods);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines),          cmocka_unit_test(ends),
                                        cmocka_unit_test(clock_set_back), cmocka_unit_test(outlive),
                                        cmocka_unit_test(many),           cmocka_unit_test(floods) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
