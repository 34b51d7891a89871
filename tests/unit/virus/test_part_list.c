/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: of however many files a message has, the infected and the largest are remembered, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "virus/part_list.h"

static void add(struct part_list *list, uint8_t first, size_t size, bool is_infected)
{
    const uint8_t digest[DIGEST_BYTES] = { first };
    part_list_add(list, digest, size, is_infected);
}

static void in_order(void **state)
{
    struct part_list list = { 0 };
    add(&list, 1, PART_DIGEST_LEAST - 1, true); /* too short */
    add(&list, 2, 100, false);
    add(&list, 3, 300, false);
    add(&list, 4, 64, true);
    add(&list, 5, 200, false);
    add(&list, 3, 300, false); /* again */
    assert_int_equal(list.count, 4);
    const uint8_t order[] = { 4, 3, 5, 2 };
    for (size_t i = 0; i < 4; i++) assert_int_equal(list.parts[i].bytes[0], order[i]);
    add(&list, 2, 100, true); /* in another reading */
    add(&list, 4, 64, false);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.parts[0].bytes[0], 2);
    assert_int_equal(list.parts[1].bytes[0], 4);
    assert_true(list.parts[1].is_infected);
}

static void bounded(void **state)
{
    struct part_list list = { 0 };
    for (unsigned i = 0; i < 200; i++) add(&list, (uint8_t)i, 100 + i, false);
    assert_int_equal(list.count, PART_DIGESTS_MOST);
    assert_int_equal(list.parts[0].bytes[0], 199);
    assert_int_equal(list.parts[PART_DIGESTS_MOST - 1].bytes[0], 200 - PART_DIGESTS_MOST);
    add(&list, 250, 64, false); /* the smallest finds no room */
    assert_int_equal(list.parts[PART_DIGESTS_MOST - 1].bytes[0], 200 - PART_DIGESTS_MOST);
    add(&list, 251, 64, true); /* an infected one does */
    assert_int_equal(list.count, PART_DIGESTS_MOST);
    assert_int_equal(list.parts[0].bytes[0], 251);
    assert_int_equal(list.parts[PART_DIGESTS_MOST - 1].bytes[0], 201 - PART_DIGESTS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_order), cmocka_unit_test(bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
