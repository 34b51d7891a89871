/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Ids that were taken with a voucher, against a list that forgets nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/taken_ids.h"

enum { LIFE_MS = 1000, MANY = 200000 };

static void test_taken_once(void **state)
{
    struct taken_ids *taken = taken_ids_new();
    (void)state;
    assert_false(taken_ids_add(taken, 0, 5, LIFE_MS));
    for (uint64_t id = 1; id <= MANY; id++)
        assert_true(taken_ids_add(taken, id << 14, 5 + id / 1000, LIFE_MS));
    for (uint64_t id = 1; id <= MANY; id++) assert_false(taken_ids_add(taken, id << 14, 300, LIFE_MS));
    taken_ids_free(taken);
    taken_ids_free(NULL);
}

/* At every moment of a voucher's life, wherever that falls between two changes of the sets; and forgotten
   after three lives. */
static void test_remembered_as_long_as_a_voucher_is_good(void **state)
{
    (void)state;
    for (uint64_t at_ms = 0; at_ms < 3 * LIFE_MS; at_ms += 50) {
        struct taken_ids *taken = taken_ids_new();
        for (uint64_t now_ms = 0; now_ms < at_ms; now_ms += 100)
            taken_ids_add(taken, now_ms + 10, now_ms, LIFE_MS);
        assert_true(taken_ids_add(taken, 1, at_ms, LIFE_MS));
        for (uint64_t now_ms = at_ms; now_ms <= at_ms + LIFE_MS; now_ms += 50) {
            assert_false(taken_ids_add(taken, 1, now_ms, LIFE_MS));
            taken_ids_add(taken, now_ms + 1000000, now_ms, LIFE_MS);
        }
        for (uint64_t now_ms = at_ms + LIFE_MS; now_ms <= at_ms + 3 * LIFE_MS + 100; now_ms += 50)
            taken_ids_add(taken, now_ms + 2000000, now_ms, LIFE_MS);
        assert_true(taken_ids_add(taken, 1, at_ms + 3 * LIFE_MS + 200, LIFE_MS));
        taken_ids_free(taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_once),
        cmocka_unit_test(test_remembered_as_long_as_a_voucher_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
