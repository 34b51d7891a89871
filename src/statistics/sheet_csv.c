/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table for other programs: CSV and JSON. */
#include "base/json_text.h"
#include "base/plain.h"
#include "statistics/sheet.h"

/* "per minute" as per_minute. */
static void key_add(struct buffer *out, const char *title)
{
    for (; *title; title++) buffer_add_char(out, *title == ' ' ? '_' : char_lower(*title));
}

/* What a spreadsheet takes for the beginning of a formula; the last four are the full-width forms, which
   Japanese ones take for it too. */
static bool is_formula(struct text text)
{
    static const char *const starts[] = { "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (text_starts(text, text_of(starts[i]))) return true;
    return false;
}

static void quoted_add(struct buffer *out, struct text foreign)
{
    struct buffer shown = { 0 };
    plain_add(&shown, foreign, SHEET_CELL_MOST);
    struct text text = buffer_text(&shown);
    buffer_add_char(out, '"');
    if (is_formula(foreign) || is_formula(text)) buffer_add_char(out, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '"') buffer_add_char(out, '"');
        buffer_add_char(out, text.at[i]);
    }
    buffer_add_char(out, '"');
    buffer_free(&shown);
}

static bool is_whole(enum sheet_kind kind)
{
    return kind == SHEET_COUNT;
}

static void number_add(struct buffer *out, enum sheet_kind kind, double number)
{
    buffer_printf(out, is_whole(kind) ? "%.0f" : "%.2f", number);
}

void sheet_print_csv(const struct sheet *sheet, struct buffer *out)
{
    for (size_t i = 0; i < sheet->column_count; i++) {
        if (i) buffer_add_char(out, ',');
        key_add(out, sheet->columns[i].title);
    }
    buffer_add_text(out, TEXT(",unit,table\r\n"));
    for (const struct sheet_row *row = sheet->rows; row; row = row->next) {
        for (size_t i = 0; i < sheet->column_count; i++) {
            if (i) buffer_add_char(out, ',');
            if (row->cells[i].state == CELL_NUMBER)
                number_add(out, sheet->columns[i].kind, row->cells[i].number);
            else if (row->cells[i].state != CELL_NONE)
                quoted_add(out, row->cells[i].text);
        }
        buffer_printf(out, ",\"%s\",\"%s\"\r\n", sheet->unit ? sheet->unit : "", sheet->title);
    }
}

static void json_cell_add(struct buffer *out, enum sheet_kind kind, const struct sheet_cell *cell)
{
    struct buffer shown = { 0 };
    if (cell->state == CELL_NUMBER) {
        number_add(out, kind, cell->number);
    } else if (cell->state == CELL_NONE) {
        buffer_add_text(out, TEXT("null"));
    } else {
        plain_add(&shown, cell->text, SHEET_CELL_MOST);
        json_text_add(out, buffer_text(&shown));
    }
    buffer_free(&shown);
}

static void json_row_add(const struct sheet *sheet, const struct sheet_row *row, struct buffer *out)
{
    buffer_add_char(out, '{');
    for (size_t i = 0; i < sheet->column_count; i++) {
        buffer_add_text(out, i ? TEXT(",\"") : TEXT("\""));
        key_add(out, sheet->columns[i].title);
        buffer_add_text(out, TEXT("\":"));
        json_cell_add(out, sheet->columns[i].kind, &row->cells[i]);
    }
    if (row->is_sum) buffer_add_text(out, TEXT(",\"is_sum\":true"));
    buffer_add_char(out, '}');
}

void sheet_print_json(const struct sheet *sheet, struct buffer *out)
{
    buffer_add_text(out, TEXT("{\"title\":"));
    json_text_add(out, text_of(sheet->title));
    buffer_add_text(out, TEXT(",\"unit\":"));
    json_text_add(out, text_of(sheet->unit ? sheet->unit : ""));
    buffer_add_text(out, TEXT(",\"rows\":["));
    for (const struct sheet_row *row = sheet->rows; row; row = row->next) {
        if (row != sheet->rows) buffer_add_char(out, ',');
        json_row_add(sheet, row, out);
    }
    buffer_add_text(out, TEXT("]}\n"));
}
