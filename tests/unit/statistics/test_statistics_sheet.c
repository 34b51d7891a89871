/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables of figures: what a sender wrote comes out of every renderer escaped and cut. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/plain.h"
#include "base/utf8.h"
#include "statistics/sheet.h"

static void plain_rows(void **state)
{
    static const struct {
        struct text text;
        size_t most;
        const char *is;
    } rows[] = {
        { TEXT("plain"), 10, "plain" },
        { TEXT("a\r\nBcc: x"), 40, "a\\u{d}\\nBcc: x" },
        { TEXT("nul\0inside"), 40, "nul\\u{0}inside" },
        { TEXT("\xff\xfe"), 40, "\\xff\\xfe" },
        { TEXT("back\\slash"), 40, "back\\\\slash" },
        { TEXT("turn \xe2\x80\xae around"), 40, "turn \\u{202e} around" },
        { TEXT("\xc2\x85"), 40, "\\u{85}" },
        { TEXT("件名です"), 8, "件名です" },
        { TEXT("件名ですよ"), 8, "件名で…" },
        { TEXT("abcdef"), 4, "abc…" },
        { TEXT("ab\x01"), 4, "ab…" },
        { TEXT("\xe3\x81"), 40, "\\xe3\\x81" },
        { TEXT("\x1b[31m"), 40, "\\u{1b}[31m" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        plain_add(&out, rows[i].text, rows[i].most);
        buffer_add_char(&out, '\0');
        assert_string_equal(buffer_text(&out).at, rows[i].is);
        assert_true(plain_width(text_of(rows[i].is)) <= rows[i].most);
        buffer_free(&out);
    }
    assert_int_equal(plain_width(TEXT("ウイルス")), 8);
}

static void sixty_four_kilobytes_are_cut(void **state)
{
    char *many = malloc(65536);
    for (size_t i = 0; i < 65536; i++) many[i] = (char)(i * 7);
    struct buffer out = { 0 };
    plain_add(&out, text_from(many, 65536), 60);
    assert_true(buffer_length(&out) <= 64);
    assert_true(utf8_is_valid(buffer_text(&out)));
    buffer_free(&out);
    free(many);
}

static const struct sheet_column columns[] = { { "Name", SHEET_TEXT },
                                               { "Per minute", SHEET_RATE },
                                               { "Messages", SHEET_COUNT },
                                               { "Share", SHEET_SHARE } };

static struct sheet *sheet_of(struct arena *arena, struct text name)
{
    struct sheet *sheet = sheet_new(arena, "Title", "messages", columns, 4);
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, name);
    sheet_put_number(sheet, 1, 155.92);
    sheet_put_number(sheet, 2, 1234567);
    sheet_put_number(sheet, 3, NAN);
    return sheet;
}

static void assert_printed(struct buffer *out, const char *is)
{
    buffer_add_char(out, '\0');
    assert_string_equal(buffer_text(out).at, is);
    buffer_clear(out);
}

static void csv_has_no_formulas(void **state)
{
    static const struct {
        struct text name;
        const char *field;
    } rows[] = {
        { TEXT("W32/Netsky.P"), "\"W32/Netsky.P\"" },
        { TEXT("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"" },
        { TEXT("+1"), "\"'+1\"" },
        { TEXT("-1"), "\"'-1\"" },
        { TEXT("@SUM(A1)"), "\"'@SUM(A1)\"" },
        { TEXT("\t=1"), "\"'\\t=1\"" },
        { TEXT("＝1"), "\"'＝1\"" },
        { TEXT("a\"b,c\r\nd"), "\"a\"\"b,c\\u{d}\\nd\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(0);
        struct buffer out = { 0 };
        char line[200];
        sheet_print_csv(sheet_of(arena, rows[i].name), &out);
        snprintf(line, sizeof line,
                 "name,per_minute,messages,share,unit,table\r\n%s,155.92,1234567,,\"messages\",\"Title\"\r\n",
                 rows[i].field);
        assert_printed(&out, line);
        buffer_free(&out);
        arena_free(arena);
    }
}

static void every_form(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 };
    struct sheet *sheet = sheet_of(arena, TEXT("<b>&\"件名\n"));
    sheet_print_text(sheet, NULL, &out);
    assert_printed(&out, "Title (messages)\n"
                         "Name         Per minute   Messages  Share\n"
                         "-----------------------------------------\n"
                         "<b>&\"件名\\n      155.92  1,234,567      -\n");
    sheet_print_json(sheet, &out);
    assert_printed(&out,
                   "{\"title\":\"Title\",\"unit\":\"messages\",\"rows\":[{\"name\":\"<b>&\\\"件名\\\\n\","
                   "\"per_minute\":155.92,\"messages\":1234567,\"share\":null}]}\n");
    sheet_print_html(sheet, NULL, &out);
    struct text html = buffer_text(&out);
    assert_true(text_find(html, TEXT("&lt;b&gt;&amp;&quot;件名\\n</td>")) < html.length);
    assert_true(text_find(html, TEXT("<b>")) == html.length);
    buffer_free(&out);
    arena_free(arena);
}

static const char *loud(const char *english)
{
    return *english == 'T' ? "題" : english;
}

static void words_are_translated_and_sums_set_apart(void **state)
{
    static const struct wording wording = { loud };
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 };
    struct sheet *sheet = sheet_new(arena, "Title", NULL, columns, 1);
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, "Total");
    sheet->last->is_sum = true;
    sheet_print_text(sheet, &wording, &out);
    assert_printed(&out, "題\nName\n----\nNothing in this time.\n"); /* a sum of nothing says little */
    sheet = sheet_new(arena, "Title", NULL, columns, 1);
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, "A");
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, "Total");
    sheet->last->is_sum = true;
    buffer_clear(&out);
    sheet_print_text(sheet, &wording, &out);
    assert_printed(&out, "題\nName\n----\nA\n----\n題\n");
    buffer_free(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_rows),
        cmocka_unit_test(sixty_four_kilobytes_are_cut),
        cmocka_unit_test(csv_has_no_formulas),
        cmocka_unit_test(every_form),
        cmocka_unit_test(words_are_translated_and_sums_set_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
