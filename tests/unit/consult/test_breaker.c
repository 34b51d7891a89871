/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When an engine is asked: a story is a row of steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consult/breaker.h"

/* ask and its answer, "a" may, "n" may not; "+" and "-" what came of it, "!" where that is news; "." a
 * second. */
static const struct row {
    const char *name, *steps;
} rows[] = {
    { "well", "a+a+a+" },
    { "failures that are not in a row", "a-a-a+a-a-a+" },
    { "three in a row", "a-a-a-!n.n" },
    { "after its pause one tries", "a-a-a-!n..........an.n" },
    { "who fails: another pause", "a-a-a-!..........a-n.........n.a" },
    { "who is answered: well", "a-a-a-!..........a+!a-a-a+" },
    { "who was let go: the next tries", "a-a-a-!..........a~an" },
    { "late failures of those asked before prolong it", "aaaaa---!..........a-.n-.........n.a" },
    { "an answer of those asked before mends it", "aaaa---!+!a" },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct breaker breaker = { .failures_most = 3, .pause_ms = 10000 };
        uint64_t now = 1000;
        for (const char *step = rows[i].steps; *step; step++) {
            bool is_news = false, has_result = *step == '+' || *step == '-';
            if (*step == '.') now += 1000;
            if (*step == '~') breaker_let_go(&breaker);
            if (*step == '+') is_news = breaker_answered(&breaker);
            if (*step == '-') is_news = breaker_failed(&breaker, now);
            if (*step == 'a' || *step == 'n') {
                if (breaker_may_ask(&breaker, now) != (*step == 'a'))
                    fail_msg("%s: step %zu", rows[i].name, (size_t)(step - rows[i].steps));
            }
            if (has_result && is_news != (step[1] == '!'))
                fail_msg("%s: news at step %zu", rows[i].name, (size_t)(step - rows[i].steps));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
