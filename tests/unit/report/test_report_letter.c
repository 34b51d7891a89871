/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What an document becomes: a page, a text, a letter; its words and its charts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "report/daily/chart.h"
#include "report/daily/report_document.h"
#include "report/notice.h"

static bool has(const struct buffer *buffer, const char *needle)
{
    struct text text = buffer_text(buffer);
    return text_find(text, text_of(needle)) < text.length;
}

static const struct sheet_column columns[] = { { "Virus", SHEET_TEXT }, { "Messages", SHEET_COUNT } };

/* With a name and a line that try to break out of everything. */
static struct report_document *hostile_document(enum language language)
{
    struct report_document *document = report_document_new(language);
    document->hostname = TEXT("mx.example.jp");
    document->period = period_of(PERIOD_DAY, 20261125);
    document->made_ms = UINT64_C(1795564800000);
    document->headlines[0] = (struct document_headline){ "Received", "messages", 7012, 1.5, -3 };
    for (int i = 1; i < REPORT_DOCUMENT_HEADLINES; i++)
        document->headlines[i] = (struct document_headline){ "Viruses", "messages", 12, 0.0 / 0.0, 0 };
    struct sheet *sheet = sheet_new(document->arena, "Viruses", "messages", columns, 2);
    sheet_add_row(sheet);
    sheet_put_text(sheet, 0, TEXT("<script>alert(1)</script>\r\n.\r\n\xff\x1b[2J"));
    sheet_put_number(sheet, 1, 3);
    struct document_block *block = report_document_add(document, "Viruses");
    block->kind = BLOCK_SHEET;
    block->sheet = sheet;
    block = report_document_add(document, "Changes of the configuration");
    report_document_add_line(document, block, true, TEXT("+ <img src=x>\r\n--alternative_ID--\r\n"));
    block = report_document_add(document, "Mail received by hour (messages)");
    block->kind = BLOCK_PICTURE;
    block->picture_name = "hours";
    block->png = TEXT("\x89PNG stands here");
    return document;
}

static void nothing_foreign_gets_out(void **state)
{
    for (int language = LANGUAGE_EN; language <= LANGUAGE_JA; language++) {
        struct report_document *document = hostile_document((enum language)language);
        struct buffer html = { 0 }, text = { 0 };
        report_document_print_html(document, false, &html);
        report_document_print_text(document, &text);
        assert_false(has(&html, "<script"));
        assert_false(has(&html, "<img src=x"));
        assert_true(has(&html, "&lt;img src=x&gt;\\u{d}\\n"));
        assert_true(has(&html, "src=\"data:image/png;base64,"));
        assert_false(has(&html, "http"));
        assert_true(has(&text, "<script>alert(1)</script>\\u{d}\\n.\\u{d}\\n\\xff\\u{1b}[2J"));
        for (size_t i = 0; i < buffer_length(&text); i++)
            assert_true((unsigned char)buffer_text(&text).at[i] >= 0x20 || buffer_text(&text).at[i] == '\n');
        assert_true(utf8_is_valid(buffer_text(&html)) && utf8_is_valid(buffer_text(&text)));
        buffer_free(&html);
        buffer_free(&text);
        report_document_free(document);
    }
}

static void a_letter_is_well_formed(void **state)
{
    struct report_document *document = hostile_document(LANGUAGE_JA);
    struct buffer out = { 0 };
    report_document_print_letter(document, TEXT("postmaster@example.jp"), TEXT("boss@example.jp"), TEXT("ID"),
                                 &out);
    struct text rest = buffer_text(&out), line;
    while (text_next_line(&rest, &line)) assert_true(line.length <= 78);
    for (size_t i = 0; i < buffer_length(&out); i++) {
        assert_true((unsigned char)buffer_text(&out).at[i] < 0x80);
        if (buffer_text(&out).at[i] == '\n') assert_int_equal(buffer_text(&out).at[i - 1], '\r');
    }
    static const char *const wanted[] = {
        "From: Sekimori <postmaster@example.jp>\r\nTo: <boss@example.jp>\r\n",
        "Subject: mx.example.jp\r\n =?UTF-8?B?",
        "Message-ID: <ID@mx.example.jp>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-ID: <hours@sekimori>\r\n",
        "--related_ID--\r\n--alternative_ID--\r\n"
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) assert_true(has(&out, wanted[i]));
    buffer_free(&out);
    report_document_free(document);
}

