/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where three finder patterns lie as in a code the search goes on, whatever their size and place; white,
   noise, stripes and fewer than three save it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open/finder_pattern.h"

enum { MODULES = 21, PATTERN = 7, QUIET = 4 };

/* ISO/IEC 18004: dark, light, dark squares of 7, 5 and 3 modules in one another. */
static void pattern_draw(struct bitmap *bitmap, uint32_t x, uint32_t y, uint32_t module)
{
    bitmap_fill(bitmap, x, y, PATTERN * module, PATTERN * module, 0);
    bitmap_fill(bitmap, x + module, y + module, 5 * module, 5 * module, 255);
    bitmap_fill(bitmap, x + 2 * module, y + 2 * module, 3 * module, 3 * module, 0);
}

/* The first `patterns` of the upper left, upper right and lower left ones of a code at (x, y). */
static void code_draw(struct bitmap *bitmap, uint32_t x, uint32_t y, uint32_t module, unsigned patterns)
{
    const uint32_t far = (MODULES - PATTERN) * module, places[3][2] = { { 0, 0 }, { far, 0 }, { 0, far } };
    for (unsigned i = 0; i < patterns; i++) pattern_draw(bitmap, x + places[i][0], y + places[i][1], module);
}

static bool may_be(uint32_t side, uint32_t x, uint32_t y, uint32_t module, unsigned patterns)
{
    struct bitmap bitmap;
    assert_true(bitmap_new(&bitmap, side, side));
    code_draw(&bitmap, x, y, module, patterns);
    bool may = finder_pattern_may_be(&bitmap, 1);
    bitmap_free(&bitmap);
    return may;
}

static void test_codes(void **state)
{
    for (uint32_t module = 2; module <= 20; module++) {
        uint32_t side = (MODULES + 2 * QUIET) * module;
        for (uint32_t offset = 0; offset < 3; offset++)
            if (!may_be(side + offset, QUIET * module + offset, QUIET * module, module, 3))
                fail_msg("modules of %u pixels, %u off: no code", module, offset);
    }
}

static void test_codes_on_a_page(void **state)
{
    static const uint32_t places[][2] = { { 10, 10 }, { 701, 1002 }, { 40, 1101 }, { 803, 55 } };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (uint32_t module = 2; module <= 5; module++)
            if (!may_be(1240, places[i][0], places[i][1], module, 3))
                fail_msg("at %u, %u, modules of %u pixels: no code", places[i][0], places[i][1], module);
}

static void test_no_codes(void **state)
{
    for (unsigned patterns = 0; patterns < 3; patterns++) assert_false(may_be(600, 50, 50, 8, patterns));
}

static void test_stripes(void **state)
{
    struct bitmap bitmap;
    assert_true(bitmap_new(&bitmap, 600, 600));
    for (uint32_t x = 0; x < 600; x += 20) bitmap_fill(&bitmap, x, 0, 10, 600, 0);
    assert_false(finder_pattern_may_be(&bitmap, 1));
    bitmap_free(&bitmap);
}

static void test_smallest(void **state)
{
    struct bitmap bitmap;
    for (uint32_t width = 1; width < 4; width++)
        for (uint32_t height = 1; height < 4; height++) {
            assert_true(bitmap_new(&bitmap, width, height));
            assert_false(finder_pattern_may_be(&bitmap, 1));
            bitmap_free(&bitmap);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_codes), cmocka_unit_test(test_codes_on_a_page),
                                        cmocka_unit_test(test_no_codes), cmocka_unit_test(test_stripes),
                                        cmocka_unit_test(test_smallest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
