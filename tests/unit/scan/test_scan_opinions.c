/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What second opinions said, as signals and as what is done: a row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_text.h"
#include "judge/engine_answer.h"
#include "scan/decide.h"
#include "scan/opinions.h"
#include "scan/wording.h"

static const char config_text[] =
    "hostname mx.test\nlisten 127.0.0.1:2525\ndomains { ours.test 127.0.0.1:9 }\n"
    "spam { opinion spamd unix:/a; opinion rspamd 127.0.0.1:11333 { weight 2; points most 30; direction "
    "both; "
    "unavailable defer } }\n";

static struct config *config;
static struct arena *arena;

static int open_all(void **state)
{
    config = config_of_text(text_of(config_text), false);
    arena = arena_new(0);
    return config ? 0 : -1;
}

static int close_all(void **state)
{
    config_free(config);
    arena_free(arena);
    return 0;
}

/* What spamd and rspamd said: NULL not asked. */
struct said {
    enum answer_status status;
    struct engine_answer answer;
};

#define SCORED(what, s, l, n)                                           \
    {                                                                   \
        ANSWER_FOUND,                                                   \
        {                                                               \
            .state = (what), .name = TEXT(n), .score = (s), .line = (l) \
        }                                                               \
    }
#define SPAM(s, l, n) SCORED(SCAN_FOUND, s, l, n)
#define HAM(s, l, n) SCORED(SCAN_CLEAN, s, l, n)
#define NONE(why)                                      \
    {                                                  \
        ANSWER_FOUND,                                  \
        {                                              \
            .state = SCAN_UNSCANNED, .name = TEXT(why) \
        }                                              \
    }
#define LARGE                                                                                  \
    {                                                                                          \
        ANSWER_FOUND,                                                                          \
        {                                                                                      \
            .state = SCAN_LIMITS, .is_oversize = true, .name = TEXT("larger than it looks at") \
        }                                                                                      \
    }
#define LATE             \
    {                    \
        ANSWER_TEMPERROR \
    }
#define DROPPED     \
    {               \
        ANSWER_NONE \
    }
#define UNASKED        \
    {                  \
        ANSWER_PENDING \
    }

static const struct row {
    struct said spamd, rspamd;
    enum direction direction;
    const char *signals; /* "NAME points about|…" */
    unsigned code;
} rows[] = {
    { UNASKED, UNASKED, DIRECTION_IN, "", 250 },
    { DROPPED, DROPPED, DIRECTION_IN, "", 250 },
    { SPAM(5, 5, "A,B"), HAM(1, 15, "no action"), DIRECTION_IN,
      "SPAMD 2.5 5.0 of 5.0: A,B|RSPAMD_HAM 0.0 1.0 of 15.0: no action|", 250 },
    { SPAM(7, 5, "A"), UNASKED, DIRECTION_IN, "SPAMD 3.5 7.0 of 5.0: A|", 250 },
    { SPAM(1000000, 5, ""), UNASKED, DIRECTION_IN, "SPAMD 4.0 1000000.0 of 5.0|", 250 },
    { SPAM(1000000, 0.000001, ""), UNASKED, DIRECTION_IN, "SPAMD 4.0 1000000.0 of 0.0|", 250 },
    { SPAM(-1000000, 5, ""), UNASKED, DIRECTION_IN, "SPAMD 2.5 -1000000.0 of 5.0|", 250 },
    { SPAM(9, 0, ""), UNASKED, DIRECTION_IN, "SPAMD 2.5 9.0 of 0.0|", 250 },
    { SPAM(9, -5, ""), UNASKED, DIRECTION_IN, "SPAMD 2.5 9.0 of -5.0|", 250 },
    { HAM(4.9, 5, "A"), UNASKED, DIRECTION_IN, "SPAMD_HAM 0.0 4.9 of 5.0: A|", 250 },
    { HAM(-100, 5, ""), UNASKED, DIRECTION_IN, "SPAMD_HAM 0.0 -100.0 of 5.0|", 250 },
    { UNASKED, SPAM(30, 15, "reject; A"), DIRECTION_IN, "RSPAMD 20.0 30.0 of 15.0: reject; A|", 550 },
    { UNASKED, SPAM(0, 15, "reject"), DIRECTION_IN, "RSPAMD 10.0 0.0 of 15.0: reject|", 250 },
    { NONE("no answer in time"), LARGE, DIRECTION_IN,
      "SPAMD_NONE 0.0 no answer in time|RSPAMD_NONE 0.0 larger than it looks at|", 250 },
    { LATE, UNASKED, DIRECTION_IN, "SPAMD_NONE 0.0 no answer|", 250 },
    { UNASKED, LATE, DIRECTION_IN, "RSPAMD_NONE 0.0 no answer|", 451 },
    { UNASKED, NONE("Connection refused"), DIRECTION_OUT, "RSPAMD_NONE 0.0 Connection refused|", 451 },
    { SPAM(9, 5, "A"), HAM(0, 6, ""), DIRECTION_OUT, "RSPAMD_HAM 0.0 0.0 of 6.0|", 250 },
};