static void words_in_both_languages(void **state)
{
    assert_string_equal(words_say(LANGUAGE_JA, "Viruses"), "ウイルス");
    assert_string_equal(words_say(LANGUAGE_EN, "Viruses"), "Viruses");
    assert_string_equal(words_say(LANGUAGE_JA, "not in the catalogue"), "not in the catalogue");
    assert_string_equal(words_say(LANGUAGE_JA, ""), "");
    struct buffer day = { 0 };
    words_add_day(&day, LANGUAGE_JA, 20261125);
    words_add_day(&day, LANGUAGE_EN, 20261125);
    assert_true(has(&day, "2026年11月25日（水）2026-11-25 (Wed)"));
    buffer_free(&day);
}

/* Cut or garbled at any place it answers nothing or a text, and reads nothing outside. */
static void a_broken_catalogue_says_nothing(void **state)
{
    unsigned char bytes[48] = { 0xde, 0x12, 0x04, 0x95, 0, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 36, 0, 0, 0 };
    bytes[28] = 1, bytes[32] = 44, bytes[36] = 1, bytes[40] = 46, bytes[44] = 'a', bytes[46] = 'b';
    assert_string_equal(catalogue_say(text_from((char *)bytes, 48), "a"), "b");
    assert_null(catalogue_say(text_from((char *)bytes, 48), "c"));
    for (size_t length = 0; length < 47; length++) {
        char *copy = malloc(length ? length : 1);
        memcpy(copy, bytes, length);
        assert_null(catalogue_say(text_from(copy, length), "a"));
        free(copy);
    }
    for (size_t at = 8; at < 44; at++) {
        char *copy = malloc(48);
        memcpy(copy, bytes, 48);
        copy[at] = (char)0xff;
        const char *said = catalogue_say(text_from(copy, 48), "a");
        assert_true(!said || strlen(said) < 48);
        free(copy);
    }
}

static void axes_have_round_steps(void **state)
{
    static const struct {
        double most, step;
    } rows[] = { { 1, 1 },   { 5, 1 },    { 6, 2 },       { 11, 5 },
                 { 26, 10 }, { 101, 25 }, { 4105, 1000 }, { 7000, 2000 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(chart_step(rows[i].most, 5) == rows[i].step);
}

static void a_chart_is_a_picture(void **state)
{
    static const double few[] = { 1, 2, 3 }, none[] = { 0, 0, 0 };
    static const char *const labels[] = { "月", NULL, "水" };
    struct chart chart = {
        .points = 3, .labels = labels, .series_count = 1, .series = { { "受信", 0x3b6ea8, few } }
    };
    struct buffer png = { 0 }, empty = { 0 };
    assert_true(chart_draw(&chart, &png));
    assert_memory_equal(buffer_text(&png).at, "\x89PNG\r\n\x1a\n", 8);
    const unsigned char *head = (const unsigned char *)buffer_text(&png).at;
    assert_int_equal(head[18] << 8 | head[19], 2 * CHART_WIDTH);
    assert_int_equal(head[22] << 8 | head[23], 2 * CHART_HEIGHT);
    chart.series[0].values = none;
    assert_true(chart_draw(&chart, &empty));
    assert_false(text_equal(buffer_text(&png), buffer_text(&empty)));
    buffer_free(&png);
    buffer_free(&empty);
}

static void an_alarm_is_a_mail(void **state)
{
    struct notice notice = { TEXT("postmaster@example.jp"),
                             TEXT("boss@example.jp"),
                             TEXT("mx.example.jp"),
                             TEXT("ID"),
                             TEXT("警報：ディスク\r\nBcc: x@example.org"),
                             0 };
    struct buffer out = { 0 };
    notice_print(&notice, TEXT("line\n"), &out);
    assert_true(has(&out, "\r\n\r\nbGluZQ0K\r\n"));
    assert_false(has(&out, "Bcc:"));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_foreign_gets_out), cmocka_unit_test(a_letter_is_well_formed),
        cmocka_unit_test(words_in_both_languages),  cmocka_unit_test(a_broken_catalogue_says_nothing),
        cmocka_unit_test(axes_have_round_steps),    cmocka_unit_test(a_chart_is_a_picture),
        cmocka_unit_test(an_alarm_is_a_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
