/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: each list weighs once, by its worst answer, and the strongest of their actions is done with its
 * reason. */
#include "scan/list_questions.h"

#include "config_text.h"
#include "judge/list_answer.h"

static const char lists[] =
    "role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n"
    "list spamhaus-zen\n"
    "list own { names /n; points 2; action tag }\n"
    "list hard { names /n; points 0; action reject }\n";

static struct question answered(struct arena *arena, const char *subject, struct list_hit hit)
{
    struct list_answer answer = { .hit_count = 1, .hits = { hit } };
    struct buffer bytes = { 0 };
    list_answer_put(&answer, &bytes);
    struct question question = { QUESTION_LIST, text_of(subject), ANSWER_FOUND,
                                 arena_text(arena, buffer_text(&bytes)) };
    buffer_free(&bytes);
    return question;
}

static void test_weights(void **state)
{
    struct config *config = config_of_text(text_of(lists), false);
    struct arena *arena = arena_new(0);
    struct score score = { .arena = arena };
    struct list_demand demand;
    const struct list_hit low = { .list = TEXT("spamhaus-zen"),
                                  .answer = { { [10] = 0xff, [11] = 0xff, 127, 0, 0, 10 } } },
                          high = { .list = TEXT("spamhaus-zen"),
                                   .answer = { { [10] = 0xff, [11] = 0xff, 127, 0, 0, 4 } } },
                          own = { .list = TEXT("own"), .line = 1 },
                          hard = { .list = TEXT("hard"), .line = 2 },
                          gone = { .list = TEXT("of-before-a-reload"), .line = 3 };
    struct question answers[] = {
        answered(arena, "client 192.0.2.1", low),
        answered(arena, "client 192.0.2.1", high),
        answered(arena, "link a.test", own),
        answered(arena, "link b.test", own),
        answered(arena, "from c.test", hard),
        answered(arena, "from c.test", gone),
        { QUESTION_LIST, TEXT("helo d.test"), ANSWER_FOUND, TEXT("malformed") },
    };
    list_answers_weigh(config, answers, sizeof answers / sizeof *answers, &score, &demand);
    assert_int_equal(score.count, 3);
    assert_true(text_equal(score.signals[0].name, TEXT("LIST_SPAMHAUS_ZEN")));
    assert_true(score.signals[0].points == 6 && score.signals[1].points == 2 && score.signals[2].points == 0);
    assert_true(text_equal(score.signals[1].about, TEXT("link a.test is listed by own")));
    assert_int_equal(demand.action, ACTION_REJECT);
    assert_true(text_equal(demand.says, TEXT("from c.test is listed by hard")));
    arena_free(arena);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_weights) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