static uint32_t answers_of(const struct row *row, struct question *out)
{
    const struct said *said[] = { &row->spamd, &row->rspamd };
    static const struct text names[] = { TEXT("spamd"), TEXT("rspamd") };
    uint32_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes = { 0 };
        if (said[i]->status == ANSWER_PENDING) continue;
        out[count] = (struct question){ QUESTION_OPINION, names[i], said[i]->status, TEXT_NONE };
        if (said[i]->status == ANSWER_FOUND) engine_answer_put(&said[i]->answer, &bytes);
        out[count++].value = arena_text(arena, buffer_text(&bytes));
        buffer_free(&bytes);
    }
    return count;
}

static void test_rows(void **state)
{
    struct text recipient = TEXT("a@ours.test");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct question answers[2];
        struct buffer told = { 0 };
        struct verdict verdict;
        uint32_t count = answers_of(&rows[i], answers);
        const struct facts facts = { .virus = SCAN_CLEAN };
        const struct occasion occasion = { .direction = rows[i].direction,
                                           .recipients = &recipient,
                                           .recipient_count = 1 };
        decide_verdict(arena, config, &occasion, &facts, answers, count, &verdict);
        for (uint32_t k = 0; k < verdict.signal_count; k++)
            buffer_printf(&told, "%.*s %.1f %.*s|", TEXT_ARG(verdict.signals[k].name),
                          verdict.signals[k].points, TEXT_ARG(verdict.signals[k].about));
        if (!text_equal(buffer_text(&told), text_of(rows[i].signals)) || verdict.code != rows[i].code)
            fail_msg("row %zu: %.*s %u", i, TEXT_ARG(buffer_text(&told)), (unsigned)verdict.code);
        if (verdict.code == 451)
            assert_true(text_equal(
                verdict.reason, TEXT("a second opinion on the message could not be had, try again later")));
        buffer_free(&told);
    }
}

/* Bytes that are no answer are none; what a peer wrote stands printable in header and log. */
static void test_words(void **state)
{
    struct question answer = { QUESTION_OPINION, TEXT("spamd"), ANSWER_FOUND, TEXT("\7nonsense") };
    const struct engine_answer said = {
        .state = SCAN_FOUND, .name = TEXT("A,\"B\"\r\nX-Spam-Flag: NO\x1b"), .score = 6, .line = 5
    };
    struct text recipient = TEXT("a@ours.test");
    const struct occasion occasion = { .recipients = &recipient, .recipient_count = 1 };
    const struct facts facts = { .virus = SCAN_CLEAN };
    struct buffer bytes = { 0 };
    struct verdict verdict;
    decide_verdict(arena, config, &occasion, &facts, &answer, 1, &verdict);
    assert_true(text_equal(verdict.signals[0].name, TEXT("SPAMD_NONE")));
    engine_answer_put(&said, &bytes);
    answer.value = buffer_text(&bytes);
    decide_verdict(arena, config, &occasion, &facts, &answer, 1, &verdict);
    struct text header = wording_status(arena, config, &occasion, &facts, &verdict, &(struct status_wish){ 6.8 });
    struct text line = TEXT("X-Sekimori-Opinion: SPAMD 6.0 of 5.0\r\n\tA,?B???X-Spam-Flag: NO?\r\n");
    assert_true(text_find(header, line) < header.length);
    struct text words = TEXT(" opinion=\"SPAMD 6.0 of 5.0: A,?B???X-Spam-Flag: NO?\" tests=SPAMD=3.0");
    assert_true(text_find(verdict.summary, words) < verdict.summary.length);
    buffer_free(&bytes);
}

/* Scores that no opinion has, in the bytes of an answer. */
static void test_scores_out_of_range(void **state)
{
    const double wrong[] = { 1000000.5, -1000000.5, 1.0 / 0.0, 0.0 / 0.0 };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct engine_answer read, answer = { .state = SCAN_FOUND, .score = wrong[i] };
        struct buffer bytes = { 0 };
        engine_answer_put(&answer, &bytes);
        assert_false(engine_answer_get(buffer_text(&bytes), &read));
        buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_scores_out_of_range),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
