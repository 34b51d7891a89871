/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: the report names the entries that decided most on its day, and those that decide nothing any more;
   lines that are none of ours are no matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/daily/entry_sheets.h"

static const char file[] =
    "next 9\n"
    "block 1 1700000000000 0 9 1796119200000 a.test * root - \nuses 1 20261201 3 6\n"
    "nonsense\n\xff\n"
    "block 2 1700000000000 0 7 1796119200000 * * root subject=*bill* - \nuses 2 20261130 7 0\n"
    "allow 3 1700000000000 0 0 0 old.test boss@on.test root - \n"
    "allow 4 1796119200000 0 0 0 new.test * root - \n"
    "block 5 1700000000000 0 1 1700000000001 192.0.2.0/24 * root - \nuses 4 20261130 99 0\n";

static void sheets(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct entry_sheets made;
    struct buffer out = { 0 };
    entry_sheets_make(arena, text_of(file), (struct period){ .from_day = 20261130, .until_day = 20261130 },
                      UINT64_C(1796119200000), &made);
    sheet_print_csv(made.used, &out);
    size_t first = text_find(buffer_text(&out), TEXT("\"block 2: Subject '*bill*'\",\"everybody\",7,")),
           second = text_find(buffer_text(&out), TEXT("\"block 1: a.test\",\"everybody\",6,"));
    assert_true(first < second && second < buffer_length(&out) && made.used->row_count == 2);
    buffer_clear(&out);
    sheet_print_csv(made.unused, &out);
    assert_int_equal(made.unused->row_count, 2);
    assert_true(text_find(buffer_text(&out), TEXT("\"allow 3: old.test\",\"boss@on.test\",")) <
                buffer_length(&out));
    entry_sheets_make(arena, text_of(file), (struct period){ .from_day = 20261101, .until_day = 20261130 }, 0,
                      &made);
    assert_true(made.used == NULL && made.unused == NULL);
    buffer_free(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sheets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
