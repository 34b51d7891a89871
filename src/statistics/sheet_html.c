/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table as HTML for mail: inline styles, since many mail programs drop everything else, and classes for
   those that do not (report/mail_page.h). */
#include "base/plain.h"
#include "statistics/sheet.h"

enum { COLUMNS_NARROW = 4 }; /* what a telephone shows side by side */

#define CELL "padding:4px 10px 4px 0;border-bottom:1px solid #d5dae1;vertical-align:top;"
#define HEAD "padding:4px 10px 4px 0;border-bottom:2px solid #8a94a3;font-weight:600;vertical-align:bottom;"
#define WORDS "text-align:left;overflow-wrap:anywhere;min-width:6em"
#define NUMBERS "text-align:right;white-space:nowrap"
#define FAINT "class=\"faint\" style=\"color:#5c6673;"

void html_add(struct buffer *out, struct text text, size_t most_columns)
{
    struct buffer shown = { 0 };
    plain_add(&shown, text, most_columns);
    struct text rest = buffer_text(&shown);
    for (size_t i = 0; i < rest.length; i++) switch (rest.at[i]) {
        case '&':
            buffer_add_text(out, TEXT("&amp;"));
            break;
        case '<':
            buffer_add_text(out, TEXT("&lt;"));
            break;
        case '>':
            buffer_add_text(out, TEXT("&gt;"));
            break;
        case '"':
            buffer_add_text(out, TEXT("&quot;"));
            break;
        case '\'':
            buffer_add_text(out, TEXT("&#39;"));
            break;
        default:
            buffer_add_char(out, rest.at[i]);
        }
    buffer_free(&shown);
}

static const char *align_of(const struct sheet *sheet, size_t column)
{
    return sheet->columns[column].kind == SHEET_TEXT ? WORDS : NUMBERS;
}

static void value_print(const struct sheet *sheet, size_t column, const struct sheet_cell *cell,
                        const struct wording *wording, struct buffer *out)
{
    if (cell->state == CELL_NUMBER)
        sheet_number_print(sheet->columns[column].kind, cell->number, out);
    else if (cell->state == CELL_WORD)
        html_add(out, text_of(wording_say(wording, cell->text.at)), SHEET_CELL_MOST * 2);
    else if (cell->state == CELL_FOREIGN)
        html_add(out, cell->text, SHEET_CELL_MOST);
    else
        buffer_add_text(out, TEXT("–"));
}

static void cell_print(const struct sheet *sheet, size_t column, const struct sheet_row *row,
                       const struct wording *wording, struct buffer *out)
{
    const struct sheet_cell *cell = &row->cells[column];
    buffer_printf(out, "<td class=\"line%s\" style=\"" CELL "%s%s\">",
                  cell->state == CELL_NONE ? " none" : "", align_of(sheet, column),
                  row->is_sum ? ";font-weight:600" : "");
    if (sheet->column_count > COLUMNS_NARROW) {
        buffer_add_text(out, TEXT("<span class=\"label faint\" style=\"display:none;color:#5c6673\">"));
        html_add(out, text_of(wording_say(wording, sheet->columns[column].title)), 200);
        buffer_add_text(out, TEXT("</span>"));
    }
    value_print(sheet, column, cell, wording, out);
    buffer_add_text(out, TEXT("</td>"));
}

static void table_print(const struct sheet *sheet, const struct wording *wording, struct buffer *out)
{
    buffer_printf(
        out,
        "<div style=\"overflow-x:auto\"><table%s style=\"border-collapse:collapse;font-size:14px\">\n"
        "<tr class=\"heads\">",
        sheet->column_count > COLUMNS_NARROW ? " class=\"wide\"" : "");
    for (size_t i = 0; i < sheet->column_count; i++) {
        buffer_printf(out, "<th class=\"line faint\" style=\"color:#5c6673;" HEAD "%s\">",
                      align_of(sheet, i));
        html_add(out, text_of(wording_say(wording, sheet->columns[i].title)), 200);
        buffer_add_text(out, TEXT("</th>"));
    }
    buffer_add_text(out, TEXT("</tr>\n"));
    for (const struct sheet_row *row = sheet->rows; row; row = row->next) {
        buffer_add_text(out, TEXT("<tr>"));
        for (size_t i = 0; i < sheet->column_count; i++) cell_print(sheet, i, row, wording, out);
        buffer_add_text(out, TEXT("</tr>\n"));
    }
    buffer_add_text(out, TEXT("</table></div>\n"));
}

void sheet_print_html(const struct sheet *sheet, const struct wording *wording, struct buffer *out)
{
    buffer_add_text(out, TEXT("<h2 style=\"font-size:17px;margin:28px 0 4px\">"));
    html_add(out, text_of(wording_say(wording, sheet->title)), 200);
    if (sheet->unit) {
        buffer_add_text(out, TEXT(" <span " FAINT "font-weight:400;font-size:13px\">("));
        html_add(out, text_of(wording_say(wording, sheet->unit)), 200);
        buffer_add_text(out, TEXT(")</span>"));
    }
    buffer_add_text(out, TEXT("</h2>\n"));
    if (!sheet_is_empty(sheet))
        table_print(sheet, wording, out);
    else
        buffer_printf(out, "<p " FAINT "margin:4px 0\">%s</p>\n",
                      wording_say(wording, N_("Nothing in this time.")));
    if (!sheet->note) return;
    buffer_add_text(out, TEXT("<p " FAINT "margin:4px 0;font-size:13px\">"));
    html_add(out, text_of(wording_say(wording, sheet->note)), 1000);
    buffer_add_text(out, TEXT("</p>\n"));
}
