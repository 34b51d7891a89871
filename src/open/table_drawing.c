/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables that are open lie one behind the other in one run of cells, as they do in the text. Widths and
   heights count where each cell of a table says its own; else a cell is as wide as the columns that it spans.
 */
#include "open/table_drawing.h"

#include "base/arena.h"
#include "mail/html_tags.h"

#include <stdlib.h>

enum { UNIT = 6, MARGIN = 4 * UNIT, SPAN_MOST = 200, PIXELS_MOST = 1000, SIDE_MOST = 2000, DARK_BELOW = 128 };

struct cell {
    uint8_t grey;
    bool is_first; /* of a line */
    uint16_t span;
    uint16_t width, height; /* pixels as stated; 0: not */
};

struct table {
    uint32_t first; /* cell */
    uint32_t lines;
    uint8_t grey, line_grey; /* what a cell has that says nothing */
    uint16_t line_height;
    bool is_line_begun; /* the next cell is the first of a line */
};

struct tables {
    struct cell *cells;
    uint32_t cell_count, depth, too_deep, given;
    struct table open[TABLE_DEPTH_MOST];
    bool (*on_drawing)(void *context, const struct bitmap *bitmap);
    void *context;
    bool is_over;
};

/* --- colours and sizes --- */

static uint8_t luma(uint32_t red, uint32_t green, uint32_t blue)
{
    return (uint8_t)((red * 77 + green * 150 + blue * 29) / 256);
}

static bool hex_grey(struct text digits, uint8_t *out)
{
    uint32_t one[6];
    if (digits.length != 3 && digits.length != 6) return false;
    for (size_t i = 0; i < digits.length; i++) {
        int value = char_hex_value(char_lower(digits.at[i]));
        if (value < 0) return false;
        one[i] = (uint32_t)value;
    }
    *out = digits.length == 3 ? luma(one[0] * 17, one[1] * 17, one[2] * 17)
                              : luma(one[0] * 16 + one[1], one[2] * 16 + one[3], one[4] * 16 + one[5]);
    return true;
}

/* The next number in *rest, at most `most`; false: there is none. */
static bool number_next(struct text *rest, uint32_t most, uint32_t *out)
{
    size_t at = 0;
    while (at < rest->length && !char_is_digit(rest->at[at])) at++;
    if (at == rest->length) return false;
    for (*out = 0; at < rest->length && char_is_digit(rest->at[at]); at++) {
        *out = *out * 10 + (uint32_t)(rest->at[at] - '0');
        if (*out > most) *out = most;
    }
    *rest = text_slice(*rest, at, rest->length);
    return true;
}

static bool rgb_grey(struct text colour, uint8_t *out)
{
    uint32_t red, green, blue;
    if (!text_starts_nocase(colour, TEXT("rgb"))) return false;
    if (!number_next(&colour, 255, &red) || !number_next(&colour, 255, &green) ||
        !number_next(&colour, 255, &blue))
        return false;
    *out = luma(red, green, blue);
    return true;
}

static bool named_grey(struct text colour, uint8_t *out)
{
    static const char *const dark[] = { "black", "navy",       "maroon",    "purple", "green",   "blue",
                                        "teal",  "dark",       "midnight",  "indigo", "dimgray", "dimgrey",
                                        "brown", "mediumblue", "slategray", "red" };
    for (size_t i = 0; i < sizeof dark / sizeof *dark; i++)
        if (text_starts_nocase(colour, text_of(dark[i]))) return *out = 0, true;
    return false;
}

uint8_t table_drawing_grey(struct text colour)
{
    uint8_t grey = 255;
    colour = text_trim(colour);
    bool has_mark = text_starts(colour, TEXT("#"));
    struct text digits = text_slice(colour, has_mark ? 1 : 0, colour.length);
    size_t end = 0;
    while (end < digits.length && char_hex_value(char_lower(digits.at[end])) >= 0) end++;
    if (hex_grey(text_slice(digits, 0, end), &grey) && (has_mark || end == digits.length)) return grey;
    grey = 255;
    if (!rgb_grey(colour, &grey)) named_grey(colour, &grey);
    return grey;
}

/* The value of a property of a style; false: it has none of that name. */
static bool style_value(struct text style, struct text name, struct text *out)
{
    while (style.length > 0) {
        size_t end = text_find_char(style, ';');
        struct text one = text_slice(style, 0, end);
        size_t colon = text_find_char(one, ':');
        if (colon < one.length && text_equal_nocase(text_trim(text_slice(one, 0, colon)), name)) {
            *out = text_trim(text_slice(one, colon + 1, one.length));
            return true;
        }
        style = text_slice(style, end + 1, style.length);
    }
    return false;
}

static uint8_t grey_of(struct text inside, uint8_t otherwise)
{
    struct text style, value;
    if (html_attribute(inside, TEXT("style"), &style) &&
        (style_value(style, TEXT("background-color"), &value) ||
         style_value(style, TEXT("background"), &value)))
        return table_drawing_grey(value);
    return html_attribute(inside, TEXT("bgcolor"), &value) ? table_drawing_grey(value) : otherwise;
}

static uint16_t pixels_of(struct text inside, struct text name)
{
    struct text style, value;
    uint32_t pixels;
    bool is_said = html_attribute(inside, TEXT("style"), &style) && style_value(style, name, &value);
    if (!is_said && !html_attribute(inside, name, &value)) return 0;
    if (text_find_char(value, '%') < value.length || text_find(value, TEXT("em")) < value.length) return 0;
    return number_next(&value, PIXELS_MOST, &pixels) ? (uint16_t)pixels : 0;
}

