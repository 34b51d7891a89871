/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts of strangers on a terminal: nothing acts, nothing is wider than it may be, no character is cut in
 * half. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/plain.h"

static const struct {
    struct text text;
    size_t most;
    const char *wanted;
    size_t columns;
} rows[] = {
    { TEXT("hello"), 0, "hello", 5 },
    { TEXT(""), 10, "", 0 },
    { TEXT("hello"), 5, "hello", 5 },
    { TEXT("hello!"), 5, "hell…", 5 },
    { TEXT("a\r\nb\tc"), 0, "a\\u{d}\\nb\\tc", 12 },
    { TEXT("\x1b[31mred\x07"), 0, "\\u{1b}[31mred\\u{7}", 18 },
    { TEXT("back\\slash"), 0, "back\\\\slash", 11 },
    { TEXT("\xc2\x9b"), 0, "\\u{9b}", 6 }, /* C1 */
    { TEXT("a\xe2\x80\xae"
           "b"),
      0, "a\\u{202e}b", 10 }, /* right to left override */
    { TEXT("\xef\xbb\xbf"), 0, "\\u{feff}", 8 },
    { TEXT("bad \xff\xfe end"), 0, "bad \\xff\\xfe end", 16 },
    { TEXT("\xc0\x80"), 0, "\\xc0\\x80", 8 }, /* overlong */
    { TEXT("<b>&amp;"), 0, "<b>&amp;", 8 },
    { TEXT("請求書"), 0, "請求書", 6 },
    { TEXT("請求書"), 5, "請求…", 5 },
    { TEXT("請求書"), 4, "請…", 3 }, /* no half of a wide one */
    { TEXT("e\xcc\x81"), 0, "e\xcc\x81", 1 },
    { TEXT("ab\0cd"), 0, "ab\\u{0}cd", 9 },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        size_t columns = plain_add(&out, rows[i].text, rows[i].most);
        buffer_add_char(&out, '\0');
        if (strcmp(buffer_text(&out).at, rows[i].wanted) != 0 || columns != rows[i].columns)
            fail_msg("row %zu: \"%s\", %zu columns", i, buffer_text(&out).at, columns);
        buffer_free(&out);
    }
}

/* Whatever the bytes and the limit, the result is printable UTF-8 of at most so many columns. */
static void test_any_bytes(void **state)
{
    char bytes[64];
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((random = random * 1664525 + 1013904223) >> 24);
        struct buffer out = { 0 };
        size_t most = 1 + (random >> 8) % 40;
        assert_in_range(plain_add(&out, text_from(bytes, sizeof bytes), most), 0, most);
        struct text text = buffer_text(&out);
        for (size_t i = 0; i < text.length; i++)
            assert_true((uint8_t)text.at[i] >= 0x20 && text.at[i] != 0x7F);
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_any_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
