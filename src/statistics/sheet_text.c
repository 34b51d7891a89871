/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table in plain text: columns as wide as what stands in them, East Asian characters counted as two. */
#include <string.h>

#include "base/plain.h"
#include "statistics/sheet.h"

struct layout {
    const struct sheet *sheet;
    const struct wording *wording;
    struct buffer *out;
    size_t *widths;
};

static void cell_print(const struct layout *layout, size_t column, const struct sheet_cell *cell,
                       struct buffer *out)
{
    if (cell->state == CELL_NUMBER)
        sheet_number_print(layout->sheet->columns[column].kind, cell->number, out);
    else if (cell->state == CELL_WORD)
        buffer_add_text(out, text_of(wording_say(layout->wording, cell->text.at)));
    else if (cell->state == CELL_FOREIGN)
        plain_add(out, cell->text, SHEET_CELL_MOST);
    else
        buffer_add_char(out, '-');
}

static void blanks_add(struct buffer *out, size_t count)
{
    while (count-- > 0) buffer_add_char(out, ' ');
}

static void padded_add(const struct layout *layout, size_t column, struct text text)
{
    size_t room = layout->widths[column] - plain_width(text);
    bool is_left = layout->sheet->columns[column].kind == SHEET_TEXT;
    bool is_last = column + 1 == layout->sheet->column_count;
    blanks_add(layout->out, column ? 2 : 0);
    if (!is_left) blanks_add(layout->out, room);
    buffer_add_text(layout->out, text);
    if (is_left && !is_last) blanks_add(layout->out, room);
}

static void widths_find(const struct layout *layout)
{
    const struct sheet *sheet = layout->sheet;
    struct buffer cell = { 0 };
    for (size_t i = 0; i < sheet->column_count; i++) {
        layout->widths[i] = plain_width(text_of(wording_say(layout->wording, sheet->columns[i].title)));
        for (const struct sheet_row *row = sheet->rows; row; row = row->next) {
            buffer_clear(&cell);
            cell_print(layout, i, &row->cells[i], &cell);
            size_t width = plain_width(buffer_text(&cell));
            if (width > layout->widths[i]) layout->widths[i] = width;
        }
    }
    buffer_free(&cell);
}

static void rule_add(const struct layout *layout)
{
    size_t width = 0;
    for (size_t i = 0; i < layout->sheet->column_count; i++) width += layout->widths[i] + (i ? 2 : 0);
    while (width-- > 0) buffer_add_char(layout->out, '-');
    buffer_add_char(layout->out, '\n');
}

static void row_print(const struct layout *layout, const struct sheet_row *row)
{
    struct buffer cell = { 0 };
    if (row->is_sum) rule_add(layout);
    for (size_t i = 0; i < layout->sheet->column_count; i++) {
        buffer_clear(&cell);
        cell_print(layout, i, &row->cells[i], &cell);
        padded_add(layout, i, buffer_text(&cell));
    }
    buffer_add_char(layout->out, '\n');
    buffer_free(&cell);
}

void sheet_print_text(const struct sheet *sheet, const struct wording *wording, struct buffer *out)
{
    size_t *widths = arena_alloc_array(sheet->arena, sheet->column_count, sizeof *widths);
    struct layout layout = { sheet, wording, out, widths };
    buffer_printf(out, "%s", wording_say(wording, sheet->title));
    if (sheet->unit) buffer_printf(out, " (%s)", wording_say(wording, sheet->unit));
    buffer_add_char(out, '\n');
    widths_find(&layout);
    for (size_t i = 0; i < sheet->column_count; i++)
        padded_add(&layout, i, text_of(wording_say(wording, sheet->columns[i].title)));
    buffer_add_char(out, '\n');
    rule_add(&layout);
    bool is_empty = sheet_is_empty(sheet);
    for (const struct sheet_row *row = sheet->rows; row && !is_empty; row = row->next)
        row_print(&layout, row);
    if (is_empty) buffer_printf(out, "%s\n", wording_say(wording, N_("Nothing in this time.")));
    if (sheet->note) buffer_printf(out, "%s\n", wording_say(wording, sheet->note));
}
