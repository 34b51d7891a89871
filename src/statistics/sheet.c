/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tables of figures and what all their renderers share. */
#include "statistics/sheet.h"

#include <math.h>
#include <stdio.h>

#include "base/date.h"

struct sheet *sheet_new(struct arena *arena, const char *title, const char *unit,
                        const struct sheet_column *columns, size_t column_count)
{
    struct sheet *sheet = arena_alloc(arena, sizeof *sheet);
    *sheet = (struct sheet){
        .arena = arena, .title = title, .unit = unit, .columns = columns, .column_count = column_count
    };
    return sheet;
}

struct sheet_row *sheet_add_row(struct sheet *sheet)
{
    struct sheet_row *row = arena_alloc(sheet->arena, sizeof *row);
    row->cells = arena_alloc_array(sheet->arena, sheet->column_count, sizeof *row->cells);
    if (sheet->last)
        sheet->last->next = row;
    else
        sheet->rows = row;
    sheet->last = row;
    sheet->row_count++;
    return row;
}

bool sheet_is_empty(const struct sheet *sheet)
{
    for (const struct sheet_row *row = sheet->rows; row; row = row->next)
        if (!row->is_sum) return false;
    return true;
}

void sheet_put_number(struct sheet *sheet, size_t column, double number)
{
    if (isfinite(number))
        sheet->last->cells[column] = (struct sheet_cell){ .state = CELL_NUMBER, .number = number };
}

void sheet_put_text(struct sheet *sheet, size_t column, struct text foreign)
{
    sheet->last->cells[column] =
        (struct sheet_cell){ .state = CELL_FOREIGN, .text = arena_text(sheet->arena, foreign) };
}

void sheet_put_moment(struct sheet *sheet, size_t column, uint64_t ms)
{
    char room[DATE_SIZE];
    sheet_put_text(sheet, column, text_of(date_print_clock(ms, room)));
}

void sheet_put_word(struct sheet *sheet, size_t column, const char *english)
{
    sheet->last->cells[column] = (struct sheet_cell){ .state = CELL_WORD, .text = text_of(english) };
}

const char *wording_say(const struct wording *wording, const char *english)
{
    return wording && wording->say ? wording->say(english) : english;
}

/* 1234567 as 1,234,567. */
static void thousands_print(double number, struct buffer *out)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", number);
    for (int i = 0; i < length; i++) {
        buffer_add_char(out, digits[i]);
        if (char_is_digit(digits[i]) && i + 1 < length && (length - i - 1) % 3 == 0)
            buffer_add_char(out, ',');
    }
}

void sheet_number_print(enum sheet_kind kind, double number, struct buffer *out)
{
    if (kind == SHEET_SHARE)
        buffer_printf(out, "%.1f %%", number);
    else if (kind == SHEET_CHANGE)
        buffer_printf(out, "%+.1f %%", number);
    else if (kind == SHEET_RATE)
        buffer_printf(out, "%.2f", number);
    else
        thousands_print(number, out);
}