static uint16_t span_of(struct text inside)
{
    struct text value;
    uint32_t span;
    if (!html_attribute(inside, TEXT("colspan"), &value) || !number_next(&value, SPAN_MOST, &span))
        return 1;
    return span > 0 ? (uint16_t)span : 1;
}

/* --- drawing --- */

struct layout {
    uint32_t first, end; /* cells */
    bool by_width, by_height;
    uint32_t width, height, dark;
};

static uint32_t width_in(const struct layout *layout, const struct cell *cell)
{
    return layout->by_width ? cell->width : (uint32_t)cell->span * UNIT;
}

static uint32_t height_in(const struct layout *layout, const struct cell *cell)
{
    return layout->by_height ? cell->height : UNIT;
}

static void layout_measure(const struct tables *tables, struct layout *layout)
{
    uint32_t x = 0;
    layout->by_width = layout->by_height = true;
    for (uint32_t i = layout->first; i < layout->end; i++) {
        const struct cell *cell = &tables->cells[i];
        if (cell->width == 0) layout->by_width = false;
        if (cell->is_first && cell->height == 0) layout->by_height = false;
    }
    for (uint32_t i = layout->first; i < layout->end; i++) {
        const struct cell *cell = &tables->cells[i];
        x = (cell->is_first ? 0 : x) + width_in(layout, cell);
        if (cell->is_first) layout->height += height_in(layout, cell);
        if (x > layout->width) layout->width = x;
        if (cell->grey < DARK_BELOW) layout->dark++;
    }
}

static bool draw(const struct tables *tables, const struct layout *layout, struct bitmap *out)
{
    uint32_t x = 0, y = 0, height = 0;
    if (layout->width > SIDE_MOST || layout->height > SIDE_MOST) return false;
    if (!bitmap_new(out, layout->width + 2 * MARGIN, layout->height + 2 * MARGIN)) return false;
    for (uint32_t i = layout->first; i < layout->end; i++) {
        const struct cell *cell = &tables->cells[i];
        uint32_t width = width_in(layout, cell);
        if (cell->is_first) {
            y += height;
            height = height_in(layout, cell);
            x = 0;
        }
        bitmap_fill(out, MARGIN + x, MARGIN + y, width, height, cell->grey);
        x += width;
    }
    return true;
}

static void table_give(struct tables *tables, const struct table *table)
{
    struct layout layout = { .first = table->first, .end = tables->cell_count };
    struct bitmap bitmap;
    if (table->lines < TABLE_LINES_LEAST || tables->is_over) return;
    layout_measure(tables, &layout);
    if (layout.dark < TABLE_LINES_LEAST || !draw(tables, &layout, &bitmap)) return;
    tables->is_over = !tables->on_drawing(tables->context, &bitmap) || ++tables->given == TABLES_MOST;
    bitmap_free(&bitmap);
}

/* --- tags --- */

static void table_begin(struct tables *tables, struct text inside)
{
    if (tables->depth == TABLE_DEPTH_MOST) {
        tables->too_deep++;
        return;
    }
    uint8_t grey = grey_of(inside, 255);
    tables->open[tables->depth++] =
        (struct table){ .first = tables->cell_count, .grey = grey, .line_grey = grey, .is_line_begun = true };
}

static void table_end(struct tables *tables)
{
    if (tables->too_deep > 0) {
        tables->too_deep--;
    } else if (tables->depth > 0) {
        const struct table *table = &tables->open[--tables->depth];
        table_give(tables, table);
        tables->cell_count = table->first;
    }
}

static void line_begin(struct table *table, struct text inside)
{
    table->line_grey = grey_of(inside, table->grey);
    table->line_height = pixels_of(inside, TEXT("height"));
    table->is_line_begun = true;
}

static void cell_add(struct tables *tables, struct table *table, struct text inside)
{
    if (tables->cell_count == TABLE_CELLS_MOST) return;
    if (table->is_line_begun && table->lines == TABLE_LINES_MOST) return;
    uint16_t height = pixels_of(inside, TEXT("height"));
    tables->cells[tables->cell_count++] = (struct cell){
        .grey = grey_of(inside, table->line_grey),
        .is_first = table->is_line_begun,
        .span = span_of(inside),
        .width = pixels_of(inside, TEXT("width")),
        .height = height ? height : table->line_height,
    };
    table->lines += table->is_line_begun;
    table->is_line_begun = false;
}

static void tag_take(struct tables *tables, const struct html_piece *tag)
{
    struct table *table = tables->depth ? &tables->open[tables->depth - 1] : NULL;
    if (html_is(tag, TEXT("table"))) {
        if (tag->is_end)
            table_end(tables);
        else
            table_begin(tables, tag->inside);
        return;
    }
    if (!table || tables->too_deep || tag->is_end) return;
    if (html_is(tag, TEXT("tr"))) line_begin(table, tag->inside);
    if (html_is(tag, TEXT("td")) || html_is(tag, TEXT("th"))) cell_add(tables, table, tag->inside);
}

void table_drawing_find(struct text html, bool (*on_drawing)(void *context, const struct bitmap *bitmap),
                        void *context)
{
    struct tables tables = { .cells = memory_alloc(TABLE_CELLS_MOST * sizeof *tables.cells),
                             .on_drawing = on_drawing,
                             .context = context };
    struct html_piece tag;
    while (!tables.is_over && html_next(&html, &tag))
        if (tag.is_tag) tag_take(&tables, &tag);
    tables.too_deep = 0;
    while (tables.depth > 0) table_end(&tables);
    free(tables.cells);
}
