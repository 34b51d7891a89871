/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What strangers bring about is done so many times at once and so many a second, whatever comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/allowance.h"

/* Each row: so many tries at each of so many moments, so far apart; how many may be done. */
static const struct {
    unsigned tries, moments, apart_ms, at_once, per_second, done;
} rows[] = {
    { 1, 1, 0, 1, 1, 1 },
    { 2, 1, 0, 1, 1, 1 },
    { 100, 1, 0, 10, 1, 10 },
    { 1, 100, 1000, 1, 1, 100 },
    { 1, 100, 999, 1, 1, 50 },
    { 100, 10, 1000, 20, 5, 65 },
    { 1000, 60, 1000, 100, 20, 1280 },
    { 1, 100000, 1, 100, 20, 2099 },
    { 5, 10, 100000, 5, 1, 50 },
    { 5, 1, 0, 0, 1, 0 },
};

static void test_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct allowance allowance = { 0 };
        unsigned done = 0;
        uint64_t now_ms = 5000;
        for (unsigned moment = 0; moment < rows[i].moments; moment++, now_ms += rows[i].apart_ms)
            for (unsigned n = 0; n < rows[i].tries; n++)
                done += allowance_take(&allowance, rows[i].at_once, rows[i].per_second, now_ms);
        if (done != rows[i].done) fail_msg("row %zu: %u", i, done);
    }
}

static void test_denied_is_told_now_and_then(void **state)
{
    struct allowance allowance = { 0 };
    (void)state;
    assert_true(allowance_take(&allowance, 1, 1, 1000));
    assert_int_equal(allowance_denied(&allowance, 1000), 0);
    for (int i = 0; i < 7; i++) assert_false(allowance_take(&allowance, 1, 1, 1000));
    assert_int_equal(allowance_denied(&allowance, 1000), 7);
    assert_false(allowance_take(&allowance, 1, 1, 1100));
    assert_int_equal(allowance_denied(&allowance, 10999), 0);
    assert_int_equal(allowance_denied(&allowance, 11000), 1);
    assert_int_equal(allowance_denied(&allowance, 30000), 0);
}

/* A clock that goes back gives nothing. */
static void test_backwards(void **state)
{
    struct allowance allowance = { 0 };
    (void)state;
    assert_true(allowance_take(&allowance, 1, 1, 9000));
    assert_false(allowance_take(&allowance, 1, 1, 1000));
    assert_true(allowance_take(&allowance, 1, 1, 2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bounded),
                                        cmocka_unit_test(test_denied_is_told_now_and_then),
                                        cmocka_unit_test(test_backwards) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
