/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is drawn with characters and with cells becomes the picture that it is; markup is read as programs
   that show it do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "open/block_drawing.h"
#include "mail/html_tags.h"
#include "open/table_drawing.h"

enum { MARGIN = 16, CELL = 4, TABLE_MARGIN = 24, TABLE_CELL = 6 };

struct seen {
    unsigned count;
    uint32_t width, height;
    unsigned dark[8]; /* of one column of pixels near the left, by character or cell from the top */
    uint32_t margin, cell, step;
};

static bool take(void *context, const struct bitmap *bitmap)
{
    struct seen *seen = context;
    seen->count++;
    seen->width = bitmap->width;
    seen->height = bitmap->height;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t y = seen->margin + i * seen->step + 1, x = seen->margin + 1;
        seen->dark[i] = y < bitmap->height && bitmap->grey[(size_t)y * bitmap->width + x] < 128;
    }
    return true;
}

static struct seen blocks_of(const char *first, unsigned lines)
{
    struct seen seen = { .margin = MARGIN, .step = CELL };
    struct buffer text = { 0 };
    buffer_add_text(&text, TEXT("Hello\r\n\r\n"));
    buffer_printf(&text, "%s\r\n", first);
    for (unsigned i = 1; i < lines; i++) buffer_add_text(&text, TEXT("████  █\r\n"));
    buffer_add_text(&text, TEXT("\r\nBye ████\n"));
    block_drawing_find(buffer_text(&text), take, &seen);
    buffer_free(&text);
    return seen;
}

static void characters(void **state)
{
    static const struct {
        const char *first;
        unsigned upper, lower;
    } rows[] = { { "████", 1, 1 },     { "▀▀▀▀", 1, 0 }, { "▄▄▄▄", 0, 1 },
                 { "####", 1, 1 },     { "■■■■", 1, 1 }, { "⬛️⬛⬛⬛", 1, 1 },
                 { " ████", 0, 0 },    { "▙▙▙▙", 1, 1 }, { "▗███ █", 0, 0 },
                 { "\xFF████", 0, 0 }, { "□████", 0, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = blocks_of(rows[i].first, 12);
        if (seen.count != 1 || seen.dark[0] != rows[i].upper || seen.dark[1] != rows[i].lower)
            fail_msg("row %zu: %u, %u %u", i, seen.count, seen.dark[0], seen.dark[1]);
        assert_int_equal(seen.width, 2 * MARGIN + 8 * CELL); /* the line with "Bye" is taken for one */
        assert_int_equal(seen.height, 2 * MARGIN + 13 * 2 * CELL);
    }
    assert_int_equal(blocks_of("████", DRAWING_LINES_LEAST - 2).count, 0);
}

static struct seen table_of(const char *cells, unsigned lines, const char *end)
{
    struct seen seen = { .margin = TABLE_MARGIN, .step = TABLE_CELL };
    struct buffer html = { 0 };
    buffer_add_text(&html, TEXT("<TABLE bgcolor=white><!-- <td> -->"));
    for (unsigned i = 0; i < lines; i++) buffer_printf(&html, "<tr>%s</tr>\n", cells);
    buffer_add_text(&html, text_of(end));
    table_drawing_find(buffer_text(&html), take, &seen);
    buffer_free(&html);
    return seen;
}

static void tables(void **state)
{
    static const struct {
        const char *cells;
        uint32_t width, dark;
    } rows[] = {
        { "<td bgcolor='#000000'><td>", 2 * TABLE_CELL, 1 },
        { "<td style=\"color:#fff; Background-Color : rgb(1, 2,3)\"></td><th></th>", 2 * TABLE_CELL, 1 },
        { "<td>x</td><td colspan=3 bgcolor=black>", 4 * TABLE_CELL, 0 },
        { "<td width=40 bgcolor=000></td><td style='width:8px'>", 48, 1 },
        { "<td width=40 bgcolor=navy></td><td width=50%>", 2 * TABLE_CELL, 1 },
        { "<td bgcolor=#111 colspan=999999>", 200 * TABLE_CELL, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = table_of(rows[i].cells, 12, "</table>");
        if (seen.count != 1 || seen.width != rows[i].width + 2 * TABLE_MARGIN || seen.dark[0] != rows[i].dark)
            fail_msg("row %zu: %u, %u wide, %u", i, seen.count, seen.width, seen.dark[0]);
        assert_int_equal(seen.height, 12 * TABLE_CELL + 2 * TABLE_MARGIN);
    }
    assert_int_equal(table_of("<td bgcolor=black><td>", 12, "").count, 1); /* to the end of all */
    assert_int_equal(table_of("<td bgcolor=black><td>", TABLE_LINES_LEAST - 1, "</table>").count, 0);
    assert_int_equal(table_of("<td><td>", 12, "</table>").count, 0); /* nothing is dark */
    assert_int_equal(table_of("<td colspan=200 bgcolor=black><td colspan=200>", 12, "</table>").count, 0);
}

static void colours(void **state)
{
    static const struct {
        const char *colour;
        uint8_t grey;
    } rows[] = { { "#fff", 255 },  { "#000", 0 },       { " #808080 ", 128 },   { "000000", 0 },
                 { "black", 0 },   { "DarkBlue", 0 },   { "transparent", 255 }, { "", 255 },
                 { "#12", 255 },   { "rgb(0,0,0)", 0 }, { "rgba(0 0 0)", 0 },   { "#000 url(x)", 0 },
                 { "beige", 255 }, { "face", 255 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (table_drawing_grey(text_of(rows[i].colour)) != rows[i].grey)
            fail_msg("%s: %u", rows[i].colour, table_drawing_grey(text_of(rows[i].colour)));
}

/* Tags in brackets, with the value of `a`. */
static void markups(void **state)
{
    static const struct {
        const char *html, *read;
    } rows[] = {
        { "x<b a=1>y</b>", "x[b 1]y[/b]" },
        { "<p\na = 'v w' b>1 < 2<br/>", "[p v w]1 < 2[br]" },
        { "<x a='>'>z", "[x >]z" },
        { "a<!-- <p> -->b<!doctype html><?xml?>c", "abc" },
        { "<script>if (a<b) x</script>y", "[script][/script]y" },
        { "<style>p{}</style", "[style][/style]" },
        { "<p a=\"never ends>x", "[p never ends>x]" },
        { "<!-- never ends <p>", "" },
        { "<3 <", "<3 <" },
        { "&lt;&nbsp;&#9608;&#x41;&block;&wrong;&", "<\xC2\xA0█A█&wrong;&" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer read = { 0 };
        struct html_piece one;
        struct text rest = text_of(rows[i].html), value;
        while (html_next(&rest, &one)) {
            if (!one.is_tag) html_decode(one.inside, &read);
            if (!one.is_tag) continue;
            buffer_printf(&read, "[%s%.*s", one.is_end ? "/" : "", TEXT_ARG(one.name));
            if (html_attribute(one.inside, TEXT("a"), &value))
                buffer_printf(&read, " %.*s", TEXT_ARG(value));
            buffer_add_char(&read, ']');
        }
        if (!text_equal(buffer_text(&read), text_of(rows[i].read)))
            fail_msg("row %zu: %.*s", i, TEXT_ARG(buffer_text(&read)));
        buffer_free(&read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters),
        cmocka_unit_test(tables),
        cmocka_unit_test(colours),
        cmocka_unit_test(markups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
