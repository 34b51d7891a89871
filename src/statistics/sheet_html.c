/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table as HTML for mail: inline styles only, since many mail programs drop everything else. */
#include "base/plain.h"
#include "statistics/sheet.h"

#define CELL "padding:3px 10px;border-bottom:1px solid #e3e6ea;white-space:nowrap;"
#define HEAD \
    "padding:4px 10px;border-bottom:2px solid #8a94a3;color:#48515e;font-weight:600;white-space:nowrap;"

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
    return sheet->columns[column].kind == SHEET_TEXT ? "left" : "right";
}

static void cell_print(const struct sheet *sheet, size_t column, const struct sheet_row *row,
                       const struct wording *wording, struct buffer *out)
{
    const struct sheet_cell *cell = &row->cells[column];
    buffer_printf(out, "<td style=\"" CELL "text-align:%s%s\">", align_of(sheet, column),
                  row->is_sum ? ";font-weight:600;border-top:1px solid #8a94a3" : "");
    if (cell->state == CELL_NUMBER)
        sheet_number_print(sheet->columns[column].kind, cell->number, out);
    else if (cell->state == CELL_WORD)
        html_add(out, text_of(wording_say(wording, cell->text.at)), SHEET_CELL_MOST * 2);
    else if (cell->state == CELL_FOREIGN)
        html_add(out, cell->text, SHEET_CELL_MOST);
    else
        buffer_add_text(out, TEXT("–"));
    buffer_add_text(out, TEXT("</td>"));
}

void sheet_print_html(const struct sheet *sheet, const struct wording *wording, struct buffer *out)
{
    buffer_add_text(out, TEXT("<h2 style=\"font-size:16px;margin:26px 0 6px\">"));
    html_add(out, text_of(wording_say(wording, sheet->title)), 200);
    if (sheet->unit) {
        buffer_add_text(out, TEXT(" <span style=\"font-weight:400;font-size:13px;color:#66707d\">("));
        html_add(out, text_of(wording_say(wording, sheet->unit)), 200);
        buffer_add_text(out, TEXT(")</span>"));
    }
    buffer_add_text(out, TEXT("</h2>\n"));
    if (!sheet_is_empty(sheet)) {
        buffer_add_text(out, TEXT("<div style=\"overflow-x:auto\"><table "
                                  "style=\"border-collapse:collapse;font-size:14px\">\n<tr>"));
        for (size_t i = 0; i < sheet->column_count; i++) {
            buffer_printf(out, "<th style=\"" HEAD "text-align:%s\">", align_of(sheet, i));
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
    } else {
        buffer_printf(out, "<p style=\"margin:4px 0;color:#66707d\">%s</p>\n",
                      wording_say(wording, N_("Nothing in this time.")));
    }
    if (!sheet->note) return;
    buffer_add_text(out, TEXT("<p style=\"margin:4px 0;font-size:12px;color:#66707d\">"));
    html_add(out, text_of(wording_say(wording, sheet->note)), 1000);
    buffer_add_text(out, TEXT("</p>\n"));
}
