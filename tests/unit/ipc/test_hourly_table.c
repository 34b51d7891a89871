/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts of an hour: exact within it, fading behind it; and what strangers can do to the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "ipc/hourly_table.h"

enum { PLACES = 64, NAME = 32 };
static const uint64_t noon_ms = 12 * HOURLY_MS;
static _Alignas(8) char room[PLACES * HOURLY_ENTRY_BYTES];

static struct hourly_table *fresh(void **state)
{
    memset(room, 0, sizeof room);
    *state = hourly_table_open(room, sizeof room);
    return *state;
}

static int end(void **state)
{
    hourly_table_free(*state);
    return 0;
}

static void counts_fade(void **state)
{
    struct hourly_table *table = fresh(state);
    struct hourly_entry *one = hourly_table_entry(table, 0, TEXT("one"), noon_ms);
    assert_int_equal(hourly_entry_add(one, 0, 5, noon_ms), 5);
    assert_int_equal(hourly_entry_add(one, 0, 95, noon_ms + 1), 100);
    assert_int_equal(hourly_entry_add(one, 1, 1, noon_ms + 1), 1);
    assert_ptr_equal(hourly_table_entry(table, 0, TEXT("one"), noon_ms), one);
    assert_ptr_not_equal(hourly_table_entry(table, 1, TEXT("one"), noon_ms), one);
    /* a quarter of the next hour is over; then all of it; then a day */
    assert_int_equal(hourly_entry_count(one, 0, noon_ms + HOURLY_MS * 5 / 4), 75);
    assert_int_equal(hourly_entry_add(one, 0, 1, noon_ms + HOURLY_MS * 5 / 4), 76);
    assert_int_equal(hourly_entry_count(one, 0, noon_ms + 3 * HOURLY_MS), 0);
    assert_int_equal(hourly_entry_add(one, 0, 1, noon_ms + 24 * HOURLY_MS), 1);
    /* it never turns over */
    for (int i = 0; i < 9; i++) hourly_entry_add(one, 2, UINT32_MAX / 2, noon_ms + 24 * HOURLY_MS);
    assert_true(hourly_entry_count(one, 2, noon_ms + 24 * HOURLY_MS) > UINT32_MAX / 5);
    hourly_entry_forget(one);
    assert_int_equal(hourly_entry_count(one, 0, noon_ms + 24 * HOURLY_MS), 0);
}

/* Another process maps the same memory. */
static void is_shared(void **state)
{
    struct hourly_table *table = fresh(state), *other = hourly_table_open(room, sizeof room);
    hourly_entry_add(hourly_table_entry(table, 2, TEXT("x"), noon_ms), 3, 7, noon_ms);
    assert_int_equal(hourly_entry_count(hourly_table_entry(other, 2, TEXT("x"), noon_ms), 3, noon_ms), 7);
    hourly_table_free(other);
}

/* Thousands of names that came once: whoever is marked keeps its place, and all are counted. */
static void strangers(void **state)
{
    struct hourly_table *table = fresh(state);
    struct hourly_entry *bad = hourly_table_entry(table, 0, TEXT("bad"), noon_ms);
    assert_true(hourly_entry_mark(bad, noon_ms + 1000, noon_ms));
    assert_false(hourly_entry_mark(bad, noon_ms + 2000, noon_ms + 500));
    for (int i = 0; i < 5000; i++) {
        char name[NAME];
        int length = snprintf(name, sizeof name, "stranger %d", i);
        struct hourly_entry *entry = hourly_table_entry(table, 0, text_from(name, (size_t)length), noon_ms);
        assert_int_equal(hourly_entry_add(entry, 0, 1, noon_ms), 1);
    }
    assert_ptr_equal(hourly_table_entry(table, 0, TEXT("bad"), noon_ms), bad);
    assert_true(hourly_entry_is_marked(bad, noon_ms + 1999));
    assert_false(hourly_entry_is_marked(bad, noon_ms + 2000));
    assert_true(hourly_entry_mark(bad, noon_ms + 5000, noon_ms + 2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counts_fade, end),
        cmocka_unit_test_teardown(is_shared, end),
        cmocka_unit_test_teardown(strangers, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
