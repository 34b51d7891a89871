/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The steady time against clocks that are set, processes and machines that start again. */
#include "base/steady_clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS (3600 * 1000LL)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
#define NOW_MS (57 * YEAR_MS)

static int folder;

static int folder_make(void **state)
{
    static char path[] = "/tmp/steady-XXXXXX";
    if (!mkdtemp(path)) return -1;
    *state = path;
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -1 : 0;
}

static int folder_remove(void **state)
{
    unlinkat(folder, "clock", 0);
    close(folder);
    return rmdir(*state);
}

static struct steady begin(const char *boot, int64_t wall_ms, int64_t boot_ms)
{
    struct steady steady;
    steady_begin(&steady, folder, "clock", boot, (uint64_t)wall_ms, (uint64_t)boot_ms);
    return steady;
}

static const int64_t jumps[] = { 3 * HOUR_MS, -3 * HOUR_MS, 20 * YEAR_MS, -20 * YEAR_MS };

static void test_a_jump_does_not_touch_it(void **state)
{
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        unlinkat(folder, "clock", 0);
        struct steady steady = begin("a", NOW_MS, 1000);
        assert_int_equal(steady_ms(&steady, 1000), NOW_MS);
        assert_int_equal(steady_look(&steady, NOW_MS + 500, 1400), 0); /* slewed */
        assert_int_equal(steady_look(&steady, (uint64_t)(NOW_MS + 9000 + jumps[i]), 10000), jumps[i]);
        assert_int_equal(steady_ms(&steady, 10000), NOW_MS + 9000);
        assert_int_equal(steady_to_wall(&steady, NOW_MS), NOW_MS + jumps[i]);
        assert_int_equal(steady_from_wall(&steady, (uint64_t)(NOW_MS + jumps[i])), NOW_MS);
        assert_int_equal(steady_look(&steady, (uint64_t)(NOW_MS + 10000 + jumps[i]), 11000), 0);
        steady_end(&steady);
    }
}

/* Another process of the same run of the machine: also the time between them counts, whatever the clock did.
 */
static void test_it_goes_on_in_the_same_boot(void **state)
{
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        unlinkat(folder, "clock", 0);
        struct steady steady = begin("a", NOW_MS, 1000);
        steady_end(&steady);
        steady = begin("a", NOW_MS + 3 * DAY_MS + jumps[i], 1000 + 3 * DAY_MS);
        assert_int_equal(steady_ms(&steady, 1000 + 3 * DAY_MS), NOW_MS + 3 * DAY_MS);
        assert_int_equal(steady_to_wall(&steady, NOW_MS), NOW_MS + jumps[i]);
        steady_end(&steady);
    }
}

static void test_another_boot(void **state)
{
    static const struct {
        int64_t clock_moved, counts; /* from the end of one boot to the start of the next */
    } rows[] = {
        { 2 * HOUR_MS, 2 * HOUR_MS }, /* the machine was off for two hours */
        { 0, 0 },
        { -2 * HOUR_MS, 0 },
        { -30 * YEAR_MS, 0 }, /* its battery is empty */
        { 10 * DAY_MS, DAY_MS },
        { 20 * YEAR_MS, DAY_MS },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unlinkat(folder, "clock", 0);
        struct steady steady = begin("a", NOW_MS, 900000);
        steady_end(&steady);
        steady = begin("b", NOW_MS + rows[i].clock_moved, 50);
        assert_int_equal(steady_ms(&steady, 50), NOW_MS + rows[i].counts);
        assert_int_equal(steady_ms(&steady, 1050), NOW_MS + rows[i].counts + 1000);
        steady_end(&steady);
    }
}

static void test_damaged_file(void **state)
{
    static const char *const rows[] = { "", "x", "a base 1 offset",
                                        "a base z offset 1 settled 1 set 1 at 1" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[257];
        snprintf(line, sizeof line, "%-256s", rows[i]);
        int fd = openat(folder, "clock", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(write(fd, line, 256) == 256);
        close(fd);
        struct steady steady = begin("a", NOW_MS, 77);
        assert_int_equal(steady_ms(&steady, 77), NOW_MS);
        steady_end(&steady);
    }
}

/* What is thrown away by age: a clock set forward is believed after a week, one set back at once. */
static void test_what_is_old(void **state)
{
    unlinkat(folder, "clock", 0);
    struct steady steady = begin("a", NOW_MS, 0);
    uint64_t ahead = NOW_MS + 20 * YEAR_MS;
    assert_int_equal(steady_old_ms(&steady, NOW_MS, 0), NOW_MS);
    steady_look(&steady, ahead, 0);
    assert_int_equal(steady_old_ms(&steady, ahead, 0), NOW_MS);
    steady_end(&steady);
    steady = begin("a", (int64_t)ahead + DAY_MS, DAY_MS);
    assert_int_equal(steady_old_ms(&steady, ahead + DAY_MS, DAY_MS), NOW_MS + DAY_MS);
    steady_look(&steady, ahead + 8 * DAY_MS, 8 * DAY_MS);
    assert_int_equal(steady_old_ms(&steady, ahead + 8 * DAY_MS, 8 * DAY_MS), ahead + 8 * DAY_MS);
    steady_look(&steady, NOW_MS, 8 * DAY_MS);
    assert_int_equal(steady_old_ms(&steady, NOW_MS, 8 * DAY_MS), NOW_MS);
    steady_end(&steady);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_jump_does_not_touch_it),
        cmocka_unit_test(test_it_goes_on_in_the_same_boot),
        cmocka_unit_test(test_another_boot),
        cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_what_is_old),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
